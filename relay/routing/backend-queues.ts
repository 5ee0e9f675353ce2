import type { Backend } from '../../config/config.ts';
import type { OpenAIError } from '../../openai/errors.ts';
import { NOWHERE } from '../placed-set.ts';
import type { Deadline, DeadlineWheel } from '../upstream/deadlines.ts';
import { aheadMs, helps, isOfSlots } from './room-in-time.ts';
import { Waiting } from './waiting.ts';

/** A backend that had no room. */
export interface Full {
  readonly backend: Backend;
  readonly error: OpenAIError;
  /** `rooms()` of the backend before it was asked: what has become free since is not missed. */
  readonly rooms: number;
}

/** Slots and tokens may be given back by other processes, which tell nobody: so often it is looked. */
const LOOK_MS = { slots: 250, rates: 1_000 } as const;

/** Those who wait for one backend. One of them tries at a time, so that nobody overtakes. */
interface Queue {
  /** In the order of their turns; within a team first come, first served. */
  readonly teams: Map<string, Waiting[]>;
  length: number;
  /** The newest refusal: what newcomers get. */
  refusal: OpenAIError;
  refusedAt: number;
  /** There may be room. */
  roomy: boolean;
  /** Something has become free since the one who tries was sent. */
  freed: boolean;
  trying: Waiting | null;
  readonly look: Deadline;
}

/** Bounded queues before backends that are full, in this process. */
export class BackendQueues {
  readonly #wheel: DeadlineWheel;
  readonly #queues = new Map<string, Queue>();
  readonly #rooms = new Map<string, number>();

  constructor(wheel: DeadlineWheel) {
    this.#wheel = wheel;
  }

  /** How often something has become free there. */
  rooms(backend: string): number {
    return this.#rooms.get(backend) ?? 0;
  }

  /** Something has become free: a call has ended, or was given back. */
  room(backend: string): void {
    this.#rooms.set(backend, this.rooms(backend) + 1);
    const queue = this.#queues.get(backend);
    if (queue === undefined) return;
    queue.roomy = true;
    queue.freed = true;
    this.#wake(backend, queue);
  }

  /** The refusal for whoever comes while others wait, and whose turn it is not; null: it may ask. */
  standing({ name }: Backend, waiting: Waiting | null): OpenAIError | null {
    const queue = this.#queues.get(name);
    return queue === undefined || (waiting !== null && queue.trying === waiting) ? null : queue.refusal;
  }

  /**
   * Waits at each of them where it may be served in time, as far as can be known, and a place is free.
   * @param endBy by the clock of the wheel; the `waitMs` of a queue may be sooner
   * @returns null when there is no such queue
   */
  join(team: string, full: readonly Full[], endBy: number): Waiting | null {
    const now = this.#wheel.now();
    const waiting = new Waiting(this, this.#wheel, team);
    const joined: string[] = [];
    for (const { backend, error, rooms } of full) {
      const { queue: settings, name } = backend;
      if (settings === undefined || waiting.places.has(name)) continue;
      const known = this.#queues.get(name);
      const until = Math.min(endBy, now + settings.waitMs);
      if (until <= now || !helps(error, until - now - (known === undefined ? 0 : aheadMs(known, team, backend, error, now)))) continue;
      if ((known?.length ?? 0) >= settings.max) continue;
      const queue = this.#of(name, error);
      const line = queue.teams.get(team);
      if (line === undefined) queue.teams.set(team, [waiting]);
      else line.push(waiting);
      queue.length++;
      waiting.places.set(name, until);
      if (this.rooms(name) !== rooms) queue.roomy = true;
      joined.push(name);
    }
    return joined.length === 0 ? null : waiting;
  }

  *lengths(): Generator<{ readonly backend: string; readonly waiting: number }> {
    for (const [backend, { length }] of this.#queues) yield { backend, waiting: length };
  }

  /** For those who wait: one of them is idle, so that what is free may be for it. */
  wake(backend: string): void {
    const queue = this.#queues.get(backend);
    if (queue !== undefined) this.#wake(backend, queue);
  }

  /** For those who wait: there was no room after all. */
  refused(backend: string, error: OpenAIError | null): void {
    const queue = this.#queues.get(backend);
    if (queue === undefined) return;
    queue.trying = null;
    queue.roomy = queue.freed;
    if (error !== null) {
      queue.refusal = error;
      queue.refusedAt = this.#wheel.now();
    }
    this.#lookLater(queue);
  }

  /** For those who wait: it waits here no more. Who had its turn has had it. */
  remove(backend: string, waiting: Waiting): void {
    const queue = this.#queues.get(backend);
    const line = queue?.teams.get(waiting.team);
    const index = line?.indexOf(waiting) ?? -1;
    if (queue === undefined || line === undefined || index < 0) return;
    line.splice(index, 1);
    queue.length--;
    const had = queue.trying === waiting;
    if (had) queue.trying = null;
    if (had || line.length === 0) queue.teams.delete(waiting.team);
    if (had && line.length > 0) queue.teams.set(waiting.team, line);
    if (queue.length > 0) {
      this.#wake(backend, queue);
      return;
    }
    this.#wheel.remove(queue.look);
    this.#queues.delete(backend);
  }

  #wake(backend: string, queue: Queue): void {
    if (!queue.roomy || queue.trying !== null) return;
    for (const line of queue.teams.values()) {
      const next = line.find((waiting) => waiting.idle);
      if (next === undefined) continue;
      queue.trying = next;
      queue.freed = false;
      next.go(backend);
      return;
    }
  }

  #of(backend: string, refusal: OpenAIError): Queue {
    const known = this.#queues.get(backend);
    if (known !== undefined) return known;
    const look: Deadline = {
      place: NOWHERE,
      deadlineAt: 0,
      expire: () => {
        look.deadlineAt = Number.POSITIVE_INFINITY;
        queue.roomy = true;
        queue.freed = true;
        this.#wake(backend, queue);
      },
    };
    const queue: Queue = {
      teams: new Map(),
      length: 0,
      refusal,
      refusedAt: this.#wheel.now(),
      roomy: false,
      freed: false,
      trying: null,
      look,
    };
    this.#queues.set(backend, queue);
    this.#lookLater(queue);
    this.#wheel.add(look);
    return queue;
  }

  #lookLater({ look, refusal }: Queue): void {
    const most = isOfSlots(refusal) ? LOOK_MS.slots : LOOK_MS.rates;
    look.deadlineAt = this.#wheel.now() + Math.min(refusal.details.retryAfterMs ?? most, most);
  }
}
