import { RenewedMap } from '../renewed-map.ts';
import { checkIds, checkSettlement } from './check-input.ts';
import { sharedDemands } from './share.ts';
import type { Admission, QuotaStore, Refusal, ReserveRequest, Settlement, Snapshot, Verdict } from './store.ts';
import { StoreGone } from './store-breaker.ts';
import { Unsent } from './unsent.ts';

/**
 * What happens to a team's requests while the store is gone.
 *
 * - `refuse`: none is admitted.
 * - `local`: this node enforces its share of each limit, counted anew from the first loss; a limit that leaves it less than one admits none.
 *   All nodes together admit at most the limit, and one share more for each node that is not among the known ones.
 * - `admit`: all are admitted; no bound while it lasts, but every use reaches the lines when the store is back.
 */
export type OnStoreLoss = 'refuse' | 'local' | 'admit';

/** `unavailable`: the store is gone and the policy admits nothing. */
export type Outcome = (Admission & { readonly heldBy: HeldBy }) | Refusal | Unavailable;

/** What holds a reservation: the store, this process alone (`local`), or nobody (`admit`). */
export type HeldBy = 'store' | 'local' | 'nobody';

export interface Unavailable {
  readonly ok: false;
  readonly kind: 'unavailable';
  readonly retryAfterMs: number;
}

export interface GuardOptions {
  /** Throws StoreGone when it is gone: it has a breaker of its own. */
  readonly store: QuotaStore;
  /** For `local`: keeps no lines, the store's are the only ones. */
  readonly local: QuotaStore;
  /** How many nodes share the store, this one among them. */
  readonly nodes: () => number;
  /** Between attempts to send what the store has not got. */
  readonly retryMs: number;
  readonly onFailure: (error: unknown) => void;
}

interface Open {
  readonly id: string;
  readonly owner: string;
  readonly heldBy: HeldBy;
  readonly roomy: boolean;
}

/**
 * One node's way to the quota store: never waits longer than the breaker allows, keeps settlements until they have arrived, and renews what
 * it has open. Running calls never depend on the store.
 */
