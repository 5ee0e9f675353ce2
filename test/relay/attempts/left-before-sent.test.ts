import { describe, expect, test } from 'vitest';
import { played } from './one-request.ts';
import type { StageOptions } from './stage.ts';

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

test('one that was sent counts, whatever it came to', async () => {
  const { record, settlements } = await played(true, { entry: NOT_HEDGED }, (_, leave) => leave(), 500);
  expect(record).toMatchObject({ reason: 'client_gone', usage: { source: 'estimated' } });
  expect(record.attempts[0]).not.toHaveProperty('unsent');
  expect(ends(settlements)).toEqual(['backend/a client_gone', 'team/t client_gone']);
});
