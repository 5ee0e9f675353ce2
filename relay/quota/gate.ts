import type { Price } from '../../catalog/price.ts';
import type { Caller } from '../keys/key-ring.ts';
import type { Cost } from '../ledger/cost.ts';
import { keyOf } from '../ledger/expired-entry.ts';
import type { Estimate } from '../records/request-record.ts';
import { type CallerLevels, callerLevels } from './caller-levels.ts';
import { CallerLimits } from './caller-limits.ts';
import { demandsOf, type Expected, estimated, expectedCost, moneyNano } from './demand.ts';
import type { GuardedQuota, HeldBy, Outcome as Reserved } from './guarded-quota.ts';
import { rateLimitHeaders } from './headers.ts';
import { MOST_AMOUNT, MOST_RATE } from './limits.ts';
import type { Reason, Source, Use } from './lines.ts';
import { quotaUnavailable, refusalError } from './refusal.ts';
import type { SpentReader } from './store.ts';
import { StoreGone } from './store-breaker.ts';

/** A reservation that a request holds; `null` for a caller without limits. */
export interface Ticket {
  readonly id: string;
  readonly owner: string;
  readonly estimate: Estimate;
  readonly heldBy: HeldBy;
  /** `x-ratelimit-*` for the answer. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A request, as far as its limits see it. */
export interface Asked {
  readonly model: string;
  /** @param outputReserve most tokens reserved for one output; null: as many as such outputs are known to have */
  readonly expected: (outputReserve: number | null) => Expected;
  /** What the books need if this process dies before the end; asked for only where another could write it. */
  readonly about?: (estimate: Estimate, cost: Cost | null) => string;
}

/** How a request ended, for its limits. */
export interface Outcome {
  /** Null when no backend was reached: everything comes back. */
  readonly used: { readonly expected: Expected; readonly cost: Cost | null; readonly source: Source } | null;
  readonly reason: Extract<Reason, 'done' | 'vendor_error' | 'client_gone' | 'refused_upstream'>;
}

export interface GateOptions {
  readonly leaseMs: number;
  /** Other processes have the same store: they book what this one had reserved if it dies. */
  readonly shared: boolean;
  /** What the books know of a window that the store does not have; absent where no books are kept. */
  readonly spent?: SpentReader;
  readonly onFault: (fault: unknown, waiting: number) => void;
  /** Told what the limits said, and how long that took, in ms. */
  readonly onReserved?: ((outcome: Reserved, ms: number) => void) | undefined;
}

/** Between attempts to hand over what waits, while the process ends. */
const CLOSE_RETRY_MS = 100;

/**
 * Between the request path and the limits: one question before a request, one answer after it, leases kept alive in between. What happens
 * while the store is gone is the team's `onStoreLoss`; whatever else keeps the limits from being checked admits nobody
 * (`quota_unavailable`). Settling is off the path.
 */
export class QuotaGate {
  readonly #quota: GuardedQuota;
  readonly #options: GateOptions;
  readonly #limits = new WeakMap<Caller['key'], CallerLimits>();
  #renewal: NodeJS.Timeout | null = null;

  constructor(quota: GuardedQuota, options: GateOptions) {
    this.#quota = quota;
    this.#options = options;
  }

  start(): void {
    this.#renewal ??= setInterval(() => void this.renew(), this.#options.leaseMs / 3).unref();
  }

  /** Hands over the settlements that wait, for so long at most. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#renewal !== null) clearInterval(this.#renewal);
    const until = performance.now() + timeoutMs;
    let waiting = await this.#quota.flush();
    while (waiting > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, CLOSE_RETRY_MS));
      waiting = await this.#quota.flush();
    }
    if (waiting > 0) this.#options.onFault(new Error('some settlements could not be made before the end'), waiting);
  }

  /** @throws OpenAIError 429 when a limit refuses, 503 when the limits cannot be checked */
  async admit(id: string, caller: Caller, request: Asked, price: Price | null): Promise<Ticket | null> {
    const own = this.#limitsOf(caller);
    const { limits, outputReserve } = own.holding(request.model);
    if (limits.length === 0) return null;
    const expected = request.expected(outputReserve);
    const cost = expectedCost(expected, price);
    const demands = demandsOf(limits, expected, cost);
    const { owner, onStoreLoss } = own;
    const estimate = estimated(expected, cost);
    const { leaseMs, shared, onFault, onReserved } = this.#options;
    const asked = { id, owner, demands, leaseMs, about: shared ? (request.about?.(estimate, cost) ?? '') : caller.key.name };
    const askedAt = performance.now();
    const outcome = await this.#quota.reserve(asked, onStoreLoss).catch((fault: unknown) => {
      onFault(fault, this.#quota.unsent);
      throw quotaUnavailable(fault);
    });
    onReserved?.(outcome, performance.now() - askedAt);
    if (outcome.ok) return { id, owner, estimate, heldBy: outcome.heldBy, headers: rateLimitHeaders(outcome.tightest) };
    if (outcome.kind === 'unavailable') throw quotaUnavailable(undefined, outcome.retryAfterMs);
    throw refusalError(outcome, request.model, (limit) => demands.find((demand) => demand.limit === limit)?.amount ?? 0);
  }

  /** What is left of a caller's limits, and what its own requests hold; nothing is reserved. @throws OpenAIError 503 when it cannot be read */
  async levels(caller: Caller): Promise<CallerLevels> {
    const { owner, all } = this.#limitsOf(caller);
    if (all.length === 0) return { limits: [], open: { requests: 0, tokens: null, costNano: {} } };
    const { shared, spent, onFault } = this.#options;
    try {
      const snapshot = await this.#quota.levels(owner);
      const own = snapshot.open.filter(({ about }) => (shared ? keyOf(about) : about) === caller.key.name);
      return await callerLevels(owner, all, snapshot, own, spent ?? null);
    } catch (fault) {
      if (!(fault instanceof StoreGone)) onFault(fault, this.#quota.unsent);
      else if (fault.cause !== undefined) onFault(fault.cause, this.#quota.unsent);
      throw quotaUnavailable(fault, fault instanceof StoreGone ? fault.retryAfterMs : undefined);
    }
  }

  settle({ id, owner }: Ticket, { used, reason }: Outcome, about: string): void {
    if (used === null) this.#quota.release(owner, id);
    else this.#quota.settle({ id, owner, actual: useOf(used.expected, used.cost), source: used.source, reason, about });
  }

  /** Extends the leases of everything that still runs, one call an owner. */
  renew(): Promise<void> {
    return this.#quota.renewAll(this.#options.leaseMs);
  }

  #limitsOf(caller: Caller): CallerLimits {
    let limits = this.#limits.get(caller.key);
    if (limits === undefined) {
      limits = new CallerLimits(caller);
      this.#limits.set(caller.key, limits);
    }
    return limits;
  }
}

/**
 * What was used, money in both currencies; a model without a price is booked as it was reserved. No count that a vendor tells is larger than
 * what the engine can count.
 */
export function useOf(expected: Expected, cost: Pick<Cost, 'amountNano' | 'currency'> | null): Use {
  const money = (currency: 'CNY' | 'USD'): number =>
    Math.min(cost === null ? moneyNano(currency, expected, null) : cost.currency === currency ? cost.amountNano : 0, MOST_AMOUNT);
  const tokens = Math.min(expected.prompt + expected.completion, MOST_RATE);
  return { requests: 1, tokens, nanoCny: money('CNY'), nanoUsd: money('USD') };
}
