/** The quota store cannot be asked now: it failed, it is too slow, or it did so a moment ago. */
export class StoreGone extends Error {
  override readonly name = 'StoreGone';
  /** When it is asked again. */
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number, cause?: unknown) {
    super('The quota store does not answer.', { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

export interface BreakerOptions {
  /** A store slower than this counts as gone. Time in which this process was too busy to read its answer is not the store's. */
  readonly timeoutMs: number;
  /** After a failure nobody asks for so long; then one call tries, and the others go on failing at once. */
  readonly pauseMs: number;
}

/** A wait is counted in so many parts, each of them a turn of the event loop in which the answer could have been read. */
const PARTS = 5;

/** Keeps all calls but one from paying the wait for a store that is gone. Faults of the caller (RangeError) say nothing about it. */
export class StoreBreaker {
  readonly #options: BreakerOptions;
  #state: 'closed' | 'open' = 'closed';
  #askAgainAt = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  /** @throws StoreGone; the call itself may still reach the store later. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    const { timeoutMs, pauseMs } = this.#options;
    if (this.#state === 'open') {
      const left = this.#askAgainAt - performance.now();
      if (left > 0) throw new StoreGone(Math.ceil(left));
      this.#askAgainAt = performance.now() + timeoutMs + pauseMs;
    }
    const { promise: late, reject } = Promise.withResolvers<never>();
    let parts = PARTS;
    const timer = setInterval(() => {
      if (--parts === 0) reject(new Error(`No answer within ${timeoutMs} ms.`));
    }, timeoutMs / PARTS);
    try {
      const answer = await Promise.race([call(), late]);
      this.#state = 'closed';
      return answer;
    } catch (error) {
      if (error instanceof RangeError) throw error;
      this.#state = 'open';
      this.#askAgainAt = performance.now() + pauseMs;
      throw new StoreGone(pauseMs, error);
    } finally {
      clearInterval(timer);
    }
  }
}
