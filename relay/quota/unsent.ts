/** Most steps sent together. */
const BATCH = 256;
/** Some hundred bytes each. */
const MOST_KEPT = 100_000;

/**
 * Settlements and releases on their way to the store: sent at once, kept while it is gone, and sent again until it has answered. Each is
 * idempotent by its id, so a lost answer costs nothing. Beyond a number that memory can hold the oldest are dropped: their leases end them,
 * at the reserved amounts.
 */
export class Unsent {
  readonly #retryMs: number;
  /** Called for every failed attempt, for logs and metrics. */
  readonly #onFailure: (error: unknown) => void;
  readonly #most: number;
  readonly #steps = new Map<string, () => Promise<unknown>>();
  #sending: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(retryMs: number, onFailure: (error: unknown) => void, most: number = MOST_KEPT) {
    this.#retryMs = retryMs;
    this.#most = most;
    this.#onFailure = onFailure;
  }

  get size(): number {
    return this.#steps.size;
  }

  /** A second step of one name is left out: the first closes the id. */
  add(name: string, step: () => Promise<unknown>): void {
    if (this.#steps.has(name)) return;
    const [oldest] = this.#steps.keys();
    if (oldest !== undefined && this.#steps.size >= this.#most) {
      this.#steps.delete(oldest);
      this.#onFailure(new Error(`More than ${this.#most} settlements wait for the quota store: the oldest is given up.`));
    }
    this.#steps.set(name, step);
    this.#send();
  }

  /** Waits until all are sent or the attempt at one has failed; the number left. */
  async flush(): Promise<number> {
    this.#send();
    await this.#sending;
    return this.#steps.size;
  }

  #send(): void {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
    });
  }

  async #sendAll(): Promise<void> {
    clearTimeout(this.#timer);
    // Those added in the same turn go along.
    await Promise.resolve();
    while (this.#steps.size > 0) {
      const batch = [...this.#steps].slice(0, BATCH);
      const outcomes = await Promise.allSettled(batch.map(([, step]) => step()));
      let failed = false;
      for (const [place, outcome] of outcomes.entries()) {
        const [name, step] = batch[place]!;
        this.#steps.delete(name);
        if (outcome.status === 'fulfilled') continue;
        failed = true;
        this.#onFailure(outcome.reason);
        // To the end: one that fails for reasons of its own does not hold back the others.
        this.#steps.set(name, step);
      }
      if (failed) {
        this.#timer = setTimeout(() => this.#send(), this.#retryMs).unref();
        return;
      }
    }
  }
}
