import { describe, expect, test } from 'vitest';
import { played } from './one-request.ts';
import type { Part } from './played-backends.ts';
import type { StageOptions } from './stage.ts';

const at = (ms: number): Part => [[ms, 'done']];

/** The store of the limits stands still when the retry of the first is to be sent. */
const RETRY_HELD: StageOptions = {
  parts: { a: [[600, 'reset']], b: at(300) },
  backends: { a: ', concurrency: 3, retries: 1' },
  reserveMs: { a: [0, 2_000] },
};

describe.each([false, true])('streamed: %s', (stream) => {
  test('one that the limits of its backend still keep is not waited for, and not made', async () => {
    const { calls, told, record, called } = await played(
      stream,
      { parts: { a: at(700), b: at(100) }, reserveMs: { b: [1_000] } },
      ({ clock, records }) => expect([clock.ms, records.length]).toEqual([750, 1]),
      750,
    );
    expect(calls.map(({ backend }) => backend)).toEqual(['a']);
    expect(called).toEqual(['a']);
    expect(record).not.toHaveProperty('hedge');
    expect(told.error).toBeNull();
  });

  test('a retry of the first that the limits of its backend still keep does not delay the second one’s answer, and is not made', async () => {
    const { calls, chosen, record, called, settlements } = await played(
      stream,
      RETRY_HELD,
      ({ clock, records }) => expect([clock.ms, records.length]).toEqual([850, 1]),
      850,
    );
    expect(calls.map(({ backend }) => backend)).toEqual(['a', 'b']);
    expect(chosen).toEqual(['a', 'b']);
    expect(record).toMatchObject({ reason: 'done', hedge: 'won' });
    expect(called).toEqual(['a upstream_truncated', 'b beside']);
    expect(settlements.filter(({ owner }) => owner === 'backend/a').map(({ reason }) => reason)).toEqual(['vendor_error', null]);
  });

  test('nor does one that is refused in the end: the record is as the answer left it', async () => {
    const { record, called, settlements } = await played(
      stream,
      { ...RETRY_HELD, backends: { a: ', rpm: 1, retries: 1' } },
      ({ clock, records }) => expect([clock.ms, records.length]).toEqual([850, 1]),
      850,
    );
    expect(record).toMatchObject({ reason: 'done', hedge: 'won' });
    expect(called).toEqual(['a upstream_truncated', 'b beside']);
    expect(settlements.filter(({ owner }) => owner === 'backend/a').map(({ reason }) => reason)).toEqual(['vendor_error']);
  });

  test.each(['cancel', 'drain'] as const)(
    'a caller that leaves while a retry of the first is kept: nothing is sent for it, with %s',
    async (onDisconnect) => {
      const options: StageOptions = { ...RETRY_HELD, parts: { ...RETRY_HELD.parts, b: [] }, onDisconnect };
      const { calls, record, called } = await played(stream, options, (_, leave) => leave(), 1_000);
      expect(calls.map(({ backend, abortedAtMs }) => [backend, abortedAtMs])).toEqual([
        ['a', null],
        ['b', 1_000],
      ]);
      expect(called).toEqual(['a upstream_truncated', 'b beside hedged', 'a']);
      expect(record).toMatchObject({ reason: 'client_gone', hedge: 'lost' });
    },
  );
});

test('a retry of the first that is refused while the second one’s answer goes on is in no record: nobody was asked', async () => {
  const b: Part = [
    [300, 'text'],
    [1_700, 'done'],
  ];
  const parts = { ...RETRY_HELD.parts, b };
  const { record, called, out } = await played(
    true,
    { ...RETRY_HELD, parts, backends: { a: ', rpm: 1, retries: 1' }, reserveMs: { a: [0, 1_000] } },
    ({ records, settlements }) => expect([records.length, settlements.length]).toEqual([0, 1]),
    2_000,
  );
  expect(out).toMatchObject({ started: 1, ended: 1 });
  expect(record).toMatchObject({ reason: 'done', hedge: 'won' });
  expect(called).toEqual(['a upstream_truncated', 'b beside']);
});
