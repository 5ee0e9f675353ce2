import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Stopped } from '../../../server/workers/calls.ts';
import { type Fake, supervised, turn } from './supervised.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('all are forked at once; the first starts alone, then what comes between, then the others', async () => {
  const { how, workers, open, since, supervisor } = supervised(3);
  const order: string[] = [];
  how.start = async ({ number }) => {
    order.push(`${workers.length} forked, ${number} starts`);
    await turn();
    order.push(`${number} started`);
    return `http://${number}`;
  };
  expect(await open(async () => void order.push('between'))).toBe('http://1');
  expect(order.slice(0, 3)).toEqual(['3 forked, 1 starts', '1 started', 'between']);
  expect(order.slice(3, 5)).toEqual(['3 forked, 2 starts', '3 forked, 3 starts']);
  expect(since()).toEqual(['worker-serves 1', 'worker-serves 2', 'worker-serves 3']);
  expect(supervisor.serving.map(({ number }) => number)).toEqual([1, 2, 3]);
});

test.each([
  [1, ['kill'], ['kill'], ['kill']],
  [2, ['release'], ['kill'], ['release']],
])('when worker %i cannot start, nothing does, and those that could end what they have begun', async (which, ...wanted) => {
  const { how, workers, open, since } = supervised(3);
  how.start = async ({ number }) => {
    if (number === which) throw new Error('the port is taken');
    await turn(number);
    return '';
  };
  await expect(open()).rejects.toThrow('the port is taken');
  expect(workers.map(({ done }) => done)).toEqual(wanted);
  await turn(60_000);
  expect(workers).toHaveLength(3);
  expect(since().toSorted()).toEqual(['gone 1', 'gone 2', 'gone 3']);
});

test('when what comes after the first fails, it ends what it has begun, in so long at most', async () => {
  const { how, workers, open } = supervised(2);
  how.stop = () => new Promise(() => {});
  const ended = expect(
    open(async () => {
      throw new Error('the port of the metrics is taken');
    }),
  ).rejects.toThrow('the port of the metrics is taken');
  await turn(4_999);
  expect(workers.map(({ done }) => done)).toEqual([[], ['kill']]);
  await turn(1);
  await ended;
  expect(workers[0]?.done).toEqual(['kill']);
});

test('one that ends is replaced at once the first time, then later and later while lives are short', async () => {
  const { workers, open, since } = supervised(2);
  await open();
  since();
  const waits = [0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000];
  for (const wait of waits) {
    const last = workers.findLast(({ number }) => number === 1) as Fake;
    last.end('exit code 1');
    await turn();
    expect(since()).toEqual(expect.arrayContaining(['gone 1', `worker-ended 1 exit code 1, again in ${wait}`]));
    const { length } = workers;
    if (wait > 0) {
      await turn(wait - 1);
      expect(workers).toHaveLength(length);
      await turn(1);
    }
    expect(workers.length).toBe(wait > 0 ? length + 1 : length);
    since();
  }
  // One that has lived for long proves that it can be done.
  await turn(10_000);
  workers.at(-1)?.end('SIGKILL');
  await turn();
  expect(since()).toEqual(['gone 1', 'worker-ended 1 SIGKILL, again in 0', 'worker-serves 1']);
});

test('it gives up when none serves and the last five of each had short lives, not while one serves', async () => {
  const { workers, how, open, since, supervisor } = supervised(2);
  await open();
  await turn(20_000);
  how.start = async () => {
    throw new Error('the file is not an SQLite database');
  };
  let lost: string | null = null;
  void supervisor.lost.then((why) => {
    lost = why;
  });
  workers[0]?.end('SIGKILL');
  await turn(200_000);
  expect([lost, supervisor.serving.map(({ number }) => number)]).toEqual([null, [2]]);
  expect(since()).toContain('worker-not-started 1');
  workers[1]?.end('SIGKILL');
  await turn(200_000);
  expect(lost).toMatch(/^no worker is left: the last 10 ended soon after their start \(the file is not an SQLite database\)$/);
  const { length } = workers;
  await turn(200_000);
  expect(workers).toHaveLength(length);
});

test('one that asks for leave drains and is replaced; those that drain are among the running', async () => {
  const { workers, how, open, supervisor, since } = supervised(2);
  await open();
  since();
  const { promise, resolve } = Promise.withResolvers<Stopped>();
  how.stop = () => promise;
  const left = supervisor.leave(workers[0] as Fake, 1_000);
  await turn();
  expect([supervisor.serving.length, supervisor.running.length]).toEqual([1, 2]);
  resolve({ clean: true, metrics: [] });
  await left;
  await turn();
  expect(since()).toEqual(['gone 1', 'worker-ended 1 exit code 0, again in 0', 'worker-serves 1']);
  expect(supervisor.serving.length).toBe(2);
});

test('a start waits for a change of the configuration, and the other way round', async () => {
  const { workers, open, supervisor } = supervised(2);
  await open();
  let done: () => void = () => {};
  const change = supervisor.exclusive(() => new Promise<void>((resolve) => (done = resolve)));
  await turn();
  workers[0]?.end('SIGKILL');
  await turn(5_000);
  expect(workers).toHaveLength(2);
  done();
  await change;
  await turn();
  expect(workers).toHaveLength(3);
});
