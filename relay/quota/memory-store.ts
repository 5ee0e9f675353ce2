import { checkIds, checkLease, checkListening, checkReserve, checkSettlement } from './check-input.ts';
import type { Line } from './lines.ts';
import { type KeepLines, MemoryOwner } from './memory-owner.ts';
import { reserveBySteps } from './plan.ts';
import type { QuotaStore, ReserveRequest, Settled, Settlement, Snapshot, SpentReader, Verdict } from './store.ts';

export interface StoreOptions {
  /** Which lines are kept until `dropLines`: only those that something reads. */
  readonly keepLines: KeepLines;
  /** Null where no books are kept: a window without a bucket then begins unused. */
  readonly spent: SpentReader | null;
  /** For how long a closed id is remembered: the latest repetition or late settlement that still meets it. */
  readonly retainMs?: number;
}

export const RETAIN_MS = 15 * 60_000;
export const NO_USE = { requests: 0, tokens: 0, nanoCny: 0, nanoUsd: 0 } as const;

/** Limits of one process, gone with it (windows come back from the books). The same verdicts as Redis, to the integer. */
export class MemoryStore implements QuotaStore {
  readonly #owners = new Map<string, MemoryOwner>();
  readonly #options: StoreOptions;
  readonly #nowUs: () => number;

  constructor(options: StoreOptions, nowUs: () => number = processClockUs) {
    this.#options = options;
    this.#nowUs = nowUs;
  }

  inDoubt(): boolean {
    return false;
  }

  async reserve(request: ReserveRequest): Promise<Verdict> {
    checkReserve(request);
    const { id, owner, leaseMs, about } = request;
    const nowMs = Math.floor(this.#nowUs() / 1000);
    return reserveBySteps(request, this.#options.spent, nowMs, async (demands) =>
      this.#owner(owner).reserve(this.#nowUs(), id, leaseMs * 1000, about, demands),
    );
  }

  async settle(settlement: Settlement): Promise<Settled> {
    checkSettlement(settlement);
    return this.#owner(settlement.owner).settle(this.#nowUs(), settlement);
  }

  async release(owner: string, id: string): Promise<Settled> {
    checkIds(owner, [id]);
    return this.#owner(owner).settle(this.#nowUs(), { id, actual: NO_USE, reason: 'released', source: null, about: '' });
  }

  async renew(owner: string, ids: readonly string[], leaseMs: number): Promise<readonly string[]> {
    checkIds(owner, ids);
    checkLease(leaseMs);
    return this.#owner(owner).renew(this.#nowUs(), ids, leaseMs * 1000);
  }

  async sweep(owner: string): Promise<number> {
    checkIds(owner, []);
    const settled = this.#owner(owner).sweep(this.#nowUs());
    this.#owner(owner).prune(this.#nowUs());
    return settled;
  }

  async levels(owner: string): Promise<Snapshot> {
    checkIds(owner, []);
    return this.#owner(owner).snapshot(this.#nowUs());
  }

  async listen(owner: string, ms: number): Promise<Snapshot> {
    checkIds(owner, []);
    checkListening(ms);
    this.#owner(owner).listen(this.#nowUs(), ms * 1000);
    return this.levels(owner);
  }

  async lines(owner: string, count: number, after = '0'): Promise<readonly Line[]> {
    checkIds(owner, []);
    return this.#owner(owner)
      .lines.filter(({ line }) => Number(line) > Number(after))
      .slice(0, count);
  }

  async dropLines(owner: string, ids: readonly string[]): Promise<void> {
    checkIds(owner, []);
    this.#owner(owner).drop(this.#nowUs(), new Set(ids));
  }

  #owner(name: string): MemoryOwner {
    let state = this.#owners.get(name);
    if (state === undefined) {
      state = new MemoryOwner((this.#options.retainMs ?? RETAIN_MS) * 1000, this.#options.keepLines);
      this.#owners.set(name, state);
    }
    return state;
  }
}

/** Wall time at the start of the process, then the monotonic clock: a step of the machine's clock grants nothing and locks nothing. */
function processClockUs(): number {
  return Math.floor((performance.timeOrigin + performance.now()) * 1000);
}
