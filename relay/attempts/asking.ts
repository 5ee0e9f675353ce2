import type { Exchange } from '../exchange.ts';
import type { Settled } from '../records/record-of.ts';
import type { Waiting } from '../routing/backend-queues.ts';
import type { Surface } from '../surface.ts';

/** What all calls that a request makes have in common. */
export interface Asking<R extends Settled> {
  readonly exchange: Exchange;
  readonly surface: Surface<R>;
  /** By the clock of the wheel: later no call begins, and none waits longer for its first byte. */
  readonly endBy: number;
  /** Its place in the queues before full backends; null: it has none. */
  readonly waiting: Waiting | null;
}
