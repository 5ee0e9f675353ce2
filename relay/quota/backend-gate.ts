import type { Backend } from '../../config/config.ts';
import type { Usage } from '../../openai/chat/events.ts';
import { asOpenAIError } from '../../openai/errors.ts';
import { isUnsent, mayHaveReached, type Settled } from '../records/record-of.ts';
import { HEDGED } from '../records/request-record.ts';
import type { Expected } from './demand.ts';
import type { GuardedQuota } from './guarded-quota.ts';
import type { LearnedLimits } from './learned-limits.ts';
import { configuredLimits, type Demand, type Limit, MOST_RATE } from './limits.ts';
import type { Reason } from './lines.ts';
import { backendRefusal, backendsUnavailable } from './refusal.ts';

/** One attempt at one backend, as far as the backend's own limits see it. */
export interface AttemptAsked {
  /** The id under which the vendor gets it: no two attempts share one. */
  readonly id: string;
  readonly backend: Backend;
  /** The name that was asked for, for messages. */
  readonly model: string;
  /** Calls that the vendor will count. */
  readonly calls: number;
  /** How many of them run at the same time. */
  readonly atOnce: number;
  /** Asked only where a limit counts it. */
  readonly expected: () => Expected;
  /** Asked at its end: another call for the same caller was first. Absent where there is none. */
  readonly outrun?: () => boolean;
  /** Asked at its end: how many of its calls have left. Absent: all of them or none, as far as the end tells. */
  readonly sent?: () => number;
}

export interface BackendGateOptions {
  readonly learned: LearnedLimits;
  readonly leaseMs: number;
  readonly onFault: (fault: unknown, waiting: number) => void;
  /** A call has ended, and what it held is free. */
  readonly onRoom?: (backend: string) => void;
}

/**
 * The limits of the vendor's account, kept apart from those of teams: on another hash slot in Redis, so reserved second, for each attempt.
 * Both steps are idempotent and both reservations have leases: whatever breaks between them leaks nothing for good, and at worst less is
 * used for a moment than would be allowed. While the store is gone each process has its share.
 */
export class BackendGate {
  readonly #quota: GuardedQuota;
  readonly #options: BackendGateOptions;
  readonly #limits = new WeakMap<Backend, readonly Limit[]>();

  constructor(quota: GuardedQuota, options: BackendGateOptions) {
    this.#quota = quota;
    this.#options = options;
  }

  /** Empty for a backend without limits: nothing is asked then. */
  limitsOf(backend: Backend): readonly Limit[] {
    let limits = this.#limits.get(backend);
    if (limits === undefined) {
      limits = backendLimits(backend);
      this.#limits.set(backend, limits);
    }
    return limits;
  }

  /**
   * Sends an attempt once its backend's limits admit it, and settles what it used.
   * @param told what the vendor counted, filled when the attempt fails
   * @throws OpenAIError what `send` throws; `backend_limit_requests`, `backend_limit_tokens` or `quota_unavailable`: nothing was sent, and
   * another backend may be asked
   */
  async within<R extends Settled>(
    limits: readonly Limit[],
    asked: AttemptAsked,
    told: readonly Usage[],
    send: () => Promise<R>,
  ): Promise<R> {
    const slot = this.#options.learned.enter(asked.backend, asked.atOnce, asked.model);
    try {
      const result = await (limits.length === 0 ? send() : this.#reserved(limits, asked, told, send));
      slot.ended(result.error === null && !result.gone);
      return result;
    } catch (thrown) {
      slot.failed(thrown);
      throw thrown;
    }
  }

  async #reserved<R extends Settled>(
    limits: readonly Limit[],
    asked: AttemptAsked,
    told: readonly Usage[],
    send: () => Promise<R>,
  ): Promise<R> {
    await this.#reserve(limits, asked);
    try {
      const result = await send();
      this.#settle(asked, sentOf(asked, !isUnsent(result)), result.paid, asked.outrun?.() === true ? HEDGED : reasonOf(result));
      return result;
    } catch (thrown) {
      const error = asOpenAIError(thrown);
      const reached = told.length > 0 || mayHaveReached(error.kind, error.details.upstreamCode);
      this.#settle(asked, sentOf(asked, reached), told, error.status < 500 ? 'refused_upstream' : 'vendor_error');
      throw thrown;
    }
  }

  async #reserve(limits: readonly Limit[], { id, backend, model, calls, atOnce, expected }: AttemptAsked): Promise<void> {
    const { prompt, completion } = expected();
    const tokens = Math.min(prompt + completion, MOST_RATE);
    const amountOf = ({ measure }: Limit): number => (measure === 'tokens' ? tokens : measure === 'concurrency' ? atOnce : calls);
    const demands = limits.map((limit): Demand => ({ limit, amount: amountOf(limit) }));
    const request = { id, owner: ownerOf(backend), demands, leaseMs: this.#options.leaseMs, about: '' };
    const outcome = await this.#quota.reserve(request, 'local').catch((fault: unknown) => {
      this.#options.onFault(fault, this.#quota.unsent);
      throw backendsUnavailable(fault);
    });
    if (outcome.ok) return;
    throw outcome.kind === 'unavailable' ? backendsUnavailable(undefined, outcome.retryAfterMs) : backendRefusal(outcome, model);
  }

  #settle(
    { id, backend }: AttemptAsked,
    requests: number,
    usages: readonly Usage[],
    reason: Exclude<Reason, 'expired' | 'released'>,
  ): void {
    const owner = ownerOf(backend);
    const done = (): void => this.#options.onRoom?.(backend.name);
    if (requests === 0) {
      this.#quota.release(owner, id, done);
      return;
    }
    const tokens = usages.reduce((sum, { prompt, completion }) => sum + prompt + completion, 0);
    const actual = { requests, tokens: Math.min(tokens, MOST_RATE), nanoCny: 0, nanoUsd: 0 };
    const source = usages.some(({ estimated }) => estimated === true) ? 'estimated' : 'vendor';
    this.#quota.settle({ id, owner, actual, source, reason, about: '' }, done);
  }
}

/** The limits of the account, as the configuration has them. */
export function backendLimits({ name, rpm, rpd, tpm, tpd, concurrency }: Backend): Limit[] {
  return configuredLimits({ kind: 'backend', backend: name }, { rpm, rpd, tpm, tpd, concurrency }, 'UTC');
}

/** How many calls have left. @param reached as far as the end tells, where nobody has counted them */
const sentOf = ({ sent, calls }: AttemptAsked, reached: boolean): number => sent?.() ?? (reached ? calls : 0);

/** The owner of a backend's limits in the stores. */
export const ownerOf = ({ name }: Pick<Backend, 'name'>): string => `backend/${name}`;

const reasonOf = ({ gone, error }: Settled): 'client_gone' | 'done' | 'vendor_error' =>
  gone ? 'client_gone' : error === null ? 'done' : 'vendor_error';
