import { expect, test } from 'vitest';
import type { ErrorDetails, ErrorName } from '../../../openai/errors.ts';
import { BREAKER, desk, error } from './health-desk.ts';

test.each<[ErrorName, ErrorDetails, number[]]>([
  ['upstream_rate_limit_requests', { retryAfterMs: 1_000 }, [1_000, 2_000, 4_000]],
  ['upstream_rate_limit_tokens', { retryAfterMs: 40_000 }, [40_000, 60_000, 60_000]],
  ['upstream_rate_limit_requests', { retryAfterMs: 90_000 }, [90_000, 90_000]],
  ['upstream_rate_limit_requests', { retryAfterMs: 999_999_000 }, [600_000, 600_000]],
])('%s %o: the model cools down for %o', (kind, details, waits) => {
  const { fail, enter, barred, wait } = desk();
  for (const ms of waits) {
    fail(kind, details);
    wait(ms - 1);
    barred();
    enter('other').unused();
    wait(1);
  }
  enter().answered();
  fail(kind, details);
  wait(waits[0] as number);
  enter();
});

test('callers are told the time that the vendor told, though the relay looks sooner', () => {
  const { fail, barred, wait, enter } = desk();
  fail('upstream_rate_limit_requests', { retryAfterMs: 7_200_000 });
  wait(599_999);
  expect(barred()).toMatchObject({ details: { retryAfterMs: 7_200_000 - 599_999 } });
  wait(1);
  enter();
});

test('overload: so many in a row, then longer each time, of the model alone', () => {
  const { fail, enter, barred, wait } = desk();
  for (let number = 0; number < 3; number++) fail('upstream_overloaded', { retryAfterMs: 2_000 });
  for (const ms of [2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
    expect(barred().details.retryAfterMs).toBe(ms);
    enter('other').unused();
    wait(ms);
    fail('upstream_overloaded', { retryAfterMs: 2_000 });
  }
});

test.each<[ErrorName, boolean]>([
  ['upstream_auth', true],
  ['upstream_out_of_credit', false],
  ['upstream_model_unavailable', false],
])('%s: out until a probe, a minute later; other models too: %s', (kind, whole) => {
  const { fail, enter, barred, wait, told } = desk();
  fail(kind);
  // No wait is promised: an admin must act.
  expect(barred()).toMatchObject({ kind, details: { retryAfterMs: undefined } });
  if (whole) barred('other');
  else enter('other').unused();
  wait(60_000);
  // An answer of another kind proves that the key is taken again.
  enter().failed(error('content_filter', { upstreamCode: 'x' }));
  enter();
  expect(told().at(-1)).toMatch(/closed$/);
});

test.each<[ErrorName, ErrorDetails]>([
  ['content_filter', { upstreamCode: 'x' }],
  ['invalid_value', { upstreamCode: 'x' }],
  ['context_length_exceeded', {}],
  ['backend_limit_requests', {}],
  ['quota_unavailable', {}],
  ['internal_error', {}],
  ['upstream_rejected', {}],
  ['upstream_unmet', {}],
])('%s %o opens nothing', (kind, details) => {
  const { fail, told } = desk({ ...BREAKER, failures: 1 });
  for (let number = 0; number < 10; number++) fail(kind, details);
  expect(told()).toEqual([]);
});

test('names that callers make up do not fill the memory', () => {
  const { fail, health, backend } = desk();
  for (let number = 0; number < 3_000; number++) fail('upstream_model_unavailable', {}, `made-up-${number}`);
  expect([...health.openings([backend])]).toEqual([{ backend: 'b', cause: 'model', open: 1_000 }]);
});
