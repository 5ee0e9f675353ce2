import { randomBytes } from 'node:crypto';
import type { RequestTrace } from '../../../relay/request-trace.ts';
import { type TraceParent, traceParentHeader } from './trace-parent.ts';

export interface TraceInput {
  /** Of `POST` requests only: those that ask a model. */
  readonly route: string;
  readonly arrivedAtMs: number;
  /** The caller's span that this request is a part of. */
  readonly parent: TraceParent | null;
  /** As the caller sent it; of no meaning without a parent. */
  readonly state: string | undefined;
  /** The caller's span that a trace of its own only names. */
  readonly link: TraceParent | null;
  readonly decide: (trace: Trace) => boolean;
}

/** One request's place in a trace, from its arrival on: nothing but ids. */
export class Trace implements RequestTrace {
  readonly traceId: string;
  /** Of the span of the request. */
  readonly spanId: string;
  readonly input: TraceInput;
  /** The record or the error has been told: nothing more is to come. */
  ended = false;
  readonly #attempts: string[] = [];
  #sampled: boolean | null = null;

  constructor(input: TraceInput) {
    const ids = randomBytes(24).toString('hex');
    this.input = input;
    this.traceId = input.parent?.traceId ?? ids.slice(0, 32);
    this.spanId = ids.slice(32);
  }

  /** Decided once, as late as possible: who has no key is asked of nothing and counts for nothing. */
  get sampled(): boolean {
    this.#sampled ??= this.input.decide(this);
    return this.#sampled;
  }

  parentOf(attempt: number): string {
    return traceParentHeader({ traceId: this.traceId, spanId: this.attemptId(attempt), sampled: this.sampled });
  }

  /** The id of an attempt's span. */
  attemptId(attempt: number): string {
    this.#attempts[attempt] ??= randomBytes(8).toString('hex');
    return this.#attempts[attempt];
  }
}
