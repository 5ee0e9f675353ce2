import type { OpenAIError } from '../../openai/errors.ts';
import type { InFlight } from '../in-flight.ts';
import type { Waiting } from './waiting.ts';

/** What ended a wait: room at a backend, time, the caller's leaving, or the end of the process. */
export type Woken =
  | { readonly kind: 'room'; readonly backend: string }
  | { readonly kind: 'over' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'cut'; readonly error: OpenAIError };

/** @param onGone registers what to do when the caller leaves */
export async function untilRoom(waiting: Waiting, onGone: (act: () => void) => void, inFlight: Pick<InFlight, 'cuttable'>): Promise<Woken> {
  let ended: Woken = { kind: 'over' };
  const end = (why: Woken): void => {
    ended = why;
    waiting.leave();
  };
  const room = waiting.next();
  // May act at once, where the caller has left already.
  onGone(() => end({ kind: 'gone' }));
  const backend = await inFlight.cuttable(
    (error) => end({ kind: 'cut', error }),
    () => room,
  );
  // Whoever left in the moment in which it was woken has left.
  return backend === null || ended.kind !== 'over' ? ended : { kind: 'room', backend };
}
