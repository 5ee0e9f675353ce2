import type { LedgerEntry } from '../../relay/ledger/ledger-entry.ts';
import { addUsage, NO_USAGE, negated, type UsageTotals } from '../../relay/ledger/usage.ts';
import type { Attempt } from '../../relay/records/request-record.ts';
import type { HourColumns } from './tables.ts';

const HOUR_MS = 3_600_000;

/** The sums of an hour that the tables keep, beside the cost. */
export const SUM_COLUMNS = {
  requests: 'requests',
  failed: 'failed',
  refused: 'refused',
  clientGone: 'client_gone',
  estimated: 'estimated',
  expired: 'expired',
  unpriced: 'unpriced',
  promptTokens: 'prompt_tokens',
  paidPromptTokens: 'paid_prompt_tokens',
  completionTokens: 'completion_tokens',
  cachedTokens: 'cached_tokens',
  reasoningTokens: 'reasoning_tokens',
} as const satisfies Record<Exclude<keyof UsageTotals, 'costNano'>, keyof HourColumns>;

export interface HourSum {
  readonly hourMs: number;
  readonly team: string;
  readonly key: string;
  readonly model: string;
  readonly backend: string;
  readonly currency: string;
  readonly totals: UsageTotals;
}

type Part = Pick<HourSum, 'model' | 'backend' | 'currency' | 'totals'>;

export const hourOf = ({ atMs }: Pick<LedgerEntry, 'atMs'>): number => atMs - (atMs % HOUR_MS);

/**
 * Lines summed up by hour and combination, less those that are no longer so; always in the same order: two writers then lock rows in the
 * same order.
 */
export function hourSums(entries: readonly LedgerEntry[], without: readonly LedgerEntry[] = []): HourSum[] {
  const sums = new Map<string, HourSum>();
  for (const entry of entries) addLine(sums, entry, (totals) => totals);
  for (const entry of without) addLine(sums, entry, negated);
  return [...sums.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
}

function addLine(sums: Map<string, HourSum>, entry: LedgerEntry, signed: (totals: UsageTotals) => UsageTotals): void {
  const { team, key } = entry;
  const add = ({ model, backend, currency, totals }: Part): void => {
    const hourMs = hourOf(entry);
    const id = JSON.stringify([hourMs, team, key, model, backend, currency]);
    sums.set(id, { hourMs, team, key, model, backend, currency, totals: addUsage(sums.get(id)?.totals ?? NO_USAGE, signed(totals)) });
  };
  add({ model: modelOf(entry), backend: entry.backend, currency: entry.currency ?? '', totals: totalsOf(entry) });
  if (entry.attempts.includes('"discarded":')) for (const part of discardedParts(entry)) add(part);
}

/** Answers that were thrown away, on the model and backend that gave them: no request more, but tokens and money that the vendor bills. */
function discardedParts({ attempts }: LedgerEntry): Part[] {
  return (JSON.parse(attempts) as Attempt[]).flatMap(({ model, backend, discarded }) => {
    if (discarded === undefined) return [];
    const { promptTokens, completionTokens, cachedTokens, reasoningTokens, cost } = discarded;
    const counts = { paidPromptTokens: promptTokens, completionTokens, cachedTokens, reasoningTokens, unpriced: cost === null ? 1 : 0 };
    const costNano = cost === null ? {} : { [cost.currency]: BigInt(cost.amountNano) };
    return [{ model, backend, currency: cost?.currency ?? '', totals: { ...NO_USAGE, ...counts, costNano } }];
  });
}

/**
 * `backend/any-name` reaches a vendor as it is: names that no vendor answered to are summed up as one, or a caller could fill a table that
 * is kept for good.
 */
function modelOf({ servedModel, usageSource, reason, errorCode }: LedgerEntry): string {
  const unknown = errorCode === 'model_not_found' || errorCode === 'upstream_model_unavailable';
  return usageSource === null && (reason === 'refused' || unknown) ? '' : servedModel;
}

function totalsOf(entry: LedgerEntry): UsageTotals {
  return {
    requests: 1,
    failed: entry.reason === 'vendor_error' ? 1 : 0,
    refused: entry.reason === 'refused' ? 1 : 0,
    clientGone: entry.reason === 'client_gone' ? 1 : 0,
    estimated: entry.usageSource === 'estimated' ? 1 : 0,
    expired: entry.reason === 'expired' ? 1 : 0,
    unpriced: entry.usageSource !== null && entry.costNano === null ? 1 : 0,
    promptTokens: entry.promptTokens,
    paidPromptTokens: entry.paidPromptTokens,
    completionTokens: entry.completionTokens,
    cachedTokens: entry.cachedTokens,
    reasoningTokens: entry.reasoningTokens,
    costNano: entry.costNano === null || entry.currency === null ? {} : { [entry.currency]: BigInt(entry.costNano) },
  };
}
