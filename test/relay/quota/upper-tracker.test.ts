import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { COVER, UpperTracker } from '../../../relay/quota/upper-tracker.ts';

const BOUNDS = { start: 1, least: 0.25, most: 4, step: 0.1 };
const tracker = () => new UpperTracker(BOUNDS);

/** Anything a vendor may tell. */
const absurd = fc.oneof(fc.double(), fc.constantFrom(0, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.MIN_VALUE, 1e308));

test('whatever comes, the value stays within its bounds', () => {
  fc.assert(
    fc.property(fc.array(absurd, { maxLength: 500 }), (seen) => {
      const tracked = tracker();
      for (const number of seen) {
        tracked.observe(number);
        expect(tracked.value).toBeGreaterThanOrEqual(BOUNDS.least - 1e-12);
        expect(tracked.value).toBeLessThanOrEqual(BOUNDS.most);
      }
    }),
  );
});

describe('of T numbers at most T/20 and a few more are above it', () => {
  const few = 1 + Math.log(BOUNDS.most / BOUNDS.start) / BOUNDS.step;
  const misses = (count: number, next: (tracked: UpperTracker, index: number) => number): number => {
    const tracked = tracker();
    let missed = 0;
    for (let index = 0; index < count; index++) {
      const seen = Math.min(next(tracked, index), BOUNDS.most);
      if (seen > tracked.value) missed++;
      tracked.observe(seen);
    }
    return missed;
  };

  test.each<[string, (tracked: UpperTracker, index: number) => number]>([
    ['always just above it', ({ value }) => value * 1.000_001],
    ['always the largest', () => BOUNDS.most],
    ['the largest whenever it is below', ({ value }) => (value < BOUNDS.most ? BOUNDS.most : BOUNDS.least)],
    ['waits long, then strikes', (_, index) => (index % 1000 < 900 ? BOUNDS.least : BOUNDS.most)],
  ])('%s', (_name, adversary) => {
    for (const count of [1, 50, 1_000, 20_000]) expect(misses(count, adversary)).toBeLessThanOrEqual((1 - COVER) * count + few + 1e-6);
  });

  test('any sequence', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.01, max: 10, noNaN: true }), { maxLength: 2000 }), (seen) => {
        expect(misses(seen.length, (_, index) => seen[index] as number)).toBeLessThanOrEqual((1 - COVER) * seen.length + few + 1e-6);
      }),
    );
  });
});

test.each([0.3, 0.5, 1, 2, 3.9])('comes to %f from wherever it began, and stays within two steps', (truth) => {
  for (const start of [BOUNDS.least, 1, BOUNDS.most]) {
    const tracked = new UpperTracker({ ...BOUNDS, start });
    for (let count = 0; count < 1000; count++) tracked.observe(truth);
    expect(Math.abs(Math.log(tracked.value / truth))).toBeLessThan(2 * BOUNDS.step);
  }
});

test('one absurd number is one step', () => {
  const tracked = tracker();
  tracked.observe(1e300);
  expect(tracked.value).toBeLessThan(1.11);
});

test('follows the 95th percentile of mixed numbers', () => {
  const tracked = new UpperTracker({ start: 2048, least: 16, most: 131_072, step: 0.2 });
  let state = 1;
  const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  let above = 0;
  for (let count = 0; count < 20_000; count++) {
    const seen = Math.exp(Math.log(300) + 1.5 * (random() + random() + random() - 1.5));
    if (count >= 2_000 && seen > tracked.value) above++;
    tracked.observe(seen);
  }
  expect(above / 18_000).toBeGreaterThan(0.03);
  expect(above / 18_000).toBeLessThan(0.07);
});
