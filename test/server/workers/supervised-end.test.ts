import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Stopped } from '../../../server/workers/calls.ts';
import { type Fake, supervised, turn } from './supervised.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('stop: the last word of each is enough, once all it has written has arrived; its process may end when it will', async () => {
  const { workers, how, open, supervisor } = supervised(2);
  await open();
  how.talks = true;
  let stopped: boolean | null = null;
  void supervisor.stop(1_000).then((clean) => {
    stopped = clean;
  });
  await turn();
  workers[0]?.fallSilent();
  await turn();
  expect(stopped).toBeNull();
  workers[1]?.fallSilent();
  await turn();
  expect(stopped).toBe(true);
  expect(workers.map(({ done }) => done)).toEqual([[], []]);
  expect(supervisor.running).toHaveLength(2);
});

test('stop: those that drain already, as they wished, are waited for, and what they cut counts', async () => {
  const { workers, how, open, supervisor } = supervised(2);
  await open();
  const { promise, resolve } = Promise.withResolvers<Stopped>();
  how.stop = () => promise;
  const left = supervisor.leave(workers[0] as Fake, 1_000);
  await turn();
  how.stop = async () => ({ clean: true, metrics: [] });
  let stopped: boolean | null = null;
  void supervisor.stop(1_000).then((clean) => {
    stopped = clean;
  });
  await turn();
  expect(stopped).toBeNull();
  resolve({ clean: false, metrics: [] });
  await left;
  await turn();
  expect(stopped).toBe(false);
});

test('stop: one that has left before, as it wished, is no part of it', async () => {
  const { workers, how, open, supervisor } = supervised(2);
  await open();
  how.stop = async () => ({ clean: false, metrics: [] });
  await supervisor.leave(workers[0] as Fake, 1_000);
  await turn();
  how.stop = async () => ({ clean: true, metrics: [] });
  expect(await supervisor.stop(1_000)).toBe(true);
});

test('one that may go and does not is killed', async () => {
  const { workers, how, open, supervisor } = supervised(2);
  await open();
  how.stays = true;
  await supervisor.leave(workers[0] as Fake, 1_000);
  await turn(4_999);
  expect(workers[0]?.done).toEqual(['release']);
  await turn(1);
  expect(workers[0]?.done).toEqual(['release', 'kill']);
});

test('one that has said its last word and does not close its output is killed', async () => {
  const { workers, how, open, supervisor } = supervised(2);
  await open();
  how.talks = true;
  const stopped = supervisor.stop(1_000);
  workers[0]?.fallSilent();
  await turn(5_999);
  expect(workers.map(({ done }) => done)).toEqual([[], []]);
  await turn(1);
  await stopped;
  expect(workers.map(({ done }) => done)).toEqual([[], ['kill']]);
});

test('stop: those that serve drain, one that starts is killed, one that waits for its turn never comes', async () => {
  const { workers, how, open, supervisor } = supervised(3);
  await open();
  how.start = () => new Promise(() => {});
  workers[2]?.end('SIGKILL');
  await turn();
  expect(workers).toHaveLength(4);
  how.stop = async () => ({ clean: true, metrics: [] });
  const stopped = supervisor.stop(1_000);
  await turn();
  expect(await stopped).toBe(true);
  expect(workers.map(({ done }) => done)).toEqual([[], [], [], ['kill']]);
  await turn(60_000);
  expect(workers).toHaveLength(4);
});

test.each<[string, () => Promise<Stopped>, boolean]>([
  ['clean', async () => ({ clean: true, metrics: [] }), true],
  ['cut', async () => ({ clean: false, metrics: [] }), false],
])('stop: %s', async (_, stop, expected) => {
  const { how, open, supervisor } = supervised(2);
  await open();
  how.stop = stop;
  expect(await supervisor.stop(1_000)).toBe(expected);
});

test('stop: whoever asks again, before or after the end, hears of the same end, and nobody is told twice', async () => {
  const { supervisor, how, open } = supervised(2);
  await open();
  let told = 0;
  how.stop = async () => {
    told++;
    await turn(10);
    return { clean: false, metrics: [] };
  };
  expect(await Promise.all([supervisor.stop(1_000), supervisor.stop(1_000)])).toEqual([false, false]);
  expect(await supervisor.stop(1_000)).toBe(false);
  expect(told).toBe(2);
});

test('stop: one that does not answer is killed, and that is an error', async () => {
  const { workers, how, open, supervisor, since } = supervised(2);
  await open();
  since();
  how.stop = () => new Promise(() => {});
  const stopped = expect(supervisor.stop(1_000)).rejects.toThrow('2 of 2 workers did not end as they should');
  const again = expect(supervisor.stop(1_000)).rejects.toThrow('2 of 2 workers did not end as they should');
  await turn(1_000);
  await stopped;
  await again;
  expect(workers.map(({ done }) => done)).toEqual([['kill'], ['kill']]);
  expect(since().toSorted()).toEqual(['gone 1', 'gone 2', 'worker-stuck 1', 'worker-stuck 2']);
});
