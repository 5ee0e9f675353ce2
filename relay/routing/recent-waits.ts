/** Waits that are kept; and for how long. */
const MOST = 200;
const KEPT_MS = 600_000;

/** The latest waits for one place, in order of size as well as of time, so that a quantile is one look. Bounded in number and age. */
export class RecentWaits {
  readonly #now: () => number;
  /** Oldest first. */
  readonly #byTime: { readonly ms: number; readonly atMs: number }[] = [];
  /** Smallest first. */
  readonly #bySize: number[] = [];

  /** @param now a clock in ms that only goes forward */
  constructor(now: () => number) {
    this.#now = now;
  }

  get size(): number {
    this.#expire();
    return this.#bySize.length;
  }

  add(ms: number): void {
    if (this.#byTime.length === MOST) this.#drop();
    this.#byTime.push({ ms, atMs: this.#now() });
    this.#bySize.splice(this.#rank(ms), 0, ms);
  }

  /** The smallest wait that so large a share of all does not exceed; null where there is none. */
  quantile(share: number): number | null {
    this.#expire();
    return this.#bySize[Math.ceil(share * this.#bySize.length) - 1] ?? null;
  }

  #expire(): void {
    const since = this.#now() - KEPT_MS;
    while ((this.#byTime[0]?.atMs ?? since) < since) this.#drop();
  }

  #drop(): void {
    const oldest = this.#byTime.shift();
    if (oldest !== undefined) this.#bySize.splice(this.#rank(oldest.ms), 1);
  }

  /** How many are smaller. */
  #rank(ms: number): number {
    let [low, high] = [0, this.#bySize.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#bySize[middle] as number) < ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
