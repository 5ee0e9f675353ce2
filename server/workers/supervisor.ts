import type { Stopped, WorkerCalls } from './calls.ts';
import type { Channel } from './channel.ts';

/** A process that was forked to serve. */
export interface Worker {
  /** From 1, the same for those that come in its place. */
  readonly number: number;
  readonly pid: number;
  readonly channel: Channel<WorkerCalls>;
  /** Resolves when all it has written has arrived: it has closed its output, or ended. */
  readonly silent: Promise<void>;
  /** How it ended: `exit code 1`, or the name of a signal. All it has written has arrived then. */
  readonly ended: Promise<string>;
  /** At once. */
  kill(): void;
  /** Closes the channel: one that has stopped ends then. */
  release(): void;
}

/** What an operator must hear about the workers. */
export type WorkerEvent =
  | { readonly type: 'worker-serves'; readonly worker: number; readonly pid: number }
  | { readonly type: 'worker-ended'; readonly worker: number; readonly pid: number; readonly how: string; readonly againInMs: number }
  | { readonly type: 'worker-not-started'; readonly worker: number; readonly pid: number; readonly fault: string }
  /** It could not take the configuration that the others have. */
  | { readonly type: 'worker-behind'; readonly worker: number; readonly pid: number; readonly fault: string }
  | { readonly type: 'worker-stuck'; readonly worker: number; readonly pid: number; readonly fault: string };

export interface SupervisorOptions {
  readonly count: number;
  readonly fork: (number: number) => Worker;
  /** Gives it the configuration in force. @returns its address @throws Error with one line */
  readonly start: (worker: Worker) => Promise<string>;
  readonly report: (event: WorkerEvent) => void;
  /** Told of each that has ended, whatever the reason. */
  readonly onEnd: (worker: Worker) => void;
  /** Told of what a worker said last. */
  readonly onStopped: (worker: Worker, stopped: Stopped) => void;
  readonly now?: () => number;
}

/** A worker that lived for less has not proved that another will fare better. */
const SHORT_LIFE_MS = 10_000;
/** Before the second short life in a row is followed by another; doubled each time. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** From the last answer of a worker that has stopped to its end. */
const ITS_END_MS = 5_000;
/** So many short lives of each worker in a row, and none that serves: whoever watches this process shall know. */
const SHORT_LIVES = 5;

