import { expect, test } from 'vitest';
import { Latencies } from '../../../relay/routing/latencies.ts';

test('what was learned goes on at the places that stay, calls under way counted in', () => {
  let now = 0;
  const before = new Latencies(['a/m', 'b/m', 'c/m'], () => now);
  for (const [place, ms] of [
    ['a/m', 100],
    ['b/m', 300],
    ['c/m', 700],
  ] as const)
    before.begin(place, true).ended(ms);
  const running = before.begin('a/m', true);
  const next = new Latencies(['a/m', 'b/m', 'new/m'], () => now);
  next.learnFrom(before, (place) => place !== 'b/m');
  // `b` has moved, `c` is gone: as fast as the fastest, as who was never asked.
  expect(next.expected(['a/m', 'b/m', 'c/m', 'new/m'], true)).toEqual([200, 100, 100, 100]);
  expect(next.expected(['a/m'], false)).toEqual([null]);
  running.ended(null);
  expect(next.expected(['a/m'], true)).toEqual([100]);
  now = 30_000;
  expect(next.expected(['a/m'], true)[0]).toBeCloseTo(100 / Math.E);
});

test('a call that was given up for another one took that long at least: a silent place does not look as quick as it was', () => {
  const latencies = new Latencies(['a/m'], () => 0);
  latencies.begin('a/m', true).ended(100);
  latencies.begin('a/m', true).outrun(50);
  expect(latencies.expected(['a/m'], true)).toEqual([100]);
  latencies.begin('a/m', true).outrun(700);
  expect(latencies.expected(['a/m'], true)).toEqual([700]);
});
