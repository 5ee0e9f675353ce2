import type { Limits } from '../../../config/config.ts';
import { auditedLimits } from '../../../relay/audit/audited-limits.ts';
import type { LedgerEntry } from '../../../relay/ledger/ledger-entry.ts';
import type { Snapshot } from '../../../relay/quota/store.ts';
import { entry } from '../ledger/entries.ts';

/** 2026-11-24T10:00Z: the moment of the first snapshot. */
export const NOW = Date.UTC(2026, 10, 24, 10);
export const MONTH = Date.UTC(2026, 10, 1);
export const MONTH_END = Date.UTC(2026, 11, 1);
export const BUDGET = `team/budget.month.cny@${MONTH}`;

export const limitsOf = (limits: Limits, keys: Readonly<Record<string, Limits>> = {}) =>
  auditedLimits(
    { name: 'blue', limits },
    Object.entries(keys).map(([name, own]) => ({ name, limits: own })),
  );

/** A request that ended so many seconds before the snapshot; estimated at 100 tokens and 500 nano, used 30 tokens and 200 nano. */
export function line(id: string, endedS: number, more: Partial<LedgerEntry> = {}): LedgerEntry {
  const totalMs = more.totalMs ?? 1_000;
  return entry(id, {
    atMs: NOW - endedS * 1000 - totalMs,
    totalMs,
    team: 'blue',
    key: 'app',
    askedModel: 'gpt-4o',
    promptTokens: 10,
    paidPromptTokens: 10,
    completionTokens: 20,
    usageSource: 'vendor',
    costNano: 200,
    currency: 'CNY',
    estimatePromptTokens: 10,
    estimateCompletionTokens: 90,
    estimateCostNano: 500,
    estimateCurrency: 'CNY',
    decision: null,
    refusedBy: null,
    heldBy: 'store',
    ...more,
  });
}

export function snapshot(
  buckets: Snapshot['buckets'] extends ReadonlyMap<string, infer S> ? Readonly<Record<string, S>> : never,
  more: Partial<Snapshot> = {},
): Snapshot {
  return {
    nowUs: NOW * 1000,
    seq: 10,
    sinceUs: MONTH * 1000,
    buckets: new Map(Object.entries(buckets)),
    begun: new Map(),
    open: [],
    ...more,
  };
}

/** A rate of so many a minute that holds so many now. */
export const rate = (perMinute: number, level: number) =>
  ({ kind: 'rate', level: level * 1e6, rem: 0, at: NOW * 1000, burst: perMinute * 1e6, num: perMinute, den: 60 }) as const;
