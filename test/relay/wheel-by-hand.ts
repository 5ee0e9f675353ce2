import { DeadlineWheel } from '../../relay/upstream/deadlines.ts';

/** A wheel whose clock is turned by hand. */
export function wheelAt(start = 0) {
  const clock = { ms: start };
  const wheel = new DeadlineWheel(() => clock.ms);
  const at = (ms: number): void => {
    clock.ms = ms;
    wheel.tick();
  };
  return { wheel, clock, at };
}
