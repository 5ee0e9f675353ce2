import type { OpenAIError } from '../../openai/errors.ts';
import { NOWHERE } from '../placed-set.ts';
import type { Deadline, DeadlineWheel } from '../upstream/deadlines.ts';
import { helps } from './room-in-time.ts';

/** The queues, as those who wait in them need them. */
interface Queues {
  /** One of them is idle, so that what is free may be for it. */
  wake(backend: string): void;
  /** There was no room after all. @param error null: something else stood in the way */
  refused(backend: string, error: OpenAIError | null): void;
  /** It waits there no more. */
  remove(backend: string, waiting: Waiting): void;
}

/** One request that waits at one or more backends. Exactly one of `refused` and `leave` follows each `next` that names a backend. */
export class Waiting {
  readonly team: string;
  /** Where it waits, and until when. */
  readonly places = new Map<string, number>();
  readonly #queues: Queues;
  readonly #wheel: DeadlineWheel;
  #resolve: ((backend: string | null) => void) | null = null;
  #trying: string | null = null;

  constructor(queues: Queues, wheel: DeadlineWheel, team: string) {
    this.#queues = queues;
    this.#wheel = wheel;
    this.team = team;
  }

  /** It can be sent now. */
  get idle(): boolean {
    return this.#resolve !== null;
  }

  /** The backend that may have room for it; null when its time is over or it has left. */
  async next(): Promise<string | null> {
    this.#expire(this.#wheel.now());
    if (this.places.size === 0) return null;
    const { promise, resolve } = Promise.withResolvers<string | null>();
    this.#resolve = resolve;
    const deadline: Deadline = {
      place: NOWHERE,
      deadlineAt: Math.min(...this.places.values()),
      expire: (now) => {
        this.#expire(now);
        deadline.deadlineAt = Math.min(...this.places.values());
        if (this.places.size === 0) this.go(null);
      },
    };
    this.#wheel.add(deadline);
    for (const backend of [...this.places.keys()]) if (this.idle) this.#queues.wake(backend);
    try {
      return await promise;
    } finally {
      this.#wheel.remove(deadline);
    }
  }

  /** For the queues. */
  go(backend: string | null): void {
    this.#trying = backend;
    const resolve = this.#resolve;
    this.#resolve = null;
    resolve?.(backend);
  }

  /**
   * It waits there no more, where there will be no room in time.
   * @param error null: something else stood in the way
   */
  refused(error: OpenAIError | null): void {
    const backend = this.#trying;
    this.#trying = null;
    if (backend === null) return;
    this.#queues.refused(backend, error);
    const until = this.places.get(backend);
    if (error !== null && until !== undefined && !helps(error, until - this.#wheel.now())) this.#forgo(backend);
  }

  /** It is answered, or gives up. May be called again. */
  leave(): void {
    for (const backend of [...this.places.keys()]) this.#queues.remove(backend, this);
    this.places.clear();
    this.go(null);
  }

  #expire(now: number): void {
    for (const [backend, until] of this.places) {
      if (until <= now) this.#forgo(backend);
    }
  }

  #forgo(backend: string): void {
    this.places.delete(backend);
    this.#queues.remove(backend, this);
  }
}
