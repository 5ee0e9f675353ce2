import { capacity, type Demand, type Limit, MEASURES, MICRO, MOST_AMOUNT } from './limits.ts';
import type { Level, ReserveRequest, SpentReader, Tightest, Verdict } from './store.ts';
import { windowBounds } from './window-bounds.ts';

/** A demand as the stores take it: integers only. lua/reserve.lua reads the same fields in the same order. */
export interface PlannedDemand {
  readonly limit: Limit;
  /** The bucket's own name, for a window with its start. */
  readonly bucket: string;
  readonly kind: 'rate' | 'slots' | 'window';
  /** Place in MEASURES, from 1. */
  readonly measure: number;
  /** In the measure's units. */
  readonly amount: number;
  /** rate: burst (micro-units), num, den · slots: amount, 0, 0 · window: amount, start, end (µs) */
  readonly a: number;
  readonly b: number;
  readonly c: number;
  /** A window's use before its bucket began; UNSEEDED: ask the books if there is no bucket. */
  readonly seed: number;
}

/** A step's answer: [code, store's now (µs), index from 1 of the limit meant, wait (µs), then what is left and µs until full, per demand]. */
export type Reply = readonly number[];

export const CODE = { admitted: 0, wait: 1, tooLarge: 2, closed: 3, otherWindow: 4, unseeded: 5 } as const;
export const UNSEEDED = -1;

/**
 * Asks a store until it has all it needs: ordinarily once; again when its clock lies in another window than ours, and when the books must
 * say what was used of a window first.
 */
export async function reserveBySteps(
  request: ReserveRequest,
  spent: SpentReader | null,
  nowMs: number,
  step: (demands: readonly PlannedDemand[]) => Promise<Reply>,
): Promise<Verdict> {
  const seeds = new Map<string, number>();
  let atMs = nowMs;
  for (let left = request.demands.length + 4; left > 0; left--) {
    const demands = request.demands.map((demand) => planned(demand, atMs, seeds, spent === null ? 0 : UNSEEDED));
    const reply = await step(demands);
    const [code, nowUs = 0, index = 0] = reply;
    if (code === CODE.otherWindow) {
      atMs = Math.floor(nowUs / 1000);
    } else if (code === CODE.unseeded && spent !== null) {
      const { limit, bucket, b, c } = demands[index - 1]!;
      const used = await spent(request.owner, limit, b / 1000, c / 1000);
      if (!Number.isSafeInteger(used) || used < 0 || used > MOST_AMOUNT)
        throw new RangeError(`The books' sum for ${bucket} is no amount: ${used}.`);
      seeds.set(bucket, used);
    } else return verdict(reply, demands);
  }
  throw new Error(`The quota store's clock moved from window to window while ${request.id} was being reserved.`);
}

function planned({ limit, amount }: Demand, atMs: number, seeds: ReadonlyMap<string, number>, unknown: number): PlannedDemand {
  const { law, bucket } = limit;
  const { kind } = law;
  const measure = MEASURES.indexOf(limit.measure) + 1;
  // Written out, so that all have one shape.
  if (law.kind === 'rate') return { limit, bucket, kind, measure, amount, a: law.burst * MICRO, b: law.num, c: law.den, seed: 0 };
  if (law.kind === 'slots') return { limit, bucket, kind, measure, amount, a: law.amount, b: 0, c: 0, seed: 0 };
  const { startMs, endMs } = windowBounds(law.per, law.timeZone, atMs);
  const own = `${bucket}@${startMs}`;
  const seed = seeds.get(own) ?? unknown;
  return { limit, bucket: own, kind, measure, amount, a: law.amount, b: startMs * 1000, c: endMs * 1000, seed };
}

function verdict(reply: Reply, demands: readonly PlannedDemand[]): Verdict {
  const [code, , index = 0, waitUs = 0] = reply;
  if (code === CODE.closed) return { ok: false, kind: 'closed' };
  if (reply.length !== 4 + 2 * demands.length) throw new Error('A reservation was repeated under its id with other demands.');
  const tightest: Tightest = { requests: tightestOf('requests', reply, demands), tokens: tightestOf('tokens', reply, demands) };
  if (code === CODE.admitted) return { ok: true, tightest, roomy: isRoomy(reply, demands) };
  const limit = demands[index - 1]!.limit;
  const refused = { ok: false, limit, tightest } as const;
  if (code === CODE.tooLarge) return { ...refused, kind: 'too_large', retryAfterMs: null };
  const retryAfterMs = Math.ceil(waitUs / 1000);
  if (limit.law.kind !== 'window') return { ...refused, kind: 'wait', retryAfterMs };
  return { ...refused, kind: 'spent', retryAfterMs: limit.law.per === 'never' ? null : retryAfterMs };
}

function isRoomy(reply: Reply, demands: readonly PlannedDemand[]): boolean {
  for (let index = 0; index < demands.length; index++) {
    const { law } = demands[index]!.limit;
    if (law.kind === 'slots' && 2 * reply[4 + 2 * index]! < law.amount) return false;
  }
  return true;
}

/** Least left; of equals the smaller limit, then the earlier one. */
function tightestOf(measure: 'requests' | 'tokens', reply: Reply, demands: readonly PlannedDemand[]): Level | null {
  let found = -1;
  for (let index = 0; index < demands.length; index++) {
    const { limit } = demands[index]!;
    if (limit.measure !== measure) continue;
    const [remaining, least] = [reply[4 + 2 * index]!, reply[4 + 2 * found]!];
    if (found < 0 || remaining < least || (remaining === least && capacity(limit) < capacity(demands[found]!.limit))) found = index;
  }
  if (found < 0) return null;
  const { limit } = demands[found]!;
  const never = limit.law.kind === 'window' && limit.law.per === 'never';
  return { limit, remaining: reply[4 + 2 * found]!, resetMs: never ? null : Math.floor(reply[5 + 2 * found]! / 1000) };
}
