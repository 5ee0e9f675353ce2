import type { Backend } from '../../config/config.ts';
import { OpenAIError } from '../../openai/errors.ts';
import { addressPrintOf } from '../upstream/backend-keys.ts';
import { learnedRefusal } from './refusal.ts';

/** One refusal is a burst, or another user of the account: so many of calls that began since the limit was last lowered, within this time, count. */
const REFUSALS = 2;
const WINDOW_MS = 60_000;

interface Known {
  readonly address: string;
  running: number;
  /** Calls at a time; null: nothing is learned. Raised in fractions, used rounded down. */
  most: number | null;
  /** Where it is forgotten again. */
  ceiling: number;
  loweredAt: number;
  refusals: number;
  firstRefusalAt: number;
}

/** One attempt under way; one of the two is called, once. */
export interface Slot {
  /** @param whole an answer came, and was waited for */
  ended(whole: boolean): void;
  failed(thrown: unknown): void;
}

/**
 * How many calls at a time a vendor account bears, learned from its refusals: halved when they repeat, raised by one for each round of
 * answers, until it is where the configuration has it. In this process only; never above the configured one, never below one call.
 */
export class LearnedLimits {
  readonly #now: () => number;
  readonly #onRoom: (backend: string) => void;
  readonly #known = new Map<string, Known>();

  /**
   * @param now milliseconds of a clock that only goes forward
   * @param onRoom told when a call has ended at a backend with a learned limit
   */
  constructor(now: () => number, onRoom: (backend: string) => void) {
    this.#now = now;
    this.#onRoom = onRoom;
  }

  /**
   * @param atOnce calls that the attempt makes at the same time; alone it may make more than are borne
   * @param model for messages
   * @throws OpenAIError `backend_limit_requests`
   */
  enter(backend: Backend, atOnce: number, model: string): Slot {
    // Without a queue those beyond would get a 429 that the vendor might not have given.
    if (backend.breaker === 'off' || backend.queue === undefined) return FREE;
    const known = this.#of(backend);
    if (known.most !== null && known.running > 0 && known.running + atOnce > Math.floor(known.most)) throw learnedRefusal(model);
    known.running += atOnce;
    const ran = known.running;
    const begunAt = this.#now();
    const leave = (): void => {
      known.running -= atOnce;
      if (known.most !== null) this.#onRoom(backend.name);
    };
    return {
      ended: (whole) => {
        if (whole && begunAt > known.loweredAt) raise(known);
        leave();
      },
      failed: (thrown) => {
        if (thrown instanceof OpenAIError && thrown.kind.startsWith('upstream_rate_limit_')) this.#refused(known, backend, ran, begunAt);
        leave();
      },
    };
  }

  /** Of backends for which something is learned. */
  *limits(): Generator<{ readonly backend: string; readonly most: number }> {
    for (const [backend, { most }] of this.#known) if (most !== null) yield { backend, most: Math.floor(most) };
  }

  /** Calls under way at each backend of which something may be learned. */
  *running(): Generator<{ readonly backend: string; readonly running: number }> {
    for (const [backend, { running }] of this.#known) yield { backend, running };
  }

  /** @param ran calls that ran when the refused one began, itself among them */
  #refused(known: Known, { concurrency }: Backend, ran: number, begunAt: number): void {
    // Of many that fail together the first ones lower it; the others say nothing about the new limit.
    if (begunAt <= known.loweredAt) return;
    const now = this.#now();
    if (known.refusals === 0 || now - known.firstRefusalAt > WINDOW_MS) {
      known.refusals = 0;
      known.firstRefusalAt = now;
    }
    known.refusals++;
    if (known.refusals < REFUSALS) return;
    const tooMany = Math.max(ran, known.running);
    if (known.most === null) known.ceiling = concurrency ?? 2 * tooMany;
    known.most = Math.max(1, Math.floor(Math.min(known.most ?? Number.POSITIVE_INFINITY, tooMany) / 2));
    known.refusals = 0;
    known.loweredAt = now;
  }

  /** A backend that has moved to another address is another account. */
  #of(backend: Backend): Known {
    const address = addressPrintOf(backend);
    let known = this.#known.get(backend.name);
    if (known?.address !== address) {
      known = { address, running: 0, most: null, ceiling: 0, loweredAt: Number.NEGATIVE_INFINITY, refusals: 0, firstRefusalAt: 0 };
      this.#known.set(backend.name, known);
    }
    return known;
  }
}

function raise(known: Known): void {
  if (known.most === null) return;
  known.most += 1 / known.most;
  if (known.most >= known.ceiling) known.most = null;
}

const FREE: Slot = { ended: () => undefined, failed: () => undefined };
