import { NOWHERE } from '../placed-set.ts';
import type { Deadline, DeadlineWheel } from '../upstream/deadlines.ts';

/**
 * Waits on the common wheel, up to a tick longer.
 * @param onGone registers what to do when the caller leaves
 * @returns false when the caller has left: then at once
 */
export function pause(ms: number, wheel: DeadlineWheel, onGone: (act: () => void) => void): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const end = (waited: boolean): void => {
    wheel.remove(deadline);
    resolve(waited);
  };
  const deadline: Deadline = { place: NOWHERE, deadlineAt: wheel.now() + ms, expire: () => end(true) };
  wheel.add(deadline);
  onGone(() => end(false));
  return promise;
}
