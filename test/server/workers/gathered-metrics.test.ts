import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { GatheredMetrics, valuesOf } from '../../../server/workers/gathered-metrics.ts';
import { samplesOf, totalOf } from '../telemetry/exposition.ts';

function worker(name: string) {
  const registers = [new Registry()];
  const metrics = {
    requests: new Counter({ name: 'requests_total', help: 'x', labelNames: ['status'], registers }),
    seconds: new Histogram({ name: 'seconds', help: 'x', buckets: [1, 2], registers }),
    waiting: new Gauge({ name: 'waiting', help: 'x', registers }),
    down: new Gauge({ name: 'down', help: 'x', aggregator: 'max', registers }),
    start: new Gauge({ name: 'start', help: 'x', labelNames: ['worker'], aggregator: 'omit', registers }),
  };
  metrics.start.set({ worker: name }, 7);
  let answers = true;
  return {
    ...metrics,
    values: () => (answers ? valuesOf(registers[0] as Registry) : Promise.reject(new Error('busy'))),
    busy: () => void (answers = false),
  };
}
type Made = ReturnType<typeof worker>;

async function gathered(...workers: readonly Made[]) {
  const made = new GatheredMetrics<Made>(
    async () => [],
    (one) => one.values(),
  );
  await made.ask(workers);
  return { made, samples: async () => samplesOf(await made.text()) };
}

test('counts and histograms are added up, gauges as they say, and what is told apart by worker stays so', async () => {
  const [one, two] = [worker('1'), worker('2')];
  one.requests.inc({ status: '200' }, 3);
  two.requests.inc({ status: '200' }, 4);
  two.requests.inc({ status: '429' });
  one.seconds.observe(0.5);
  two.seconds.observe(1.5);
  one.waiting.set(2);
  two.waiting.set(5);
  one.down.set(1);
  const { samples } = await gathered(one, two);
  const all = await samples();
  expect(totalOf(all, 'requests_total', { status: '200' })).toBe(7);
  expect(totalOf(all, 'requests_total', { status: '429' })).toBe(1);
  expect([
    totalOf(all, 'seconds_bucket', { le: '1' }),
    totalOf(all, 'seconds_bucket', { le: '+Inf' }),
    totalOf(all, 'seconds_sum'),
  ]).toEqual([1, 2, 2]);
  expect([totalOf(all, 'waiting'), totalOf(all, 'down')]).toEqual([7, 1]);
  expect(all.filter(({ name }) => name === 'start').map(({ labels }) => labels['worker'])).toEqual(['1', '2']);
});

test('no sum falls: of one that has ended the counts stay and the gauges go, at once and for good', async () => {
  const [one, two, three] = [worker('1'), worker('2'), worker('2')];
  for (const { requests, waiting, seconds } of [one, two]) {
    requests.inc({ status: '200' }, 10);
    waiting.set(1);
    seconds.observe(3);
  }
  const { made, samples } = await gathered(one, two);
  made.ended(two);
  made.ended(worker('3'));
  const sums = (all: Awaited<ReturnType<typeof samples>>) =>
    ['requests_total', 'seconds_count', 'waiting'].map((name) => totalOf(all, name));
  // Asked in the same moment, and when what has ended has been added up.
  expect(sums(await samples())).toEqual([20, 2, 1]);
  expect(sums(await samples())).toEqual([20, 2, 1]);
  three.requests.inc({ status: '200' });
  await made.ask([one, three]);
  expect(sums(await samples())).toEqual([21, 2, 1]);
  made.ended(three);
  made.ended(one);
  expect(sums(await samples())).toEqual([21, 2, 0]);
});

test('one that does not answer is taken as it was the last time', async () => {
  const [one, two] = [worker('1'), worker('2')];
  one.requests.inc({ status: '200' }, 2);
  two.requests.inc({ status: '200' }, 3);
  const { made, samples } = await gathered(one, two);
  two.busy();
  one.requests.inc({ status: '200' });
  await made.ask([one, two]);
  expect(totalOf(await samples(), 'requests_total')).toBe(6);
});
