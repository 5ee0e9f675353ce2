import { asOpenAIError, type OpenAIError } from '../../openai/errors.ts';
import type { Receipt } from '../../translators/receipt.ts';
import type { Ending, Settled } from '../records/record-of.ts';
import type { Attempt, Hedge } from '../records/request-record.ts';
import type { Full } from '../routing/backend-queues.ts';
import { soonest } from '../routing/retry-policy.ts';
import type { Candidate, Place } from '../routing/route-table.ts';
import type { Answered, Barred, Failed } from './call.ts';
import { tooLate } from './too-late.ts';

/** How the attempts at a request ended. */
export interface Tried<R> extends Pick<Ending, 'attempts' | 'hedge' | 'receipt' | 'gone'> {
  readonly result: R | null;
  /** Where there is a result: what its stream was ended with. Without one never null. */
  readonly error: OpenAIError | null;
  /** Whose result it is. */
  readonly place: Place | null;
}

/** Candidates asked one after the other. */
export interface Round<R> extends Tried<R> {
  /** Those of them that had no room, where nobody has answered and another answer may still come. */
  readonly full: readonly Full[];
  /** Nothing but refusals of breakers and limits: no call was made. */
  readonly idle: boolean;
}

/** The calls of one candidate that have failed so far. */
export interface Spent {
  /** Each counts as one of `retries`. */
  tries: number;
  /** Those that do not: after an answer that broke an emulated promise, and with other keys. */
  besides: number;
}

/** What has become of a request so far: its attempts in their order, and the failure that its caller will be told if nothing better comes. */
export class Course<R extends Settled> {
  readonly #attempts: Attempt[] = [];
  #numbered = 0;
  readonly #spent = new Map<Candidate, Spent>();
  /** Its last call has failed, and asking again would not help. */
  readonly #failed = new Set<Candidate>();
  /** What became of a call beside a slow one; null where none was due. */
  hedge: Hedge | null = null;
  #receipt: Receipt | null = null;
  #failure: OpenAIError | null = null;
  /** It came of a call that was sent: one that was not, later on, says less. */
  #happened = false;
  // Of the round under way, or of the latest.
  #before = 0;
  /** Of breakers and of limits: nothing was sent. */
  #refusals: OpenAIError[] = [];
  #full: Full[] = [];

  begin(): void {
    this.#before = this.#attempts.length;
    this.#refusals = [];
    this.#full = [];
  }

  /** The latest round has found no more room than the one before: nobody needs to know of it. */
  forget(): void {
    this.#attempts.length = this.#before;
  }

  /** The number of the next attempt, from 0. No two have the same: limits close an id for good, also where they may have refused it. */
  nextNumber(): number {
    return this.#numbered++;
  }

  spent(candidate: Candidate): Spent {
    let spent = this.#spent.get(candidate);
    if (spent === undefined) this.#spent.set(candidate, (spent = { tries: 0, besides: 0 }));
    return spent;
  }

  /** Nothing but a breaker or a limit has kept it from answering. */
  mayAnswer(candidate: Candidate): boolean {
    return !this.#failed.has(candidate);
  }

  barred({ failure, attempt }: Barred): void {
    this.#attempts.push(attempt);
    this.#refusals.push(failure);
    this.#failure ??= failure;
  }

  failed(candidate: Candidate, called: Failed): void {
    const { failure, attempt, full } = called;
    this.#attempts.push(attempt);
    this.lastFailure(called);
    if (full === null) {
      this.#failed.add(candidate);
      return;
    }
    this.#failed.delete(candidate);
    this.#refusals.push(failure);
    this.#full.push(full);
  }

  /**
   * One of two calls: it was cancelled, or has failed while the other went on. The attempt that counts comes last.
   * @param counted the other one counts, and is there already
   */
  beside(candidate: Candidate, attempt: Attempt, counted = false): void {
    this.#failed.add(candidate);
    this.#attempts.splice(this.#attempts.length - (counted ? 1 : 0), 0, attempt);
  }

  /** Nobody has answered, and this failure counts, unless nothing was sent and that of a call is known. */
  lastFailure({ failure, receipt, sent, full }: Failed): void {
    if (this.#happened && !sent) return;
    this.#failure = failure;
    this.#happened = sent;
    // What was translated, or could not be; of what limits and time have kept nothing became anything.
    if (sent || (full === null && failure.status < 500)) this.#receipt = receipt;
  }

  answered(place: Place, { result, attempt, receipt }: Answered<R>): Round<R> {
    this.#attempts.push(attempt);
    const sent = attempt.unsent !== true;
    return { ...this.#round(result.error), ...(sent ? { receipt } : {}), result, place, gone: result.gone };
  }

  /**
   * Nobody has answered.
   * @param final nobody may be asked any more: the deadline has passed, the caller has left, or a failure was the last word
   */
  ended(final: boolean, gone = false): Round<R> {
    const round = this.#round(null);
    // Where all backends are at their limits, the first that is free again is worth waiting for.
    const refusal = round.idle && !this.#happened ? soonest(this.#refusals) : final ? null : this.#worthier();
    return { ...round, error: refusal ?? this.#failure ?? (final ? tooLate() : asOpenAIError(null)), full: final ? [] : this.#full, gone };
  }

  /** For the record: so long it has waited since its last attempt. */
  waited(queuedMs: number): void {
    const last = this.#attempts.pop();
    if (last !== undefined) this.#attempts.push({ ...last, queuedMs });
  }

  /**
   * It has waited for room in vain.
   * @param error what has ended it; null: time, so that the caller is told what has failed, else when there may be room
   */
  gaveUp(error: OpenAIError | null, gone: boolean): Round<R> {
    const refusal = this.#happened ? this.#worthier() : soonest(this.#refusals);
    return { ...this.#round(error ?? refusal ?? this.#failure ?? asOpenAIError(null)), gone };
  }

  /** Where a failure says that asking again is in vain, it speaks for its own backend: another, which had no room, says when to come again. */
  #worthier(): OpenAIError | null {
    const refusal = soonest(this.#refusals);
    if (this.#failure === null || isWorthAsking(this.#failure)) return null;
    return refusal?.details.retryAfterMs !== undefined && refusal.retry !== false ? refusal : null;
  }

  #round(error: OpenAIError | null): Round<R> {
    const idle = this.#refusals.length === this.#attempts.length - this.#before;
    const attempts = this.#attempts.map((attempt, place) => (attempt.number === place ? withoutNumber(attempt) : attempt));
    const { hedge } = this;
    return { attempts, hedge, receipt: this.#receipt, result: null, error, place: null, gone: false, full: [], idle };
  }
}

/** As the SDKs see it. */
const isWorthAsking = ({ status, retry }: OpenAIError): boolean => retry !== false && (status >= 500 || status === 429);

function withoutNumber({ number: _, ...attempt }: Attempt): Attempt {
  return attempt;
}
