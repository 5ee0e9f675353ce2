import { RenewedMap } from '../renewed-map.ts';

/** Most steps sent together once the store is back. */
const BATCH = 256;
/** Some hundred bytes each. */
const MOST_KEPT = 100_000;

/** What nobody waits for is sent after this at the latest. */
const COMPANY_MS = 2;

/** Where one step has arrived, those that failed so long ago may, too. */
const SOON_MS = 250;

type Step = () => Promise<unknown>;

/**
 * Settlements and releases on their way to the store: sent at once or in company, kept while it is gone, and sent again until it has answered:
 * after a pause, or soon when another has arrived. Each is
 * idempotent by its id, so a lost answer costs nothing. Beyond a number that memory can hold the oldest are dropped: their leases end them,
 * at the reserved amounts.
 */
export class Unsent {
  readonly #retryMs: number;
  /** Called for every failed attempt, for logs and metrics. */
  readonly #onFailure: (error: unknown) => void;
  readonly #most: number;
  readonly #steps = new RenewedMap<string, Step>();
  /** Names of those whose last attempt has failed, the longest ago first. */
  readonly #failed = new Set<string>();
  /** Names of those that wait for company. */
  #held: string[] = [];
  #departure: NodeJS.Timeout | null = null;
  #sending = 0;
  #again: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  /** When the last attempt failed. */
  #failedAt = 0;
  /** Told when nothing is being sent. */
  #idle: (() => void)[] = [];

  constructor(retryMs: number, onFailure: (error: unknown) => void, most: number = MOST_KEPT) {
    this.#retryMs = retryMs;
    this.#most = most;
    this.#onFailure = onFailure;
  }

  get size(): number {
    return this.#steps.size;
  }

  /** A second step of one name is left out: the first closes the id. */
  add(name: string, step: Step): void {
    if (this.#isNew(name, step)) this.#send(name, step);
  }

  /** As `add`, for what nobody waits for: it leaves in one write with whatever is sent next (`depart`), or soon without company. */
  addInCompany(name: string, step: Step): void {
    if (!this.#isNew(name, step)) return;
    this.#held.push(name);
    this.#departure ??= setTimeout(() => this.depart(), COMPANY_MS).unref();
  }

  /** Sends what waits for company. */
  depart(): void {
    if (this.#departure === null) return;
    clearTimeout(this.#departure);
    this.#departure = null;
    const names = this.#held;
    this.#held = [];
    for (const name of names) {
      const step = this.#steps.get(name);
      // Unless it was given up meanwhile.
      if (step !== undefined) this.#send(name, step);
    }
  }

  /** Waits until each has been sent or its attempt has failed; the number left. */
  async flush(): Promise<number> {
    this.depart();
    await this.#sendAgain();
    if (this.#sending > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    return this.#steps.size;
  }

  #isNew(name: string, step: Step): boolean {
    if (this.#steps.has(name)) return false;
    if (this.#steps.size >= this.#most) this.#giveUpOldest();
    this.#steps.set(name, step);
    return true;
  }

  #send(name: string, step: Step, then?: () => void): void {
    this.#sending++;
    const ended = (): void => {
      this.#sending--;
      then?.();
      if (this.#sending === 0 && this.#idle.length > 0) for (const resolve of this.#idle.splice(0)) resolve();
    };
    step().then(
      () => {
        this.#steps.delete(name);
        ended();
        if (this.#failed.size > 0 && performance.now() - this.#failedAt >= SOON_MS) void this.#sendAgain();
      },
      (error: unknown) => {
        this.#onFailure(error);
        this.#failedAt = performance.now();
        // Unless it was given up meanwhile.
        if (this.#steps.has(name)) this.#failed.add(name);
        this.#timer ??= setTimeout(() => void this.#sendAgain(), this.#retryMs).unref();
        ended();
      },
    );
  }

  /** What has failed, in batches, until one fails again: each that does goes to the end, and does not hold back the others. */
  #sendAgain(): Promise<void> {
    this.#again ??= this.#sendBatches().finally(() => {
      this.#again = null;
    });
    return this.#again;
  }

  async #sendBatches(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#failed.size > 0 && this.#timer === undefined) {
      const names = [...this.#failed].slice(0, BATCH);
      const sent = names.map((name) => {
        this.#failed.delete(name);
        return new Promise<void>((resolve) => this.#send(name, this.#steps.get(name)!, resolve));
      });
      await Promise.all(sent);
    }
  }

  #giveUpOldest(): void {
    const [oldest] = this.#steps.keys();
    if (oldest === undefined) return;
    this.#steps.delete(oldest);
    this.#failed.delete(oldest);
    this.#onFailure(new Error(`More than ${this.#most} settlements wait for the quota store: the oldest is given up.`));
  }
}
