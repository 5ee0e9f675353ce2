import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Calls, Channel } from '../../../server/workers/channel.ts';

type Math = { double(value: number): Promise<number>; fail(value: string): Promise<null>; never(value: null): Promise<null> };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Two ends of one pipe; what goes through is JSON. */
function pair(theirs: Calls) {
  const near: Channel<Math> = new Channel((message) => far.receive(JSON.parse(JSON.stringify(message))), {});
  const far: Channel<Record<never, never>> = new Channel((message) => near.receive(JSON.parse(JSON.stringify(message))), theirs);
  return near;
}

const calls: Math = {
  double: async (value) => value * 2,
  fail: async (value) => {
    throw new Error(`no ${value}`);
  },
  never: () => new Promise(() => {}),
};

test('answers and faults come to whom they are for, in whatever order', async () => {
  const gates = new Map<number, (value: number) => void>();
  const near = pair({ double: (value: number) => new Promise((resolve) => gates.set(value, resolve)) });
  const [one, two] = [near.call('double', 1, 100), near.call('double', 2, 100)];
  gates.get(2)?.(4);
  gates.get(1)?.(2);
  expect(await Promise.all([one, two])).toEqual([2, 4]);
  await expect(pair(calls).call('fail', 'luck', 100)).rejects.toThrow('no luck');
  await expect(pair({}).call('double', 1, 100)).rejects.toThrow('there is no double here');
});

test('no answer in time', async () => {
  const call = expect(pair(calls).call('never', null, 250)).rejects.toThrow('no answer within 250 ms');
  await vi.advanceTimersByTimeAsync(250);
  await call;
  expect(vi.getTimerCount()).toBe(0);
});

test('whoever waits when the other side ends is told why, and so is whoever asks later', async () => {
  const near = pair(calls);
  const call = expect(near.call('never', null, 250)).rejects.toThrow('worker 1 ended: SIGKILL');
  near.close('worker 1 ended: SIGKILL');
  await call;
  await expect(near.call('double', 1, 250)).rejects.toThrow('worker 1 ended: SIGKILL');
  expect(vi.getTimerCount()).toBe(0);
});

test('a pipe that is closed is a fault of the call', async () => {
  const near = new Channel<Math>(() => {
    throw new Error('channel closed');
  }, {});
  await expect(near.call('double', 1, 250)).rejects.toThrow('channel closed');
});

test.each([[null], ['text'], [{ type: 'other' }], [{ estafet: 'answer', id: 99, value: 1 }]])('%j is left alone', (message) => {
  const near = pair(calls);
  expect(() => near.receive(message)).not.toThrow();
});
