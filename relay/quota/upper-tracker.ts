/** The share of what comes that shall lie at or below the tracked value. */
export const COVER = 0.95;

export interface TrackerOptions {
  readonly start: number;
  readonly least: number;
  readonly most: number;
  /** How fast it follows, in logarithms: a miss lifts the value by about this share, a hit lowers it by a nineteenth of that. */
  readonly step: number;
}

/**
 * Follows an upper bound of a stream of positive numbers that covers 95 % of them, in constant memory and time. Each number above the value
 * lifts it a little, each other lowers it a nineteenth of that. One outlier, however large, is one step; and whatever comes, chosen with
 * the worst intent, of any T numbers within the bounds at most T/20 + 1 + ln(most/start)/step are above the value of their moment.
 */
export class UpperTracker {
  readonly #least: number;
  readonly #most: number;
  readonly #step: number;
  #log: number;
  #value: number;

  constructor({ start, least, most, step }: TrackerOptions) {
    this.#least = Math.log(least);
    this.#most = most;
    this.#step = step;
    this.#log = Math.log(Math.min(Math.max(start, least), most));
    this.#value = Math.exp(this.#log);
  }

  /** From `least` to `most`. */
  get value(): number {
    return Math.min(this.#value, this.#most);
  }

  /** What is no positive number is no observation. */
  observe(seen: number): void {
    if (!(seen > 0)) return;
    // Above `most` nothing counts as a miss, so the sum goes at most one step beyond it; cutting it off there would break the bound.
    if (Math.min(seen, this.#most) > this.#value) this.#log += this.#step * COVER;
    else this.#log = Math.max(this.#log - this.#step * (1 - COVER), this.#least);
    this.#value = Math.exp(this.#log);
  }
}
