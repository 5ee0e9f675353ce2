import type { LedgerEntry } from '../../relay/ledger/ledger-entry.ts';
import { addUsage, NO_USAGE, type UsageTotals } from '../../relay/ledger/usage.ts';
import type { HourColumns } from './tables.ts';

const HOUR_MS = 3_600_000;

/** The sums of an hour that the tables keep, beside the cost. */
export const SUM_COLUMNS = {
  requests: 'requests',
  failed: 'failed',
  refused: 'refused',
  clientGone: 'client_gone',
  estimated: 'estimated',
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

/** Lines summed up by hour and combination, always in the same order: two writers then lock rows in the same order. */
export function hourSums(entries: readonly LedgerEntry[]): HourSum[] {
  const sums = new Map<string, HourSum>();
  for (const entry of entries) {
    const hourMs = entry.atMs - (entry.atMs % HOUR_MS);
    const { team, key, backend } = entry;
    const model = modelOf(entry);
    const currency = entry.currency ?? '';
    const id = JSON.stringify([hourMs, team, key, model, backend, currency]);
    const totals = addUsage(sums.get(id)?.totals ?? NO_USAGE, totalsOf(entry));
    sums.set(id, { hourMs, team, key, model, backend, currency, totals });
  }
  return [...sums.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
}

/**
 * `backend/any-name` reaches a vendor as it is: names that no vendor answered to are summed up as one, or a caller could fill a table that
 * is kept for good.
 */
function modelOf({ servedModel, usageSource, reason, errorCode }: LedgerEntry): string {
  return usageSource === null && (reason === 'refused' || errorCode === 'upstream_model_unavailable') ? '' : servedModel;
}

function totalsOf(entry: LedgerEntry): UsageTotals {
  return {
    requests: 1,
    failed: entry.reason === 'vendor_error' ? 1 : 0,
    refused: entry.reason === 'refused' ? 1 : 0,
    clientGone: entry.reason === 'client_gone' ? 1 : 0,
    estimated: entry.usageSource === 'estimated' ? 1 : 0,
    unpriced: entry.usageSource !== null && entry.costNano === null ? 1 : 0,
    promptTokens: entry.promptTokens,
    paidPromptTokens: entry.paidPromptTokens,
    completionTokens: entry.completionTokens,
    cachedTokens: entry.cachedTokens,
    reasoningTokens: entry.reasoningTokens,
    costNano: entry.costNano === null || entry.currency === null ? {} : { [entry.currency]: BigInt(entry.costNano) },
  };
}
