import { MICRO } from '../quota/limits.ts';

/** Something that moved a rate: a taking, or the correction at a request's end. */
export interface RateEvent {
  readonly atMs: number;
  /** Requests or tokens; negative: taken. */
  readonly amount: number;
  /** A taking that was admitted: there was enough for it. */
  readonly admitted: boolean;
}

export interface Span {
  readonly startMs: number;
  /** Full at the start; else anything up to full. */
  readonly fresh: boolean;
  readonly nowMs: number;
  /** What may have moved in another order than the events say, in micro-units. */
  readonly slack: number;
}

/** The least and the most that a bucket can hold at the end, in micro-units. */
export function replayed(
  events: readonly RateEvent[],
  { burst, perMs }: { readonly burst: number; readonly perMs: number },
  { startMs, fresh, nowMs, slack }: Span,
): { readonly least: number; readonly most: number } {
  let least = fresh ? burst : Number.NEGATIVE_INFINITY;
  let most = burst;
  let atMs = startMs;
  const move = (whenMs: number, amount: number): void => {
    const refilled = Math.max(0, whenMs - atMs) * perMs;
    atMs = Math.max(atMs, whenMs);
    least = Math.min(burst, Math.min(burst, least + refilled) + amount);
    most = Math.min(burst, Math.min(burst, most + refilled) + amount);
  };
  for (const { atMs: whenMs, amount, admitted } of [...events].sort((one, other) => one.atMs - other.atMs)) {
    move(whenMs, amount * MICRO);
    // Nothing is admitted into a debt.
    if (admitted) least = Math.max(least, -slack);
  }
  move(nowMs, 0);
  return { least, most };
}

/** The most that events within so long of each other move in all. */
export function widest(events: readonly RateEvent[], withinMs: number): number {
  const sorted = [...events].sort((one, other) => one.atMs - other.atMs);
  let [from, sum, most] = [0, 0, 0];
  for (const { atMs, amount } of sorted) {
    sum += Math.abs(amount);
    for (let first = sorted[from]; first !== undefined && first.atMs < atMs - withinMs; first = sorted[++from])
      sum -= Math.abs(first.amount);
    most = Math.max(most, sum);
  }
  return most;
}
