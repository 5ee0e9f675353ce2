import type { Price } from '../../catalog/price.ts';
import type { ChatRequest } from '../../openai/chat/request.ts';
import type { Caller } from '../keys/key-ring.ts';
import type { Cost } from '../ledger/cost.ts';
import { type CallerLimits, callerLimits, demandsOf, type Expected, expectedUse, moneyNano } from './demand.ts';
import { rateLimitHeaders } from './headers.ts';
import type { Reason, Source, Use } from './lines.ts';
import { quotaUnavailable, refusalError } from './refusal.ts';
import { SettleQueue } from './settle-queue.ts';
import type { QuotaStore, Verdict } from './store.ts';

/** A reservation that a request holds; `null` for a caller without limits. */
export interface Ticket {
  readonly id: string;
  readonly owner: string;
  /** `x-ratelimit-*` for the answer. */
  readonly headers: Readonly<Record<string, string>>;
}

/** How a request ended, for its limits. */
export interface Outcome {
  /** Null when no backend was reached: everything comes back. */
  readonly used: { readonly expected: Expected; readonly cost: Cost | null; readonly source: Source } | null;
  readonly reason: Extract<Reason, 'done' | 'vendor_error' | 'client_gone' | 'refused_upstream'>;
}

export interface GateOptions {
  readonly leaseMs: number;
  /** A store slower than this counts as gone. */
  readonly timeoutMs: number;
  readonly onFault: (fault: unknown, waiting: number) => void;
}

/**
 * Between the request path and the store of limits: one question before a request, one answer after it, leases kept alive in between.
 * Fails closed: a store that cannot be asked admits nobody (`quota_unavailable`). Settling is off the path, and is tried again until it is done.
 */
export class QuotaGate {
  readonly #store: QuotaStore;
  readonly #options: GateOptions;
  readonly #limits = new WeakMap<Caller['key'], CallerLimits | 'none'>();
  /** Owner → ids of running requests. */
  readonly #open = new Map<string, Set<string>>();
  readonly #settling: SettleQueue;
  #renewal: NodeJS.Timeout | null = null;

  constructor(store: QuotaStore, options: GateOptions) {
    this.#store = store;
    this.#options = options;
    this.#settling = new SettleQueue(store, options.onFault);
  }

  start(): void {
    this.#renewal ??= setInterval(() => void this.renew(), this.#options.leaseMs / 3).unref();
  }

  /** Settles what waits, for so long at most. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#renewal !== null) clearInterval(this.#renewal);
    await this.#settling.close(timeoutMs);
  }

  /** @throws OpenAIError 429 when a limit refuses, 503 when the limits cannot be checked */
  async admit(id: string, caller: Caller, request: ChatRequest, price: Price | null): Promise<Ticket | null> {
    const limits = this.#limitsOf(caller);
    if (limits === 'none') return null;
    const demands = demandsOf(limits, expectedUse(request, limits.outputReserve), price);
    const { owner } = limits;
    let verdict: Verdict;
    try {
      verdict = await this.#timely(this.#store.reserve({ id, owner, demands, leaseMs: this.#options.leaseMs, about: caller.key.name }));
    } catch (error) {
      // It may still arrive: released now, a late reservation takes nothing.
      this.#settling.release(owner, id);
      throw quotaUnavailable(error);
    }
    if (!verdict.ok) throw refusalError(verdict, request.model, (limit) => demands.find((demand) => demand.limit === limit)?.amount ?? 0);
    let open = this.#open.get(owner);
    if (open === undefined) this.#open.set(owner, (open = new Set()));
    open.add(id);
    return { id, owner, headers: rateLimitHeaders(verdict.tightest) };
  }

  settle({ id, owner }: Ticket, { used, reason }: Outcome, about: string): void {
    const open = this.#open.get(owner);
    open?.delete(id);
    if (open?.size === 0) this.#open.delete(owner);
    if (used === null) this.#settling.release(owner, id);
    else this.#settling.settle({ id, owner, actual: useOf(used.expected, used.cost), source: used.source, reason, about });
  }

  /** Extends the leases of everything that still runs, one call an owner. */
  async renew(): Promise<void> {
    for (const [owner, ids] of this.#open) {
      try {
        await this.#timely(this.#store.renew(owner, [...ids], this.#options.leaseMs));
      } catch (error) {
        this.#options.onFault(error, ids.size);
      }
    }
  }

  #limitsOf(caller: Caller): CallerLimits | 'none' {
    let limits = this.#limits.get(caller.key);
    if (limits === undefined) {
      limits = callerLimits(caller) ?? 'none';
      this.#limits.set(caller.key, limits);
    }
    return limits;
  }

  #timely<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`the store of limits did not answer within ${this.#options.timeoutMs} ms`)),
        this.#options.timeoutMs,
      );
      answer.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}

/** What was used, money in both currencies; a model without a price is booked as it was reserved. */
function useOf(expected: Expected, cost: Cost | null): Use {
  const money = (currency: 'CNY' | 'USD'): number =>
    cost === null ? moneyNano(currency, expected, null) : cost.currency === currency ? cost.amountNano : 0;
  return { requests: 1, tokens: expected.prompt + expected.completion, nanoCny: money('CNY'), nanoUsd: money('USD') };
}
