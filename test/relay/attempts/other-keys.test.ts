import { describe, expect, test } from 'vitest';
import { played } from './one-request.ts';
import type { StageOptions } from './stage.ts';

/** Of the two keys of `a` none is good. */
const BAD_KEYS: StageOptions = { parts: { a: [[600, 'bad-key']], b: [[100, 'done']] }, entry: 'affinity: off', keys: 2 };

describe.each([false, true])('streamed: %s', (stream) => {
  test('each key once, then the next backend', async () => {
    const { called, record } = await played(stream, BAD_KEYS, () => undefined, 50);
    expect(called).toEqual(['a upstream_auth', 'a upstream_auth', 'b']);
    expect(record).toMatchObject({ reason: 'done' });
  });

  test('a caller that leaves in the moment in which a key is refused: no other key is tried, and no limit asked', async () => {
    const { called, record, settlements, calls } = await played(stream, BAD_KEYS, ({ clock }, leave) => clock.in(550, leave), 50);
    expect(calls.map(({ backend }) => backend)).toEqual(['a']);
    expect(called).toEqual(['a upstream_auth']);
    expect(record).toMatchObject({ reason: 'client_gone' });
    expect(settlements.map(({ owner }) => owner)).toEqual(['backend/a', 'team/t']);
  });
});