export class GuardedQuota {
  readonly #options: GuardOptions;
  readonly #unsent: Unsent;
  /** By owner and id: an attempt's id may be its request's, under another owner. */
  readonly #open = new RenewedMap<string, Open>();
  /** Owners whose slots were short when they were last asked for: what is free there may be waited for, whoever took it. */
  readonly #crowded = new Set<string>();

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#unsent = new Unsent(options.retryMs, options.onFailure);
  }

  /** Steps the store has not confirmed, for metrics. */
  get unsent(): number {
    return this.#unsent.size;
  }

  /** Reservations that this node holds. */
  get open(): number {
    return this.#open.size;
  }

  async reserve(request: ReserveRequest, onStoreLoss: OnStoreLoss): Promise<Outcome> {
    this.#depart(request.owner);
    try {
      // Checked there.
      const verdict = await this.#options.store.reserve(request);
      return this.#opened(request, 'store', verdict);
    } catch (error) {
      if (error instanceof RangeError) throw error;
      const silent = error instanceof StoreGone && error.cause === undefined;
      if (!silent) this.#options.onFailure(error);
      const outcome = error instanceof StoreGone ? await this.#withoutStore(request, error, onStoreLoss) : this.#unavailable();
      // The store may carry out what was sent after all: a refused request must cost nothing in the end.
      if (!outcome.ok && !silent) this.#sendRelease(request.owner, request.id);
      return outcome;
    }
  }

  /**
   * Returns at once; it is sent until the store has it: now, or where nobody waits for its slots, with what is sent next.
   * @param done called when what was held is free: once by what holds it, and once more when the store has it after all
   * @throws RangeError for numbers that are none
   */
  settle(settlement: Settlement, done?: () => void): void {
    checkSettlement(settlement);
    const { id, owner } = settlement;
    const { store, local, onFailure } = this.#options;
    const open = this.#take(owner, id);
    if (open?.heldBy === 'local') local.settle(settlement).then(done, onFailure);
    const settled = () => store.settle(settlement).then(done);
    // One round trip less a request, where others follow.
    if (open?.roomy === true && !this.#crowded.has(owner)) this.#unsent.addInCompany(`${owner} ${id}`, settled);
    else this.#unsent.add(`${owner} ${id}`, settled);
  }

  /** As `settle`, with no use. */
  release(owner: string, id: string, done?: () => void): void {
    checkIds(owner, [id]);
    const { local, onFailure } = this.#options;
    if (this.#take(owner, id)?.heldBy === 'local') local.release(owner, id).then(done, onFailure);
    this.#sendRelease(owner, id, done);
  }

  /** Extends every lease of this node, one call for each owner. Call it several times per lease. */
  async renewAll(leaseMs: number): Promise<void> {
    const { store, local, onFailure } = this.#options;
    const renewals: Promise<unknown>[] = [];
    for (const [owner, ids] of this.#idsBy('store')) renewals.push(store.renew(owner, ids, leaseMs).catch(onFailure));
    for (const [owner, ids] of this.#idsBy('local')) renewals.push(local.renew(owner, ids, leaseMs));
    await Promise.all(renewals);
  }

  /** What the store has of an owner. @throws what the store throws, StoreGone when it is gone */
  levels(owner: string): Promise<Snapshot> {
    checkIds(owner, []);
    this.#depart(owner);
    return this.#options.store.levels(owner);
  }

  /** At the end of the process: the number of steps the store has not got. */
  flush(): Promise<number> {
    return this.#unsent.flush();
  }

  async #withoutStore(request: ReserveRequest, { retryAfterMs }: StoreGone, onStoreLoss: OnStoreLoss): Promise<Outcome> {
    if (onStoreLoss === 'refuse') return this.#unavailable(retryAfterMs);
    if (onStoreLoss === 'admit')
      return this.#opened(request, 'nobody', { ok: true, tightest: { requests: null, tokens: null }, roomy: false });
    const demands = sharedDemands(request.demands, this.#options.nodes());
    if (demands === null) return this.#unavailable(retryAfterMs);
    return this.#opened(request, 'local', await this.#options.local.reserve({ ...request, demands }));
  }

  /** Also when the books cannot say what was used of a window: nobody is admitted before they have, whatever the policy. */
  #unavailable(retryAfterMs: number = this.#options.retryMs): Unavailable {
    return { ok: false, kind: 'unavailable', retryAfterMs };
  }

  #opened({ id, owner }: ReserveRequest, heldBy: HeldBy, verdict: Verdict): Outcome {
    if (verdict.ok && verdict.roomy) this.#crowded.delete(owner);
    else if (verdict.ok || (verdict.kind === 'wait' && verdict.limit.law.kind === 'slots')) this.#crowded.add(owner);
    if (!verdict.ok) return verdict;
    this.#open.set(`${owner} ${id}`, { id, owner, heldBy, roomy: verdict.roomy });
    return { ...verdict, heldBy };
  }

  /**
   * What waits for company goes before what somebody waits for. Not while the store is in doubt: of one that was gone one call finds out
   * whether it is back, and the others fail. The settlement can wait, the caller cannot.
   */
  #depart(owner: string): void {
    if (!this.#options.store.inDoubt(owner)) this.#unsent.depart();
  }

  #take(owner: string, id: string): Open | undefined {
    const name = `${owner} ${id}`;
    const open = this.#open.get(name);
    this.#open.delete(name);
    return open;
  }

  #sendRelease(owner: string, id: string, done?: () => void): void {
    this.#unsent.add(`${owner} ${id}`, () => this.#options.store.release(owner, id).then(done));
  }

  #idsBy(holder: HeldBy): Map<string, string[]> {
    const owners = new Map<string, string[]>();
    for (const { id, owner, heldBy } of this.#open.values()) {
      if (heldBy !== holder) continue;
      const ids = owners.get(owner);
      if (ids === undefined) owners.set(owner, [id]);
      else ids.push(id);
    }
    return owners;
  }
}
