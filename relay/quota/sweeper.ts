import { LedgerFault } from '../ledger/ledger-store.ts';
import { type BookGuesses, bookExpired } from './expired-lines.ts';
import type { QuotaStore } from './store.ts';
import { StoreGone } from './store-breaker.ts';

export interface SweeperOptions {
  readonly stores: readonly QuotaStore[];
  /** Asked at each sweep: teams come and go. */
  readonly owners: () => readonly string[];
  readonly everyMs: number;
  /** Writes guessed lines into the books; the answer is the true ones that were there before. */
  readonly book: BookGuesses;
  readonly onFault: (fault: unknown) => void;
}

/**
 * Settles what is past its lease, books it, and forgets what no longer matters, for owners that nobody calls: a node that died leaves
 * slots and reservations behind, and its team may be silent from then on. Any number of nodes may do it at once.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  #timer: NodeJS.Timeout | null = null;
  #running = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.sweep(), this.#options.everyMs).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** One owner after the other, so that requests go in between. A store that is gone is left until the next time. */
  async sweep(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    const { stores, owners, onFault } = this.#options;
    for (const store of stores) {
      try {
        for (const owner of owners()) {
          await store.sweep(owner);
          await this.#book(store, owner);
        }
      } catch (error) {
        if (!(error instanceof StoreGone && error.cause === undefined)) onFault(error);
      }
    }
    this.#running = false;
  }

  /** Books that cannot be written keep no slot taken: the lines wait in the store. */
  async #book(store: QuotaStore, owner: string): Promise<void> {
    const { book, onFault } = this.#options;
    try {
      await bookExpired(store, owner, book, onFault);
    } catch (error) {
      if (!(error instanceof LedgerFault)) throw error;
      onFault(error);
    }
  }
}
