export interface OverloadOptions {
  /** Most requests at once. */
  readonly maxInFlight: () => number;
  /** Longest delay of the event loop, in ms; 0: any. */
  readonly maxLagMs: () => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

/** Between two looks at the event loop. */
const EVERY_MS = 100;

/**
 * Whether another request is one too many. Those that run are never touched: it is the next that is refused, before its body is read, so
 * that it costs next to nothing. One pause of the event loop is none of a request's fault, and is over when the request is seen: only two
 * late looks in a row, and not the last one in time, refuse.
 */
export class Overload {
  readonly #options: OverloadOptions;
  readonly #now: () => number;
  #running = 0;
  #lateLooks = 0;
  #dueAt = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: OverloadOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get running(): number {
    return this.#running;
  }

  start(): void {
    this.#dueAt = this.#now() + EVERY_MS;
    this.#timer ??= setInterval(() => this.look(), EVERY_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  look(): void {
    const now = this.#now();
    const most = this.#options.maxLagMs();
    this.#lateLooks = most > 0 && now - this.#dueAt > most ? this.#lateLooks + 1 : 0;
    this.#dueAt = now + EVERY_MS;
  }

  /** Takes a request in, if it is not one too many; whoever is taken in must `leave`. */
  enter(): boolean {
    if (this.#running >= this.#options.maxInFlight() || this.#lateLooks >= 2) return false;
    this.#running++;
    return true;
  }

  leave(): void {
    this.#running--;
  }
}
