import { entryOfLine, type LedgerLine } from './ledger-entry.ts';
import { type LedgerEvent, LedgerFault, type LedgerStore } from './ledger-store.ts';

export interface QueueBounds {
  /** Most lines in memory. */
  readonly max: number;
  /** Most lines in one batch. */
  readonly batchRows: number;
  /** Longest wait of a line for its batch to fill. */
  readonly batchMs: number;
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;
/** A full queue is told at once, and then this often at most. */
const TELL_MS = 10_000;

/**
 * Lines on their way to the store: in batches, one at a time, in order. While the store fails, lines wait here up to the bound and are
 * tried again for as long as it takes; what does not fit is lost, and never in silence. The order of lines is kept.
 */
export class LedgerQueue {
  readonly #store: LedgerStore;
  readonly #bounds: QueueBounds;
  readonly #report: (event: LedgerEvent) => void;
  readonly #waiting: LedgerLine[] = [];
  #inFlight = 0;
  #started = false;
  #closing = false;
  #pumping = false;
  #timer: NodeJS.Timeout | null = null;
  #wake: (() => void) | null = null;
  #downSinceMs: number | null = null;
  #added = 0;
  #done = 0;
  #lost = 0;
  #untold = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #waiters: { readonly until: number; readonly resolve: () => void }[] = [];

  constructor(store: LedgerStore, bounds: QueueBounds, report: (event: LedgerEvent) => void) {
    this.#store = store;
    this.#bounds = bounds;
    this.#report = report;
  }

  /** Lines that are not in the store yet. */
  get waiting(): number {
    return this.#waiting.length + this.#inFlight;
  }

  /** Lines that will never be in the store. */
  get lost(): number {
    return this.#lost;
  }

  /** True while the store fails. */
  get down(): boolean {
    return this.#downSinceMs !== null;
  }

  /** The store is open: writing may begin. */
  start(): void {
    this.#started = true;
    if (this.#waiting.length > 0) this.#arm();
  }

  add(line: LedgerLine): void {
    if (this.waiting >= this.#bounds.max) {
      this.#lost++;
      this.#untold++;
      if (performance.now() - this.#toldAtMs >= TELL_MS) this.#tellDropped();
      return;
    }
    this.#waiting.push(line);
    this.#added++;
    if (!this.#started || this.#pumping) return;
    if (this.#waiting.length >= this.#bounds.batchRows) void this.#pump();
    else this.#arm();
  }

  /** Waits until the lines added so far are written, but no longer than told. */
  async written(timeoutMs: number): Promise<void> {
    if (this.#done >= this.#added || !this.#started) return;
    void this.#pump();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push({ until: this.#added, resolve });
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
  }

  /** Writes what still waits, trying until the time is over; then reports how many lines could not be. */
  async close(timeoutMs: number): Promise<void> {
    this.#closing = true;
    if (this.#started) {
      this.#wake?.();
      await this.written(timeoutMs);
    }
    this.#started = false;
    this.#disarm();
    this.#wake?.();
    if (this.#untold > 0) this.#tellDropped();
    const lost = this.waiting;
    if (lost === 0) return;
    this.#lost += lost;
    this.#report({ type: 'lines-unwritten', lost, lostInAll: this.#lost });
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => void this.#pump(), this.#bounds.batchMs).unref();
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #pump(): Promise<void> {
    this.#disarm();
    if (this.#pumping) return;
    this.#pumping = true;
    let retryMs = FIRST_RETRY_MS;
    for (let first = true; this.#started && this.#waiting.length > 0; first = false) {
      // A few lines that came meanwhile wait for more, unless someone waits for them.
      const urgent = first || this.#closing || this.#waiters.length > 0 || this.#downSinceMs !== null;
      if (!urgent && this.#waiting.length < this.#bounds.batchRows) break;
      const batch = this.#waiting.splice(0, this.#bounds.batchRows);
      this.#inFlight = batch.length;
      try {
        await this.write(batch);
        retryMs = FIRST_RETRY_MS;
        this.#up();
      } catch (error) {
        // What was written of it is known by its ids: all of it may come again.
        this.#waiting.unshift(...batch);
        this.#inFlight = 0;
        this.#downNow(error);
        await this.#pause(this.#closing ? FIRST_RETRY_MS : retryMs);
        retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS);
        continue;
      }
      this.#inFlight = 0;
      this.#done += batch.length;
      this.#waiters = this.#waiters.filter(({ until, resolve }) => this.#done < until || resolve());
    }
    this.#pumping = false;
    if (this.#started && this.#waiting.length > 0) this.#arm();
  }

  /**
   * Past the queue. A batch that the database refuses is halved until the lines at fault are alone; they are lost, the others are not.
   * How many were new. @throws LedgerFault when the store fails
   */
  async write(batch: readonly LedgerLine[]): Promise<number> {
    try {
      return await this.#store.write(batch);
    } catch (error) {
      if (!(error instanceof LedgerFault && error.permanent)) throw error;
      if (batch.length === 1) {
        this.#lost++;
        this.#report({ type: 'line-refused', entry: entryOfLine(batch[0] as LedgerLine), fault: error.message, lostInAll: this.#lost });
        return 0;
      }
      const half = batch.length >> 1;
      return (await this.write(batch.slice(0, half))) + (await this.write(batch.slice(half)));
    }
  }

  #downNow(error: unknown): void {
    if (this.#downSinceMs !== null) return;
    this.#downSinceMs = performance.now();
    this.#report({ type: 'store-down', fault: error instanceof Error ? error.message : String(error), waiting: this.waiting });
  }

  #up(): void {
    if (this.#downSinceMs === null) return;
    this.#report({ type: 'store-back', waiting: this.#waiting.length, downMs: Math.round(performance.now() - this.#downSinceMs) });
    this.#downSinceMs = null;
    if (this.#untold > 0) this.#tellDropped();
  }

  #tellDropped(): void {
    this.#report({ type: 'lines-dropped', lost: this.#untold, lostInAll: this.#lost });
    this.#untold = 0;
    this.#toldAtMs = performance.now();
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
    this.#wake = null;
  }
}
