import { asOpenAIError, type OpenAIError } from '../../openai/errors.ts';
import type { Receipt } from '../../translators/receipt.ts';
import type { Ending, Settled } from '../records/record-of.ts';
import type { Attempt, Hedge } from '../records/request-record.ts';
import type { Full } from '../routing/backend-queues.ts';
import { soonest } from '../routing/retry-policy.ts';
import type { Place } from '../routing/route-table.ts';
import type { Answered, Barred, Failed } from './call.ts';

/** How the attempts at a request ended. */
export interface Tried<R> extends Pick<Ending, 'attempts' | 'hedge' | 'receipt' | 'gone'> {
  readonly result: R | null;
  /** Where there is a result: what its stream was ended with. Without one never null. */
  readonly error: OpenAIError | null;
  /** Whose result it is. */
  readonly place: Place | null;
}

/** Candidates asked one after the other, and those of them that had no room: empty unless nothing was sent to any. */
export interface Round<R> extends Tried<R> {
  readonly full: readonly Full[];
}

/** What has become of a request so far: its attempts in their order, and the failure that its caller will be told if nothing better comes. */
export class Course<R extends Settled> {
  readonly #attempts: Attempt[];
  readonly #before: number;
  #numbered: number;
  /** Of breakers and of limits: nothing was sent. */
  readonly #refusals: OpenAIError[] = [];
  readonly #full: Full[] = [];
  /** What became of a call beside a slow one; null where none was due. */
  hedge: Hedge | null = null;
  #receipt: Receipt | null = null;
  #failure: OpenAIError | null = null;

  /** @param before attempts of the request so far: all of them were refusals of full backends */
  constructor(before: readonly Attempt[]) {
    this.#attempts = [...before];
    this.#before = before.length;
    this.#numbered = before.length;
  }

  /** The number of the next attempt, from 0: no two have the same. */
  nextNumber(): number {
    return this.#numbered++;
  }

  barred({ failure, attempt }: Barred): void {
    this.#attempts.push(attempt);
    this.#refusals.push(failure);
    this.#failure ??= failure;
  }

  failed({ failure, attempt, receipt, full }: Failed): void {
    this.#attempts.push(attempt);
    this.#receipt = receipt;
    this.#failure = failure;
    if (full === null) return;
    this.#refusals.push(failure);
    this.#full.push(full);
  }

  /**
   * One of two calls: it was cancelled, or has failed while the other went on. The attempt that counts comes last.
   * @param counted the other one counts, and is there already
   */
  beside(attempt: Attempt, counted = false): void {
    this.#attempts.splice(this.#attempts.length - (counted ? 1 : 0), 0, attempt);
  }

  /** Nobody has answered, and this failure counts. */
  lastFailure({ failure, receipt }: Failed): void {
    this.#failure = failure;
    this.#receipt = receipt;
  }

  answered(place: Place, { result, attempt, receipt }: Answered<R>): Round<R> {
    this.#attempts.push(attempt);
    return { attempts: this.#attempts, hedge: this.hedge, receipt, result, error: result.error, place, gone: result.gone, full: [] };
  }

  /** Nobody has answered. */
  ended(gone: boolean): Round<R> {
    // Where all backends are at their limits, the first that is free again is worth waiting for.
    const busy = this.#refusals.length === this.#attempts.length - this.#before ? soonest(this.#refusals) : null;
    const error = busy ?? this.#failure ?? asOpenAIError(null);
    const full = busy === null ? [] : this.#full;
    return { attempts: this.#attempts, hedge: this.hedge, receipt: this.#receipt, result: null, error, place: null, gone, full };
  }
}
