import { MICRO, MOST_MICRO, type RateLaw } from './limits.ts';

/**
 * A rate bucket in micro-units and microseconds. `rem` / `den` is the fraction of a micro-unit already refilled; `level` may be negative
 * (debt). lua/laws.lua does the same arithmetic: change both or neither.
 */
export interface RateState {
  level: number;
  rem: number;
  /** Until when it is refilled (µs of the store's clock). Never moves back. */
  at: number;
  /** The law it is kept under, in micro-units: it stays until a request brings a changed one. */
  burst: number;
  num: number;
  den: number;
}

/** Far away, and still exact: no wait is said to be longer (142 years in µs). */
export const LONGEST_US = 2 ** 52;

export function fullBucket(law: RateLaw, nowUs: number): RateState {
  return { level: law.burst * MICRO, rem: 0, at: nowUs, burst: law.burst * MICRO, num: law.num, den: law.den };
}

/**
 * Adds what has accrued since. A clock that steps back adds nothing, and nothing twice when it comes forward again.
 *
 * Exact below 2^53: whole turns of `den` µs bring `num` each; were they more than what is missing, the bucket is full. The rest is less
 * than one turn, so its product is below num × den < 2^52.
 */
export function refill(bucket: RateState, nowUs: number): void {
  const elapsed = nowUs - bucket.at;
  if (elapsed <= 0) return;
  bucket.at = nowUs;
  const turns = Math.floor(elapsed / bucket.den);
  if (turns > Math.floor((bucket.burst - bucket.level) / bucket.num)) {
    fill(bucket);
    return;
  }
  const part = (elapsed - turns * bucket.den) * bucket.num + bucket.rem;
  bucket.level += turns * bucket.num + Math.floor(part / bucket.den);
  bucket.rem = part % bucket.den;
  if (bucket.level >= bucket.burst) fill(bucket);
}

function fill(bucket: RateState): void {
  bucket.level = bucket.burst;
  bucket.rem = 0;
}

/** Moves the level: up to the burst and no higher, down into debt. The bucket is refilled already. */
export function move(bucket: RateState, microUnits: number): void {
  bucket.level = Math.max(bucket.level + microUnits, -MOST_MICRO);
  if (bucket.level >= bucket.burst) fill(bucket);
}

/**
 * Puts a changed law into force: refilled under the old one until now, then shifted by the difference of the bursts, so that what was used
 * stays used. True when the law had changed.
 */
export function adopt(bucket: RateState, law: RateLaw, nowUs: number): boolean {
  refill(bucket, nowUs);
  const burst = law.burst * MICRO;
  if (bucket.burst === burst && bucket.num === law.num && bucket.den === law.den) return false;
  const used = bucket.burst - bucket.level;
  if (bucket.num !== law.num || bucket.den !== law.den) bucket.rem = 0;
  Object.assign(bucket, { burst, num: law.num, den: law.den });
  bucket.level = Math.max(burst - used, -MOST_MICRO);
  return true;
}

/** µs after which a refilled bucket has reached `level` (micro-units, at most its burst), to the microsecond: one less is not enough. */
export function waitUs(bucket: RateState, level: number, nowUs: number): number {
  const short = level - bucket.level;
  if (short <= 0) return 0;
  const turns = Math.floor(short / bucket.num);
  if (turns > Math.floor(LONGEST_US / bucket.den)) return LONGEST_US;
  const rest = (short - turns * bucket.num) * bucket.den - bucket.rem;
  // A clock behind the bucket refills nothing until it has caught up.
  return turns * bucket.den + Math.ceil(rest / bucket.num) + Math.max(0, bucket.at - nowUs);
}
