import { describe, expect, test } from 'vitest';
import { NOWHERE } from '../../relay/placed-set.ts';
import { type Deadline, DeadlineWheel } from '../../relay/upstream/deadlines.ts';
import { wheelAt } from './wheel-by-hand.ts';

describe('the wheel', () => {
  test('a deadline passes once its time has come, and again if it moves on', () => {
    const { wheel, at } = wheelAt();
    const passed: number[] = [];
    const deadline: Deadline = {
      place: NOWHERE,
      deadlineAt: 100,
      expire(nowMs) {
        passed.push(nowMs);
        this.deadlineAt = nowMs + 50;
      },
    };
    wheel.add(deadline);
    for (const ms of [0, 99, 100, 120, 149, 150, 400]) at(ms);
    expect(passed).toEqual([100, 150, 400]);
    wheel.remove(deadline);
    at(1000);
    expect(passed).toHaveLength(3);
    expect(wheel.size).toBe(0);
  });

  test('infinity never passes; what is removed while others pass stays quiet', () => {
    const { wheel, at } = wheelAt();
    const passed: string[] = [];
    const second: Deadline = { place: NOWHERE, deadlineAt: 5, expire: () => passed.push('second') };
    const first: Deadline = {
      place: NOWHERE,
      deadlineAt: 5,
      expire: () => {
        passed.push('first');
        wheel.remove(first);
        wheel.remove(second);
      },
    };
    wheel.add({ place: NOWHERE, deadlineAt: Number.POSITIVE_INFINITY, expire: () => passed.push('never') });
    wheel.add(first);
    wheel.add(second);
    at(1e15);
    expect(passed).toEqual(['first']);
  });

  test('now moves the coarse clock', () => {
    const { wheel, clock } = wheelAt(7);
    clock.ms = 9;
    expect(wheel.nowMs).toBe(7);
    expect(wheel.now()).toBe(9);
    expect(wheel.nowMs).toBe(9);
  });

  test('it ticks by itself once started, and stops', async () => {
    const wheel = new DeadlineWheel();
    const passed = Promise.withResolvers<void>();
    wheel.add({ place: NOWHERE, deadlineAt: 0, expire: () => passed.resolve() });
    wheel.start(1);
    wheel.start(1);
    await passed.promise;
    wheel.stop();
    wheel.stop();
  });
});

/** A call whose connection is played by hand. */
