import { NOWHERE, type Placed, PlacedSet } from '../placed-set.ts';

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

/** A call that has no answer yet. */
interface Waiting extends Placed {
  /** Ends of parts that it still waits for. */
  parts: number;
  readonly fail: (error: Error) => void;
}

/**
 * Keeps all calls but one from paying the wait for a store that is gone. Faults of the caller (RangeError) say nothing about it. One timer
 * counts the waits of all calls, which are thousands a second: none is given up before its time, and none later than a part after it.
 */
export class StoreBreaker {
  readonly #options: BreakerOptions;
  readonly #waiting = new PlacedSet<Waiting>();
  #state: 'closed' | 'open' = 'closed';
  #askAgainAt = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  /** Rejects with StoreGone; the call itself may still reach the store later. */
  run<T>(call: () => Promise<T>): Promise<T> {
    const { timeoutMs, pauseMs } = this.#options;
    if (this.#state === 'open') {
      const left = this.#askAgainAt - performance.now();
      if (left > 0) return Promise.reject(new StoreGone(Math.ceil(left)));
      this.#askAgainAt = performance.now() + timeoutMs + pauseMs;
    }
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        if (!this.#waiting.delete(waiting)) return;
        if (error instanceof RangeError) {
          reject(error);
          return;
        }
        this.#state = 'open';
        this.#askAgainAt = performance.now() + pauseMs;
        reject(new StoreGone(pauseMs, error));
      };
      // The part that is running when it begins does not count.
      const waiting: Waiting = { place: NOWHERE, parts: PARTS + 1, fail };
      this.#waiting.add(waiting);
      this.#timer ??= setInterval(() => this.#partEnded(), timeoutMs / PARTS).unref();
      const answered = (answer: T): void => {
        if (!this.#waiting.delete(waiting)) return;
        this.#state = 'closed';
        resolve(answer);
      };
      try {
        call().then(answered, fail);
      } catch (error) {
        fail(error);
      }
    });
  }

  #partEnded(): void {
    this.#waiting.forEach((waiting) => {
      if (--waiting.parts === 0) waiting.fail(new Error(`No answer within ${this.#options.timeoutMs} ms.`));
    });
    if (this.#waiting.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
