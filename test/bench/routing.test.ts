import { expect, test } from 'vitest';
import { machineOf } from '../../bench/report.ts';
import { routingMicros, routingReport } from '../../bench/routing.ts';

/** Ten times what it costs on a quiet machine, and still far from what a request costs. */
const MOST_MICROS = 100;

test('every strategy chooses in a small part of the cost of a request', () => {
  const micros = routingMicros(5, 2);
  expect(Object.keys(micros)).toEqual(['order', 'weighted', 'weighted, affinity', 'latency', 'latency, affinity', 'cost']);
  for (const [strategy, cost] of Object.entries(micros)) expect(cost, strategy).toBeLessThan(MOST_MICROS);
});

test.each([
  [300, '8.60       2.9 %', 'the dearest strategy is 2.9 % of a request: under 3.0 %'],
  [200, '8.60       4.3 %', 'the dearest strategy is 4.3 % of a request: NOT under 3.0 %'],
])('the report says what share of a request of %i µs it is, and whether that is as promised', (request, row, verdict) => {
  const text = routingReport(machineOf(null), { order: 1.6, cost: 8.6 }, [request + 50, request, request + 900]);
  expect(text.replaceAll(/ +/g, ' ')).toContain(row.replaceAll(/ +/g, ' '));
  expect(text).toContain(verdict);
});