/**
 * Keeps so many workers. One that ends unasked is replaced, at once the first time and later and later while lives are short. It gives up
 * only when no worker serves any more.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #now: () => number;
  /** All that live, and what they do. */
  readonly #workers = new Map<Worker, 'starts' | 'serves' | 'drains'>();
  /** What came of those that drain; see `#stopped`. */
  readonly #outcomes = new Map<Worker, Promise<boolean | null>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #lost = Promise.withResolvers<string>();
  /** Starts and changes of the configuration take turns. */
  #turn: Promise<unknown> = Promise.resolve();
  #open = false;
  #stopping = false;
  /** The end that was begun; null before. */
  #end: Promise<boolean> | null = null;
  #shortLives = 0;
  /** Of those that could not start: why. */
  readonly #faults = new WeakMap<Worker, string>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get serving(): readonly Worker[] {
    return this.#that('serves');
  }

  /** Those that serve or end their last answers. */
  get running(): readonly Worker[] {
    return [...this.#that('serves'), ...this.#that('drains')];
  }

  /** Resolves with one line when it has given up. */
  get lost(): Promise<string> {
    return this.#lost.promise;
  }

  /**
   * Starts all or none. The first alone: what cannot be had, or must be brought up to date by one, turns out there. It accepts requests from
   * then on: if another cannot start, it has so long to end what it has begun.
   * @param between after the first, before the others
   * @returns the address @throws Error with one line
   */
  async open(between: () => Promise<void>, timeoutMs: number): Promise<string> {
    const { count, start } = this.#options;
    const [first, ...others] = Array.from({ length: count }, (_, index) => this.#forked(index + 1)) as [Worker, ...Worker[]];
    const started: Worker[] = [];
    const starting = async (worker: Worker): Promise<string> => {
      const url = await start(worker);
      started.push(worker);
      return url;
    };
    try {
      const url = await starting(first);
      await between();
      const starts = await Promise.allSettled(others.map(starting));
      for (const one of starts) if (one.status === 'rejected') throw one.reason;
      const gone = [first, ...others].find((worker) => !this.#workers.has(worker));
      if (gone !== undefined) throw new Error(`worker ${gone.number} ended as soon as it had started`);
      this.#open = true;
      for (const worker of started) this.#serves(worker);
      return url;
    } catch (error) {
      this.#stopping = true;
      for (const worker of this.#workers.keys()) if (!started.includes(worker)) worker.kill();
      await Promise.all(started.filter((worker) => this.#workers.has(worker)).map((worker) => this.#dismissed(worker, timeoutMs)));
      await this.#gone();
      throw error;
    }
  }

  /** With no start under way, and none that begins before it is done. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  /** A worker that drains and is replaced, as it wishes. */
  async leave(worker: Worker, timeoutMs: number): Promise<void> {
    if (this.#stopping || this.#workers.get(worker) !== 'serves') return;
    await this.#dismissed(worker, timeoutMs);
  }

  /**
   * Drains all of them. True when no answer was cut. Whoever calls it again hears of the same end. It waits for the last words of all: what is
   * left of those then has nothing to do, and ends with this process, whose own end it would hold up.
   * @throws Error when one did not end as it should
   */
  stop(timeoutMs: number): Promise<boolean> {
    return (this.#end ??= this.#stopAll(timeoutMs));
  }

  async #stopAll(timeoutMs: number): Promise<boolean> {
    this.#stopping = true;
    for (const timer of this.#timers) clearTimeout(timer);
    // One that starts has no answers to end.
    for (const worker of this.#that('starts')) worker.kill();
    for (const worker of this.serving) void this.#stopped(worker, timeoutMs);
    // With those that drain already, as they wished.
    const outcomes = await Promise.all(this.#outcomes.values());
    const failed = outcomes.filter((outcome) => outcome === null).length;
    if (failed > 0) throw new Error(`${failed} of ${outcomes.length} workers did not end as they should`);
    return outcomes.every((outcome) => outcome === true);
  }

  /** All of them, at once. */
  kill(): void {
    this.#stopping = true;
    for (const worker of this.#workers.keys()) worker.kill();
  }

  #that(does: 'starts' | 'serves' | 'drains'): Worker[] {
    return [...this.#workers].flatMap(([worker, state]) => (state === does ? [worker] : []));
  }

  #forked(number: number): Worker {
    const worker = this.#options.fork(number);
    const begunAt = this.#now();
    this.#workers.set(worker, 'starts');
    void worker.ended.then((how) => this.#ended(worker, how, this.#now() - begunAt));
    return worker;
  }

  #serves(worker: Worker): void {
    this.#workers.set(worker, 'serves');
    this.#options.report({ type: 'worker-serves', worker: worker.number, pid: worker.pid });
  }

  #ended(worker: Worker, how: string, livedMs: number): void {
    const { number, pid, channel } = worker;
    this.#workers.delete(worker);
    this.#outcomes.delete(worker);
    channel.close(`worker ${number} ended: ${how}`);
    this.#options.onEnd(worker);
    if (!this.#open || this.#stopping) return;
    this.#shortLives = livedMs < SHORT_LIFE_MS ? this.#shortLives + 1 : 0;
    if (this.serving.length === 0 && this.#shortLives >= SHORT_LIVES * this.#options.count) {
      this.#stopping = true;
      const why = this.#faults.get(worker) ?? how;
      this.#lost.resolve(`no worker is left: the last ${this.#shortLives} ended soon after their start (${why})`);
      return;
    }
    const againInMs = this.#pauseMs();
    this.#options.report({ type: 'worker-ended', worker: number, pid, how, againInMs });
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.#replace(number);
    }, againInMs);
    this.#timers.add(timer);
  }

  /** Of the first life that ends there is nothing to learn. */
  #pauseMs(): number {
    if (this.#shortLives <= 1) return 0;
    return Math.min(FIRST_PAUSE_MS * 2 ** (this.#shortLives - 2), LONGEST_PAUSE_MS);
  }

  async #replace(number: number): Promise<void> {
    await this.exclusive(async () => {
      if (this.#stopping) return;
      const worker = this.#forked(number);
      try {
        await this.#options.start(worker);
        if (this.#workers.has(worker) && !this.#stopping) this.#serves(worker);
      } catch (error) {
        const fault = error instanceof Error ? error.message : String(error);
        this.#faults.set(worker, fault);
        this.#options.report({ type: 'worker-not-started', worker: number, pid: worker.pid, fault });
        worker.kill();
        // Its end is what brings the next one.
      }
    });
  }

  /** Drained, and told to end while this process stays. */
  async #dismissed(worker: Worker, timeoutMs: number): Promise<void> {
    if ((await this.#stopped(worker, timeoutMs)) === null) return;
    worker.release();
    const timer = setTimeout(() => worker.kill(), ITS_END_MS);
    void worker.ended.then(() => clearTimeout(timer));
  }

  /** What its last word said: true when it has cut no answer; null when none came in time. All it has written has arrived then. */
  #stopped(worker: Worker, timeoutMs: number): Promise<boolean | null> {
    this.#workers.set(worker, 'drains');
    const outcome = this.#lastWord(worker, timeoutMs);
    this.#outcomes.set(worker, outcome);
    return outcome;
  }

  async #lastWord(worker: Worker, timeoutMs: number): Promise<boolean | null> {
    const { number, pid, channel, silent } = worker;
    // For one that answers and does not close its output.
    const timer = setTimeout(() => worker.kill(), timeoutMs + ITS_END_MS);
    try {
      const stopped = await channel.call('stop', null, timeoutMs);
      this.#options.onStopped(worker, stopped);
      await silent;
      return stopped.clean;
    } catch (error) {
      this.#options.report({ type: 'worker-stuck', worker: number, pid, fault: error instanceof Error ? error.message : String(error) });
      worker.kill();
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  async #gone(): Promise<void> {
    await Promise.all([...this.#workers.keys()].map(({ ended }) => ended));
  }
}
