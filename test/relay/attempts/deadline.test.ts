import { describe, expect, test } from 'vitest';
import { played } from './one-request.ts';
import type { Part } from './played-backends.ts';
import type { StageOptions } from './stage.ts';

const ENTRY = 'totalDeadlineMs: 1000';
const SILENT: Part = [];
const nothing = () => undefined;

describe.each([false, true])('streamed: %s', (stream) => {
  test.each<[string, StageOptions]>([
    ['of the team', { teamReserveMs: [400] }],
    ['of the backend', { reserveMs: { a: [400] } }],
    ['of both', { teamReserveMs: [200], reserveMs: { a: [200] } }],
  ])('the deadline counts from the arrival: what the limits %s took is no time more', async (_, limits) => {
    const { calls, told } = await played(stream, { entry: ENTRY, parts: { a: SILENT }, ...limits }, nothing, 50);
    expect(calls.map(({ backend, atMs, abortedAtMs }) => [backend, atMs, abortedAtMs])).toEqual([['a', 400, 1_000]]);
    expect(told.error?.kind).toBe('upstream_timeout');
  });

  test.each<[string, StageOptions, string[], number]>([
    ['of the team', { teamReserveMs: [1_000] }, [], 1_000],
    ['of the backend', { reserveMs: { a: [1_200] } }, ['a overloaded'], 1_200],
  ])('it is over while the limits %s hold the request: nobody is asked, and no vendor is to blame', async (_, limits, attempts, ms) => {
    const { calls, told, record, called, settlements, clock, health, config } = await played(
      stream,
      { entry: ENTRY, ...limits },
      nothing,
      50,
    );
    expect(calls).toEqual([]);
    expect(told.error).toMatchObject({ kind: 'overloaded', status: 503, details: { retryAfterMs: 1_000 } });
    expect(record).toMatchObject({ reason: 'refused', status: 503, usage: null });
    expect(called).toEqual(attempts);
    expect(settlements.map(({ reason }) => reason)).toEqual(settlements.map(() => null));
    expect([...health.openings(Object.values(config.backends))]).toEqual([]);
    expect(clock.ms).toBeGreaterThan(ms);
  });
});

describe.each([false, true])('streamed: %s', (stream) => {
  test.each<[string, StageOptions, string[]]>([
    ['the next backend', { reserveMs: { b: [1_200] } }, ['a upstream_overloaded', 'b overloaded']],
    [
      'the retry',
      { backends: { a: ', concurrency: 3, retries: 1' }, parts: { a: [[100, 'reset']] }, reserveMs: { a: [0, 1_200] } },
      ['a upstream_truncated', 'a overloaded'],
    ],
  ])('it is over while %s is held after a failure: that failure is told', async (_, options, attempts) => {
    const parts: StageOptions['parts'] = { a: [[100, 'overload']] };
    const { calls, told, record, called } = await played(stream, { entry: ENTRY, parts, ...options }, nothing, 50);
    expect(calls.map(({ backend }) => backend)).toEqual(['a']);
    expect(called).toEqual(attempts);
    expect(`a ${told.error?.kind}`).toBe(attempts[0]);
    expect(record.reason).toBe('vendor_error');
  });
});

test.each<[string, Part, string]>([
  ['silent before it is over', [[100, 'role']], 'totalDeadlineMs: 3000'],
  ['silent after it, in the middle of its answer', [[100, 'role']], ENTRY],
  [
    'cut off after it',
    [
      [100, 'role'],
      [1_200, 'reset'],
    ],
    ENTRY,
  ],
])('the deadline takes no blame from a backend that was %s', async (_, a, entry) => {
  const backends = { a: ', retries: 0, breaker: { failures: 1 }' };
  const { health, config } = await played(
    true,
    { entry: `strategy: order, ${entry}`, parts: { a, b: [[100, 'done']] }, backends },
    nothing,
    50,
  );
  expect([...health.openings(Object.values(config.backends))]).toEqual([{ backend: 'a', cause: 'failure', open: 1 }]);
});
