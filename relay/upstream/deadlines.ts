import { type Placed, PlacedSet } from '../placed-set.ts';

/** Something that must happen when a moment has passed. `deadlineAt` may be moved at any time, at the cost of one assignment. */
export interface Deadline extends Placed {
  /** Milliseconds of the wheel's clock; `Number.POSITIVE_INFINITY` = never. */
  deadlineAt: number;
  /** Called once per passing; it moves `deadlineAt` or removes itself. Must not throw. */
  expire(nowMs: number): void;
}

/**
 * One timer for all timeouts of all requests. A timer each would cost more than translating a chunk; here a chunk moves a
 * number. Deadlines are met with a delay of up to one tick.
 */
export class DeadlineWheel {
  readonly #deadlines = new PlacedSet<Deadline>();
  readonly #clock: () => number;
  #timer: NodeJS.Timeout | null = null;
  /** Coarse clock: the time of the last tick, or of the last `add`. */
  nowMs: number;

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.nowMs = clock();
  }

  /**
   * Begins to tick. The timer alone does not keep the process alive. Each tick waits until the sockets have been read: after a stall of the
   * event loop the data of all that time lies there, and whoever sent it has not been silent.
   */
  start(tickMs = 100): void {
    this.#timer ??= setInterval(() => {
      this.now();
      setImmediate(() => {
        if (this.#timer !== null) this.tick();
      });
    }, tickMs).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  get size(): number {
    return this.#deadlines.size;
  }

  add(deadline: Deadline): void {
    this.#deadlines.add(deadline);
  }

  remove(deadline: Deadline): void {
    this.#deadlines.delete(deadline);
  }

  /** The exact time; moves the coarse clock along. */
  now(): number {
    this.nowMs = this.#clock();
    return this.nowMs;
  }

  tick(): void {
    const now = this.now();
    this.#deadlines.forEach((deadline) => {
      if (deadline.deadlineAt <= now) deadline.expire(now);
    });
  }
}
