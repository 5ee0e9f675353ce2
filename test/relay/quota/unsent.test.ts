import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { StoreBreaker, StoreGone } from '../../../relay/quota/store-breaker.ts';
import { Unsent } from '../../../relay/quota/unsent.ts';

test('whatever fails how often: each step succeeds once, none is lost, and none waits for another', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 3 }), { maxLength: 40 }), fc.infiniteStream(fc.boolean()), async (failures, company) => {
      const done: number[] = [];
      const faults: unknown[] = [];
      const unsent = new Unsent(60_000, (fault) => void faults.push(fault));
      failures.forEach((times, name) => {
        let left = times;
        unsent[company.next().value ? 'addInCompany' : 'add'](`${name}`, async () => {
          if (left-- > 0) throw new Error('down');
          done.push(name);
        });
      });
      let left: number;
      do {
        left = await unsent.flush();
        expect(left).toBe(failures.length - done.length);
      } while (left > 0);
      expect(done.toSorted((one, other) => one - other)).toEqual(failures.map((_, name) => name));
      expect(faults).toHaveLength(failures.reduce((sum, times) => sum + times, 0));
    }),
  );
});

test('what waits for company leaves with the next departure, else by itself, once', async () => {
  vi.useFakeTimers();
  try {
    const sent: string[] = [];
    const unsent = new Unsent(500, () => {});
    const step = (name: string) => async () => void sent.push(name);
    unsent.addInCompany('a', step('a'));
    unsent.addInCompany('b', step('b'));
    unsent.addInCompany('a', step('a again'));
    expect([sent, unsent.size]).toEqual([[], 2]);
    unsent.depart();
    expect(sent).toEqual(['a', 'b']);
    await vi.advanceTimersByTimeAsync(0);
    expect(unsent.size).toBe(0);
    unsent.addInCompany('c', step('c'));
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toEqual(['a', 'b']);
    await vi.advanceTimersByTimeAsync(1);
    expect([sent, unsent.size]).toEqual([['a', 'b', 'c'], 0]);
    unsent.addInCompany('d', step('d'));
    expect(await unsent.flush()).toBe(0);
    expect(sent).toEqual(['a', 'b', 'c', 'd']);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('beyond the bound the oldest that waits for company is given up, and not sent', async () => {
  const sent: string[] = [];
  const faults: unknown[] = [];
  const unsent = new Unsent(500, (fault) => void faults.push(fault), 2);
  for (const name of ['a', 'b', 'c']) unsent.addInCompany(name, async () => void sent.push(name));
  expect(await unsent.flush()).toBe(0);
  expect([sent, faults.length]).toEqual([['b', 'c'], 1]);
});

test('what failed is sent again by itself, after the pause', async () => {
  vi.useFakeTimers();
  try {
    let tries = 0;
    const unsent = new Unsent(500, () => {});
    unsent.add('a', async () => {
      if (++tries < 3) throw new Error('down');
    });
    await vi.advanceTimersByTimeAsync(499);
    expect([tries, unsent.size]).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(501);
    expect([tries, unsent.size]).toEqual([3, 0]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(tries).toBe(3);
  } finally {
    vi.useRealTimers();
  }
});

test('where another has arrived, what failed is sent again without the rest of the pause, and not more often', async () => {
  vi.useFakeTimers();
  try {
    let tries = 0;
    const unsent = new Unsent(60_000, () => {});
    unsent.add('a', async () => {
      tries++;
      throw new Error('down');
    });
    const arrives = async (name: string, afterMs: number) => {
      await vi.advanceTimersByTimeAsync(afterMs);
      unsent.add(name, async () => {});
      await vi.advanceTimersByTimeAsync(0);
      return tries;
    };
    expect(await arrives('b', 249)).toBe(1);
    expect(await arrives('c', 1)).toBe(2);
    expect(await arrives('d', 0)).toBe(2);
    expect(await arrives('e', 250)).toBe(3);
    expect(unsent.size).toBe(1);
  } finally {
    vi.useRealTimers();
  }
});

test('one that begins in the middle of the others’ wait gets its whole time, and no timer is left behind', async () => {
  vi.useFakeTimers();
  try {
    const breaker = new StoreBreaker({ timeoutMs: 1000, pauseMs: 100 });
    const silent = (): Promise<never> => new Promise(() => {});
    const ended: [string, number][] = [];
    const call = (name: string): void => {
      const beganAt = performance.now();
      breaker.run(silent).catch((error: unknown) => {
        expect(error).toBeInstanceOf(StoreGone);
        ended.push([name, performance.now() - beganAt]);
      });
    };
    call('first');
    await vi.advanceTimersByTimeAsync(150);
    call('second');
    await vi.advanceTimersByTimeAsync(3_000);
    expect(ended.map(([name]) => name)).toEqual(['first', 'second']);
    for (const [, waitedMs] of ended) expect(waitedMs).toBeGreaterThanOrEqual(1000);
    for (const [, waitedMs] of ended) expect(waitedMs).toBeLessThanOrEqual(1200);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
