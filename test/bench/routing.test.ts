import { expect, test } from 'vitest';
import { routingMicros } from '../../bench/routing.ts';

/** Ten times what it costs on a quiet machine, and still far from what a request costs. */
const MOST_MICROS = 100;

test('every strategy chooses in a small part of the cost of a request', () => {
  const micros = routingMicros(5, 2);
  expect(Object.keys(micros)).toEqual(['order', 'weighted', 'weighted, affinity', 'latency', 'latency, affinity', 'cost']);
  for (const [strategy, cost] of Object.entries(micros)) expect(cost, strategy).toBeLessThan(MOST_MICROS);
});
