import type { ModelLimits } from '../../config/config.ts';

/**
 * What a limit counts. `tokens` = input + output; `concurrency` = calls running now; money is an integer of nano-units of its currency.
 * The order is the code under which a measure goes to the scripts (from 1).
 */
export const MEASURES = ['requests', 'tokens', 'concurrency', 'nanoCny', 'nanoUsd'] as const;
export type Measure = (typeof MEASURES)[number];

/**
 * Continuous refill: `amount` per `perMs`, up to `burst`. The level is kept in micro-units and gains `num / den` of them each microsecond
 * (`amount × 1000 / perMs`, reduced), so that integers carry it without drift.
 */
export interface RateLaw {
  readonly kind: 'rate';
  readonly amount: number;
  readonly perMs: number;
  readonly burst: number;
  readonly num: number;
  readonly den: number;
}

/** So many at the same time; each settlement gives its own back. */
export interface SlotsLaw {
  readonly kind: 'slots';
  readonly amount: number;
}

export type WindowLength = 'hour' | 'day' | 'week' | 'month' | 'never';

/** A calendar window of an IANA time zone, which starts anew; `never` does not. */
export interface WindowLaw {
  readonly kind: 'window';
  readonly amount: number;
  readonly per: WindowLength;
  readonly timeZone: string;
}

export type Law = RateLaw | SlotsLaw | WindowLaw;

/** One rule of the configuration: scope × measure × law. */
export interface Limit {
  /** For callers, e.g. `team.rpm`: which kind of limit it was, no identity. */
  readonly name: string;
  /** Unique within its owner, e.g. `key/ci/rpm`. Two limits with one bucket are one limit before and after a change. */
  readonly bucket: string;
  readonly measure: Measure;
  readonly law: Law;
  /** Of a limit on models: does a request that asks for this name count? Absent: every request does. */
  readonly covers?: (asked: string) => boolean;
}

/** What one request asks of one limit, in the limit's measure. */
export interface Demand {
  readonly limit: Limit;
  readonly amount: number;
}

/** Whose limit it is. `model`: the entry of `limits.models`, whose names share one bucket: callers can make up names, but no buckets. */
export type Scope =
  | { readonly kind: 'team'; readonly team: string; readonly model?: string }
  | { readonly kind: 'key'; readonly key: string; readonly model?: string }
  | { readonly kind: 'backend'; readonly backend: string };

export const MICRO = 1_000_000;
/**
 * Scripts count in doubles, which are exact below 2^53. Bursts and debts of rates stay within 2^52 micro-units (4.5 thousand million
 * requests or tokens) so that the distance between them does too; other amounts a little below 2^53, because the client that reads Redis's
 * answers adds a digit's character code before it subtracts the code of 0.
 */
export const MOST_MICRO = 2 ** 52;
export const MOST_AMOUNT = 2 ** 53 - 1024;
export const MOST_RATE = Math.floor(MOST_MICRO / MICRO);
export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

/** @throws RangeError when the numbers are not whole, below 1, or too large to be counted exactly. */
export function rateLaw(amount: number, perMs: number, burst: number = amount): RateLaw {
  within('amount', amount, 1, MOST_RATE);
  within('burst', burst, 1, MOST_RATE);
  within('perMs', perMs, 1, 366 * DAY_MS);
  const divisor = greatestDivisor(amount * 1000, perMs);
  const [num, den] = [(amount * 1000) / divisor, perMs / divisor];
  if (num * den >= MOST_MICRO) throw new RangeError(`A rate of ${amount} in ${perMs} ms cannot be counted exactly.`);
  return { kind: 'rate', amount, perMs, burst, num, den };
}

/** @throws RangeError as `rateLaw`. */
export function slotsLaw(amount: number): SlotsLaw {
  within('amount', amount, 1, MOST_RATE);
  return { kind: 'slots', amount };
}

/** @throws RangeError as `rateLaw`, also for a time zone the platform does not know. */
export function windowLaw(amount: number, per: WindowLength, timeZone: string): WindowLaw {
  within('amount', amount, 1, MOST_AMOUNT);
  new Intl.DateTimeFormat('en', { timeZone });
  return { kind: 'window', amount, per, timeZone };
}

/** The limits of one `limits` block. `outputReserve` is no limit: it shapes the demand. */
export function configuredLimits(scope: Scope, limits: ModelLimits, timeZone: string): Limit[] {
  const found: Limit[] = [];
  const add = (word: string, measure: Measure, law: Law) =>
    found.push({ name: `${scopeName(scope)}.${word}`, bucket: `${scopePath(scope)}/${word}`, measure, law });
  const { rpm, rpd, tpm, tpd, concurrency, budget } = limits;
  if (rpm !== undefined) add('rpm', 'requests', rateLaw(rpm, MINUTE_MS));
  if (rpd !== undefined) add('rpd', 'requests', rateLaw(rpd, DAY_MS));
  if (tpm !== undefined) add('tpm', 'tokens', rateLaw(tpm, MINUTE_MS));
  if (tpd !== undefined) add('tpd', 'tokens', rateLaw(tpd, DAY_MS));
  if (concurrency !== undefined) add('concurrency', 'concurrency', slotsLaw(concurrency));
  if (budget !== undefined) {
    const { amount, currency, per } = budget;
    // Another window or currency is another bucket: what was spent of the one says nothing about the other.
    const law = windowLaw(Math.round(amount * 1e9), per, timeZone);
    add(`budget.${per}.${currency.toLowerCase()}`, currency === 'CNY' ? 'nanoCny' : 'nanoUsd', law);
  }
  return found;
}

/** What a limit can hold when nothing is used, in its measure. */
export function capacity({ law }: Limit): number {
  return law.kind === 'rate' ? law.burst : law.amount;
}

function scopeName(scope: Scope): string {
  return scope.kind !== 'backend' && scope.model !== undefined ? `${scope.kind}.model` : scope.kind;
}

/** Names are escaped: a model name may contain `/`, a bucket's parts may not. */
function scopePath(scope: Scope): string {
  if (scope.kind === 'backend') return `backend/${encodeURIComponent(scope.backend)}`;
  const own = scope.kind === 'team' ? 'team' : `key/${encodeURIComponent(scope.key)}`;
  return scope.model === undefined ? own : `${own}/model/${encodeURIComponent(scope.model)}`;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

function within(what: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${what} must be a whole number from ${least} to ${most}, not ${value}.`);
}
