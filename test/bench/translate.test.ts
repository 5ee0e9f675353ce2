import { expect, test } from 'vitest';
import { growthOf, leastMicros, MOST_GROWTH } from '../../bench/translate.ts';
import { conversation, WORKS, type Work } from '../../bench/translate-work.ts';
import { checkChatRequest } from '../../openai/chat/check-request.ts';
import { TRANSLATORS } from '../../translators/registry.ts';

/** A busy machine makes any one measurement large; what really grows is large in each of them. */
function quick(work: Work): number {
  let least = Number.POSITIVE_INFINITY;
  for (let again = 0; again < 6 && least >= MOST_GROWTH; again++) least = Math.min(least, growthOf(work, 6, 2));
  return least;
}

test.each(WORKS.map((work) => [work.name, work] as const))('%s costs no more each when there are ten times as many', (_, work) => {
  expect(quick(work)).toBeLessThan(MOST_GROWTH);
});

test('a quadratic step is seen', () => {
  const copies: Work = {
    name: 'copies',
    unit: 'chunk',
    at: (size) => () => {
      let sum = 0;
      for (let one = 0; one < size; one++) for (let other = 0; other < size; other++) sum += one ^ other;
      if (sum < 0) throw new Error('no sum');
    },
  };
  expect(quick(copies)).toBeGreaterThan(MOST_GROWTH);
});

test('every dialect is measured', () => {
  const names = WORKS.map(({ name }) => name);
  expect(TRANSLATORS.map(({ dialect }) => `${dialect}: request`).filter((name) => !names.includes(name))).toEqual([]);
});

test.each([100, 200, 1000])('a history of %i messages is that long, and whole', (size) => {
  const request = checkChatRequest(JSON.parse(conversation(size)), { maxMessages: size, maxTools: 1 });
  expect(request.messages).toHaveLength(size);
});

test('the least of the rounds, each as long as it must be', () => {
  let now = 0;
  const costs = [3, 3, 1, 1, 1, 1, 9];
  expect(
    leastMicros(
      () => void (now += costs.shift() as number),
      3,
      4,
      () => now,
    ),
  ).toBe(1000);
});
