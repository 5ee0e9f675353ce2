import type { QuotaStore, Settlement } from './store.ts';

type Step =
  | { readonly kind: 'settle'; readonly settlement: Settlement }
  | { readonly kind: 'release'; readonly owner: string; readonly id: string };

const RETRY_MS = 500;
/** Beyond it the oldest wait in vain: their leases end them, at the reserved amounts. */
const MOST_WAITING = 100_000;

/**
 * Settlements on their way to the store. The request does not wait for them; what fails is kept and tried again until the store is back,
 * and applied once, since the store knows the ids (R4, R11).
 */
export class SettleQueue {
  readonly #store: QuotaStore;
  readonly #onFault: (fault: unknown, waiting: number) => void;
  readonly #waiting: Step[] = [];
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | null = null;

  constructor(store: QuotaStore, onFault: (fault: unknown, waiting: number) => void) {
    this.#store = store;
    this.#onFault = onFault;
  }

  settle(settlement: Settlement): void {
    this.#run({ kind: 'settle', settlement });
  }

  release(owner: string, id: string): void {
    this.#run({ kind: 'release', owner, id });
  }

  /** Tries everything that waits, for so long at most. */
  async close(timeoutMs: number): Promise<void> {
    const until = Date.now() + timeoutMs;
    while ((this.#waiting.length > 0 || this.#running.size > 0) && Date.now() < until) {
      for (const step of this.#waiting.splice(0)) this.#run(step);
      await Promise.race([Promise.all(this.#running), new Promise((resolve) => setTimeout(resolve, 100))]);
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#waiting.length > 0) this.#onFault(new Error('some settlements could not be made before the end'), this.#waiting.length);
  }

  #run(step: Step): void {
    const task = this.#do(step).catch((error: unknown) => {
      if (this.#waiting.length >= MOST_WAITING) this.#waiting.shift();
      this.#waiting.push(step);
      this.#onFault(error, this.#waiting.length);
      this.#timer ??= setTimeout(() => this.#again(), RETRY_MS).unref();
    });
    this.#running.add(task);
    void task.finally(() => this.#running.delete(task));
  }

  #again(): void {
    this.#timer = null;
    for (const step of this.#waiting.splice(0)) this.#run(step);
  }

  async #do(step: Step): Promise<void> {
    if (step.kind === 'settle') await this.#store.settle(step.settlement);
    else await this.#store.release(step.owner, step.id);
  }
}
