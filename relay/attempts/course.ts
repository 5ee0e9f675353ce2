import { asOpenAIError, type OpenAIError } from '../../openai/errors.ts';
import type { Receipt } from '../../translators/receipt.ts';
import type { Ending, Settled } from '../records/record-of.ts';
import type { Attempt } from '../records/request-record.ts';
import type { Full } from '../routing/backend-queues.ts';
import { soonest } from '../routing/retry-policy.ts';
import type { Place } from '../routing/route-table.ts';
import type { Answered, Barred, Failed } from './call.ts';

/** How the attempts at a request ended. */
export interface Tried<R> extends Pick<Ending, 'attempts' | 'receipt' | 'gone'> {
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
  /** Of breakers and of limits: nothing was sent. */
  readonly #refusals: OpenAIError[] = [];
  readonly #full: Full[] = [];
  #receipt: Receipt | null = null;
  #failure: OpenAIError | null = null;

  /** @param before attempts of the request so far: all of them were refusals of full backends */
  constructor(before: readonly Attempt[]) {
    this.#attempts = [...before];
    this.#before = before.length;
  }

  /** The number of the next attempt, from 0. */
  get number(): number {
    return this.#attempts.length;
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

  answered(place: Place, { result, attempt, receipt }: Answered<R>): Round<R> {
    this.#attempts.push(attempt);
    return { attempts: this.#attempts, receipt, result, error: result.error, place, gone: result.gone, full: [] };
  }

  /** Nobody has answered. */
  ended(gone: boolean): Round<R> {
    // Where all backends are at their limits, the first that is free again is worth waiting for.
    const busy = this.#refusals.length === this.#attempts.length - this.#before ? soonest(this.#refusals) : null;
    const error = busy ?? this.#failure ?? asOpenAIError(null);
    const full = busy === null ? [] : this.#full;
    return { attempts: this.#attempts, receipt: this.#receipt, result: null, error, place: null, gone, full };
  }
}
