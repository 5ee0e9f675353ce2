import type { HedgeSettings } from '../../config/config.ts';
import type { Exchange } from '../exchange.ts';
import type { Settled } from '../records/record-of.ts';
import type { Decision } from '../routing/decision.ts';
import type { Waiting } from '../routing/waiting.ts';
import type { Surface, Terms } from '../surface.ts';

/** What all calls that a request makes have in common. */
export interface Asking<R extends Settled> {
  readonly exchange: Exchange;
  readonly line: Line;
  readonly surface: Surface<R>;
  /** By the clock of the wheel: later no call begins, and none waits longer for its first byte. */
  readonly endBy: number;
  /** Its place in the queues before full backends; null: it has none. */
  readonly waiting: Waiting | null;
  readonly strategy: Decision['strategy'];
  readonly hedge: HedgeSettings | null;
}

/** The caller's end of a call: the exchange itself, or one of two lanes that race for it. */
export interface Line extends Pick<Exchange, 'onChosen'>, Pick<Terms, 'onGone'> {
  /** To be told when there is something for the caller: nobody else's answer reaches it from then on. Absent where there is nobody else. */
  readonly won?: () => void;
  /** To be told when a call has failed and is in the record: until the next one is sent, there is nothing to wait for. Absent likewise. */
  readonly failed?: () => void;
  /** The other lane has won. */
  readonly outrun?: boolean;
}
