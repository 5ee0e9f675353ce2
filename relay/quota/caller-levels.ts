import type { Currency } from '../ledger/ledger-entry.ts';
import { adopt, type RateState, refill, waitUs } from './bucket.ts';
import { capacity, type Limit, type Measure, MICRO } from './limits.ts';
import type { OpenReservation, Snapshot, SpentReader } from './store.ts';
import { windowBounds } from './window-bounds.ts';

/** One limit of a caller, as a request would find it now. */
export interface CallerLevel {
  readonly limit: Limit;
  /** The entry of `limits.models` it belongs to; null for all requests. */
  readonly model: string | null;
  /** In the limit's measure; may be negative (debt). */
  readonly remaining: number;
  /** Until it is full again; null where nobody knows (concurrency) or never. */
  readonly resetMs: number | null;
  /** Milliseconds since the epoch; null for what is no window, or never ends. */
  readonly windowEndMs: number | null;
}

/** What a key's running requests hold. */
export interface HeldByKey {
  readonly requests: number;
  /** Null when no limit counts tokens. */
  readonly tokens: number | null;
  /** Nano-units, of the currencies that limits count. */
  readonly costNano: Readonly<Partial<Record<Currency, number>>>;
}

export interface CallerLevels {
  readonly limits: readonly CallerLevel[];
  readonly open: HeldByKey;
}

export type NamedLimit = Pick<CallerLevel, 'limit' | 'model'>;

/**
 * Reads; takes nothing.
 * @param own the caller's open reservations
 * @param spent asked for a window that the store does not have
 * @throws what `spent` rejects with
 */
export async function callerLevels(
  owner: string,
  limits: readonly NamedLimit[],
  snapshot: Snapshot,
  own: readonly OpenReservation[],
  spent: SpentReader | null,
): Promise<CallerLevels> {
  const levels = await Promise.all(limits.map(async (one) => ({ ...one, ...(await levelOf(owner, one.limit, snapshot, spent)) })));
  const held = (measure: Measure): number | null => {
    const counting = limits.filter(({ limit }) => limit.measure === measure).map(({ limit }) => limit.bucket);
    if (counting.length === 0) return null;
    // Each of them has taken the same amount, if it holds for the request at all.
    const amountOf = ({ taken }: OpenReservation): number =>
      Math.max(0, ...[...taken].map(([bucket, amount]) => (counting.includes(bucket.split('@', 1)[0] as string) ? amount : 0)));
    return own.reduce((sum, one) => sum + amountOf(one), 0);
  };
  const [cny, usd] = [held('nanoCny'), held('nanoUsd')];
  const costNano = { ...(cny === null ? {} : { CNY: cny }), ...(usd === null ? {} : { USD: usd }) };
  return { limits: levels, open: { requests: own.length, tokens: held('tokens'), costNano } };
}

type Level = Pick<CallerLevel, 'remaining' | 'resetMs' | 'windowEndMs'>;

async function levelOf(owner: string, limit: Limit, { nowUs, buckets }: Snapshot, spent: SpentReader | null): Promise<Level> {
  const { law, bucket } = limit;
  if (law.kind === 'rate') {
    const state = buckets.get(bucket);
    if (state?.kind !== 'rate') return { remaining: capacity(limit), resetMs: 0, windowEndMs: null };
    const now: RateState = { ...state };
    refill(now, nowUs);
    // The law may have changed since the last request.
    adopt(now, law, nowUs);
    return { remaining: Math.floor(now.level / MICRO), resetMs: Math.floor(waitUs(now, now.burst, nowUs) / 1000), windowEndMs: null };
  }
  if (law.kind === 'slots') {
    const state = buckets.get(bucket);
    return { remaining: law.amount - (state?.kind === 'slots' ? state.used : 0), resetMs: null, windowEndMs: null };
  }
  const nowMs = Math.floor(nowUs / 1000);
  const { startMs, endMs } = windowBounds(law.per, law.timeZone, nowMs);
  const state = buckets.get(`${bucket}@${startMs}`);
  const used = state?.kind === 'window' ? state.used : ((await spent?.(owner, limit, startMs, endMs)) ?? 0);
  const ends = law.per !== 'never';
  return { remaining: law.amount - used, resetMs: ends ? endMs - nowMs : null, windowEndMs: ends ? endMs : null };
}
