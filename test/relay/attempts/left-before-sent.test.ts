import { describe, expect, test } from 'vitest';
import { played } from './one-request.ts';
import type { Part } from './played-backends.ts';
import { type StageOptions, shown, stage } from './stage.ts';

const NOT_HEDGED = 'strategy: order';
/** How the reservations of the team and of the backends ended; null: given back. */
const ends = (settlements: readonly { readonly owner: string; readonly reason: string | null }[]) =>
  settlements.map(({ owner, reason }) => `${owner} ${reason}`);

describe.each([false, true])('streamed: %s', (stream) => {
  describe.each(['cancel', 'drain'] as const)('onDisconnect: %s', (onDisconnect) => {
    test('the limits of the backend still hold the call: nobody was asked, and nothing counts', async () => {
      const options: StageOptions = { entry: NOT_HEDGED, reserveMs: { a: [1_000] }, onDisconnect };
      const { calls, record, settlements, told } = await played(stream, options, (_, leave) => leave(), 500);
      expect(calls).toEqual([]);
      expect(told).toMatchObject({ json: null, error: null });
      expect(record).toMatchObject({ reason: 'client_gone', usage: null, cost: null });
      expect(record.attempts).toMatchObject([{ backend: 'a', error: null, unsent: true }]);
      expect(ends(settlements)).toEqual(['backend/a null', 'team/t null']);
    });

    test('no connection is free for it: nothing is sent any more, and nothing counts', async () => {
      const options: StageOptions = { entry: NOT_HEDGED, parts: { a: [[700, 'connected']] }, onDisconnect };
      const { calls, record, settlements, clock } = await played(stream, options, (_, leave) => leave(), 500);
      // Whoever comes to a connection after all is turned away.
      expect(calls.map(({ abortedAtMs }) => abortedAtMs)).toEqual([700]);
      expect(record).toMatchObject({ reason: 'client_gone', usage: null, cost: null });
      expect(record.attempts).toMatchObject([{ backend: 'a', error: null, unsent: true }]);
      expect(ends(settlements)).toEqual(['backend/a null', 'team/t null']);
      expect(clock.ms).toBeGreaterThan(700);
    });

    test('those of the second hold it: what the first has counted stands', async () => {
      const options: StageOptions = { entry: NOT_HEDGED, parts: { a: [[100, 'overload']] }, reserveMs: { b: [1_000] }, onDisconnect };
      const { calls, record, settlements } = await played(stream, options, (_, leave) => leave(), 500);
      expect(calls.map(({ backend }) => backend)).toEqual(['a']);
      expect(record).toMatchObject({ reason: 'client_gone', usage: null });
      expect(record.attempts).toMatchObject([{ error: 'upstream_overloaded' }, { backend: 'b', error: null, unsent: true }]);
      expect(record.attempts[0]).not.toHaveProperty('unsent');
      expect(ends(settlements)).toEqual(['backend/a vendor_error', 'backend/b null', 'team/t client_gone']);
    });

    test('those of the one beside hold it when the first has failed: no hedge was made, and none is paid for', async () => {
      const options: StageOptions = { parts: { a: [[600, 'overload']] }, reserveMs: { b: [1_000] }, onDisconnect };
      const { calls, record, hedging, config } = await played(stream, options, (_, leave) => leave(), 1_000);
      expect(calls.map(({ backend }) => backend)).toEqual(['a']);
      expect(record).not.toHaveProperty('hedge');
      expect(record.attempts).toMatchObject([{ error: 'upstream_overloaded' }, { backend: 'b', error: null, unsent: true }]);
      expect(record.attempts[1]).not.toHaveProperty('hedge');
      const { hedge } = config.models['m'] as NonNullable<(typeof config.models)[string]>;
      expect(hedging.budget(hedge as NonNullable<typeof hedge>).take()).toBe(true);
    });
  });
});

test.each([false, true])(
  'the one beside waited for a connection until the first had answered: it was not made, streamed: %s',
  async (stream) => {
    const parts: StageOptions['parts'] = { a: [[700, 'done']], b: [[1_000, 'connected']] };
    const { called, record, settlements } = await played(stream, { parts }, () => undefined, 500);
    expect(called).toEqual(['a']);
    expect(record).toMatchObject({ reason: 'done' });
    expect(ends(settlements).toSorted()).toEqual(['backend/a done', 'backend/b null', 'team/t done']);
  },
);

test.each([false, true])('the time is over before a connection is free: nothing counts, streamed: %s', async (stream) => {
  const options: StageOptions = { entry: `${NOT_HEDGED}, totalDeadlineMs: 1000`, parts: { a: [[1_200, 'connected']] } };
  const { record, settlements, told } = await played(stream, options, () => undefined, 500);
  expect(told.error?.kind).toBe('upstream_timeout');
  expect(record).toMatchObject({ usage: null, cost: null });
  expect(record.attempts).toMatchObject([{ backend: 'a', error: 'upstream_timeout', unsent: true }]);
  expect(ends(settlements)).toEqual(['backend/a null', 'team/t null']);
});

test.each<[string, Part, number]>([
  ['was silent', [], 1],
  ['had no connection free', [[25_000, 'connected']], 0],
])('a backend that %s for the whole of its `firstByteMs`: breakers that open', async (_, a, open) => {
  const parts: StageOptions['parts'] = { a, b: [[100, 'done']] };
  const backends = { a: ', retries: 0, breaker: { failures: 1 }' };
  const { ask, until, records, health, config } = stage({ entry: NOT_HEDGED, parts, backends });
  ask(true);
  await until(26_000);
  expect(shown(records[0]?.attempts ?? [])).toEqual(['a upstream_timeout', 'b']);
  expect([...health.openings(Object.values(config.backends))].reduce((sum, opening) => sum + opening.open, 0)).toBe(open);
});

test('one that was sent counts, whatever it came to', async () => {
  const { record, settlements } = await played(true, { entry: NOT_HEDGED }, (_, leave) => leave(), 500);
  expect(record).toMatchObject({ reason: 'client_gone', usage: { source: 'estimated' } });
  expect(record.attempts[0]).not.toHaveProperty('unsent');
  expect(ends(settlements)).toEqual(['backend/a client_gone', 'team/t client_gone']);
});
