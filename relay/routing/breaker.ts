import { type ErrorName, OpenAIError } from '../../openai/errors.ts';

/**
 * What a backend is kept from being asked for. Each has its own reach: `failure` the whole backend, `overload` one model of it, `key` one
 * key, and the others one model by one key, since vendors limit, bill and open models by account.
 */
export type Cause = 'failure' | 'overload' | 'rate' | 'key' | 'credit' | 'model';

const CAUSES: Readonly<Partial<Record<ErrorName, Cause>>> = {
  upstream_timeout: 'failure',
  upstream_invalid_response: 'failure',
  upstream_truncated: 'failure',
  upstream_unreachable: 'failure',
  upstream_overloaded: 'overload',
  upstream_rate_limit_requests: 'rate',
  upstream_rate_limit_tokens: 'rate',
  upstream_auth: 'key',
  upstream_out_of_credit: 'credit',
  upstream_model_unavailable: 'model',
};

/** Null for an error that says nothing against the backend. */
export const causeOf = ({ kind }: OpenAIError): Cause | null => CAUSES[kind] ?? null;

/** What is refused of one call so is refused of all that go there with it: it is of the key, the account or the model. */
export const isForAll = (error: OpenAIError): boolean => ['key', 'credit', 'model'].includes(causeOf(error) ?? '');

/** Another key of the same backend may fare better. */
export const isOfKey = (cause: Cause | null): boolean => cause !== null && cause !== 'failure' && cause !== 'overload';

export interface BreakerSettings {
  readonly failures: number;
  readonly windowMs: number;
  readonly openMs: number;
}

/** A bad key, an empty account and a missing model do not mend themselves: one request each minute looks whether an admin has acted. */
const CHECK_MS = 60_000;
/** Limits and overload are given longer each time; a time that the vendor told is kept, */
const LONGEST_MS = { rate: 60_000, overload: 30_000 } as const;
/** but for so long at most: a gateway that tells days must not take a backend out for days, and asking again costs one refusal. */
const LONGEST_TOLD_MS = 600_000;
const UNTOLD_MS = 1_000;
const JITTER = 0.25;

/** Failures of one kind that followed each other. */
class Row {
  #count = 0;
  #firstAt = 0;

  get any(): boolean {
    return this.#count > 0;
  }

  /** @returns how many there are, of those within the window */
  add(nowMs: number, windowMs: number): number {
    if (this.#count === 0 || nowMs - this.#firstAt > windowMs) {
      this.#count = 0;
      this.#firstAt = nowMs;
    }
    return ++this.#count;
  }

  /** As if all of them were of now. */
  renew(nowMs: number): void {
    this.#firstAt = nowMs;
  }

  end(): void {
    this.#count = 0;
  }
}

/** One cause at one place: closed, open until a moment, from then on half-open until one probe has come back. */
export class Breaker {
  readonly cause: Cause;
  readonly #settings: BreakerSettings;
  /** Nothing of an answer had come: one that begins ends the row. */
  readonly #unanswered = new Row();
  /** Of answers that broke off: each of them had begun, so only a whole one ends the row. */
  readonly #broken = new Row();
  /** Without a success in between. */
  #openings = 0;
  /** Null while closed. */
  #untilMs: number | null = null;
  #openedAt = 0;
  #error: OpenAIError | null = null;
  /** What callers are told to wait for. */
  #toldUntilMs = 0;
  /** A call of this process is the probe. */
  probing = false;
  /** Another process probes: this one looks again then. */
  heldUntilMs = 0;

  constructor(cause: Cause, settings: BreakerSettings) {
    this.cause = cause;
    this.#settings = settings;
  }

  /** When it may be probed; null while it is closed. */
  get untilMs(): number | null {
    return this.#untilMs;
  }

  state(nowMs: number): 'closed' | 'open' | 'half-open' {
    if (this.#untilMs === null) return 'closed';
    return nowMs < this.#untilMs ? 'open' : 'half-open';
  }

  /** Nobody may ask now. */
  bars(nowMs: number): boolean {
    const state = this.state(nowMs);
    return state === 'open' || (state === 'half-open' && (this.probing || nowMs < this.heldUntilMs));
  }

  /**
   * True when it opens by this. One that was open before the call began learns nothing new.
   * @param broken the answer had begun
   */
  failed(error: OpenAIError, begunAt: number, nowMs: number, random: () => number, broken: boolean): boolean {
    if (this.#untilMs !== null && begunAt < this.#openedAt) return false;
    const { failures, windowMs } = this.#settings;
    const inARow = (broken ? this.#broken : this.#unanswered).add(nowMs, windowMs);
    this.#error = error;
    const most = this.cause === 'failure' || this.cause === 'overload' ? failures : 1;
    if (this.#untilMs === null && inARow < most) return false;
    this.#openings++;
    this.#toldUntilMs = nowMs + (error.details.retryAfterMs ?? 0);
    this.open(nowMs + this.#openMs(error, random), error, nowMs);
    return true;
  }

  open(untilMs: number, error: OpenAIError, nowMs: number): void {
    this.#untilMs = untilMs;
    this.#openedAt = nowMs;
    this.#error = error;
  }

  /** Does an answer to this call close it? A call that began before it opened proves nothing. */
  isDisproved(begunAt: number): boolean {
    return this.#untilMs === null || begunAt >= this.#openedAt;
  }

  /**
   * Closes, since an answer has begun. Where answers were broken off it remembers them, so that the same once more opens it again at once.
   * @returns true when there is nothing to remember
   */
  close(nowMs: number): boolean {
    this.#unanswered.end();
    if (this.#untilMs !== null) this.#broken.renew(nowMs);
    this.#untilMs = null;
    return !this.#broken.any;
  }

  /** The failure that stands, with what is left of the wait where a wait helps. */
  refusal(nowMs: number): OpenAIError {
    const error = this.#error as OpenAIError;
    const leftMs = Math.max(UNTOLD_MS, (this.#untilMs ?? nowMs) - nowMs, this.#toldUntilMs - nowMs);
    const retryAfterMs = error.retry === false ? undefined : Math.ceil(leftMs);
    return new OpenAIError(error.kind, error.message, { ...error.details, cause: undefined, retryAfterMs, fallback: true });
  }

  #openMs({ details: { retryAfterMs = UNTOLD_MS } }: OpenAIError, random: () => number): number {
    if (this.cause === 'failure') return this.#settings.openMs;
    if (this.cause !== 'rate' && this.cause !== 'overload') return CHECK_MS;
    const grown = Math.min(retryAfterMs * 2 ** Math.min(this.#openings - 1, 20), LONGEST_MS[this.cause]);
    return Math.min(Math.max(grown, retryAfterMs), LONGEST_TOLD_MS) * (1 + JITTER * random());
  }
}
