import type { LedgerEntry } from './ledger-entry.ts';
import { LedgerQueue } from './ledger-queue.ts';
import type { LedgerEvent, LedgerStore } from './ledger-store.ts';
import type { SpentQuery, SpentRow, UsageQuery, UsageRow } from './usage.ts';

export interface BooksOptions {
  readonly retentionDays: number;
  /** Most lines in memory. */
  readonly queueMax: number;
  readonly report: (event: LedgerEvent) => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const BATCH = { batchRows: 500, batchMs: 50 } as const;
const DAY_MS = 86_400_000;
/** A full hour that no line will lie in: of the year 5000. */
const AFTER_ALL_MS = 95_617_584_000_000;
const PRUNE_EVERY_MS = 3_600_000;
/** Few enough that a batch of new lines never waits long behind them. */
const PRUNE_ROWS = 2_000;
/** A reader sees its own last request, unless the store is slower than this. */
const READ_WAIT_MS = 250;

/**
 * What was used and what it cost. Adding a line costs a request nothing but memory: the store works off the path, and its failure is
 * no request's failure.
 */
export class Books {
  readonly #store: LedgerStore;
  readonly #queue: LedgerQueue;
  readonly #options: BooksOptions;
  readonly #now: () => number;
  #pruner: NodeJS.Timeout | null = null;
  #pruning: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(store: LedgerStore, options: BooksOptions) {
    this.#store = store;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#queue = new LedgerQueue(store, { max: options.queueMax, ...BATCH }, options.report);
  }

  /** @throws LedgerFault when the database cannot be used: nothing should be served then */
  async open(): Promise<void> {
    await this.#store.open();
    this.#queue.start();
    this.#pruner = setInterval(() => this.#prune(), PRUNE_EVERY_MS).unref();
    this.#prune();
  }

  /** @param record JSON of a `RequestRecord` */
  add(record: string): void {
    this.#queue.add(record);
  }

  /**
   * Lines guessed for dead nodes, which somebody else keeps until they are in: written at once. The answer is what those nodes had written
   * themselves before they died, which stands. @throws LedgerFault, and they may be handed over again
   */
  async book(guesses: readonly LedgerEntry[]): Promise<LedgerEntry[]> {
    const added = await this.#queue.write(guesses);
    return added === guesses.length ? [] : this.#store.truths(guesses.map(({ id }) => id));
  }

  /** @throws LedgerFault */
  async usage(query: UsageQuery): Promise<UsageRow[]> {
    await this.#queue.written(READ_WAIT_MS);
    return this.#store.usage(query);
  }

  /** Asks the database for next to nothing. @throws LedgerFault when it cannot answer */
  async ping(): Promise<void> {
    await this.#store.usage({ by: null, fromMs: AFTER_ALL_MS, toMs: null, team: null, key: null });
  }

  /** @throws LedgerFault */
  async spent(query: SpentQuery): Promise<SpentRow[]> {
    await this.#queue.written(READ_WAIT_MS);
    return this.#store.spent(query);
  }

  status(): { readonly waiting: number; readonly lost: number; readonly down: boolean } {
    const { waiting, lost, down } = this.#queue;
    return { waiting, lost, down };
  }

  /** Writes what still waits, for so long at most, and closes the store; one that does not answer is left after as long again. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#pruner !== null) clearInterval(this.#pruner);
    this.#closed = true;
    await this.#queue.close(timeoutMs);
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    await Promise.race([late, Promise.all([this.#store.close(), this.#pruning])]);
    clearTimeout(timer);
  }

  #prune(): void {
    this.#pruning = this.#pruning.then(async () => {
      try {
        const beforeMs = this.#now() - this.#options.retentionDays * DAY_MS;
        while (!this.#closed && (await this.#store.prune(beforeMs, PRUNE_ROWS)) === PRUNE_ROWS);
      } catch (error) {
        if (!this.#closed) this.#options.report({ type: 'prune-failed', fault: error instanceof Error ? error.message : String(error) });
      }
    });
  }
}
