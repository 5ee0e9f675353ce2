import type { Currency } from './ledger-entry.ts';

/** What usage can be broken down by. Days are UTC days; `model` is the backend's own name, since that is what is paid for. */
export const USAGE_GROUPS = ['team', 'key', 'model', 'day', 'backend'] as const;
export type UsageGroup = (typeof USAGE_GROUPS)[number];

/** A question to the books. Both ends lie on whole hours: beyond the retention of lines only hourly sums are left. */
export interface UsageQuery {
  /** Null for one sum of everything. */
  readonly by: UsageGroup | null;
  /** Milliseconds since the epoch, included; null = from the start. */
  readonly fromMs: number | null;
  /** Milliseconds since the epoch, not included; null = until now. */
  readonly toMs: number | null;
  readonly team: string | null;
  readonly key: string | null;
}

/** Sums over requests. Exact: counts up to 2⁵³, money as bigint. */
export interface UsageTotals {
  readonly requests: number;
  /** Ended by the backend's failure. */
  readonly failed: number;
  /** Refused by the relay itself. */
  readonly refused: number;
  /** The caller left before the end. */
  readonly clientGone: number;
  /** The vendor told no count and the relay estimated it. */
  readonly estimated: number;
  /** The node died: what had been reserved stands for what was used. */
  readonly expired: number;
  /** Answered, but no price is known: their cost is in no sum. */
  readonly unpriced: number;
  readonly promptTokens: number;
  readonly paidPromptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
  /** Billionths of the unit, per currency; a currency without requests is absent. */
  readonly costNano: Readonly<Partial<Record<Currency, bigint>>>;
}

/** What was spent on each name that was asked for: from the lines, so only as far back as they are kept. */
export interface SpentQuery {
  /** Milliseconds since the epoch, included. */
  readonly fromMs: number;
  readonly team: string;
  /** Null for all keys of the team. */
  readonly key: string | null;
  readonly currency: Currency;
}

export interface SpentRow {
  /** As the line has it: long names are cut. */
  readonly askedModel: string;
  /** Answers that were thrown away are in it. */
  readonly nano: bigint;
}

export interface UsageRow extends UsageTotals {
  /** The team, key, model or backend; `YYYY-MM-DD` for a day; empty when `by` is null. */
  readonly group: string;
}

export const NO_USAGE: UsageTotals = {
  requests: 0,
  failed: 0,
  refused: 0,
  clientGone: 0,
  estimated: 0,
  expired: 0,
  unpriced: 0,
  promptTokens: 0,
  paidPromptTokens: 0,
  completionTokens: 0,
  cachedTokens: 0,
  reasoningTokens: 0,
  costNano: {},
};

const COUNTS = (Object.keys(NO_USAGE) as (keyof UsageTotals)[]).filter((name) => name !== 'costNano');

/** What takes these sums away again. */
export function negated(totals: UsageTotals): UsageTotals {
  const counts = Object.fromEntries(COUNTS.map((name) => [name, -(totals[name] as number)]));
  const costNano = Object.fromEntries(Object.entries(totals.costNano).map(([currency, nano]) => [currency, -nano]));
  return { ...counts, costNano } as unknown as UsageTotals;
}

/** Money stays apart by currency. */
export function addUsage(one: UsageTotals, other: UsageTotals): UsageTotals {
  const sum: Record<string, unknown> = {};
  for (const name of COUNTS) sum[name] = one[name] + other[name];
  const costNano: Partial<Record<Currency, bigint>> = { ...one.costNano };
  for (const [currency, nano] of Object.entries(other.costNano) as [Currency, bigint][])
    costNano[currency] = (costNano[currency] ?? 0n) + nano;
  return { ...sum, costNano } as unknown as UsageTotals;
}
