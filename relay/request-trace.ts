/**
 * A request's place in a trace, as far as the relay knows of traces. Spans are made elsewhere, from its record, once it has ended: a running
 * request makes none.
 */
export interface RequestTrace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /**
   * The header `traceparent` for the calls of one attempt: the span that it names is that attempt's.
   * @param attempt its number, from 0
   */
  parentOf(attempt: number): string;
}
