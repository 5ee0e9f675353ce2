/** Q9: each call of an attempt that reached its vendor is in books and limits, whatever became of the others. */
import { describe, expect, test } from 'vitest';
import { promptTokens } from '../../../relay/chat/estimate.ts';
import type { Attempt } from '../../../relay/records/request-record.ts';
import { played } from './one-request.ts';
import type { Part } from './played-backends.ts';
import type { StageOptions } from './stage.ts';

const CALLS = 5;
/** More choices than one call of the backend makes: each is a call of its own. */
const more = { n: CALLS };
const ENTRY = 'strategy: order';
/** Limits that count calls, and let all of them run. */
const LIMITED = ', rpm: 100, tpm: 100000, concurrency: 5, retries: 0';
const EACH = promptTokens({ messages: [{ role: 'user', content: 'x' }] });
const REFUSED: Part = [[100, 'refused']];
const nothing = () => undefined;

interface Row {
  readonly name: string;
  readonly parts: NonNullable<StageOptions['parts']>;
  readonly act?: Parameters<typeof played>[2];
  readonly error: Attempt['error'];
  /** That count at the backend's limit, and those of them that are paid, each with the prompt; none: all is given back. */
  readonly calls: number;
  readonly paid: number;
  readonly unsent?: true;
}

const ROWS: Row[] = [
  {
    name: 'one is refused: those that were cancelled with it',
    parts: { 'a-1': [[100, 'overload']] },
    error: 'upstream_overloaded',
    calls: CALLS,
    paid: CALLS - 1,
  },
  {
    name: 'one is refused, two have not been sent: the two that were cancelled',
    parts: { 'a-1': [[100, 'overload']], 'a-3': [[2_500, 'connected']], 'a-4': [[2_500, 'connected']] },
    error: 'upstream_overloaded',
    calls: 3,
    paid: 2,
  },
  {
    name: 'no connection for one: the others',
    parts: { 'a-2': [[100, 'refused']] },
    error: 'upstream_unreachable',
    calls: CALLS - 1,
    paid: CALLS - 1,
  },
  { name: 'no connection for any: nothing', parts: { a: [[100, 'refused']] }, error: 'upstream_unreachable', calls: 0, paid: 0 },
  {
    name: 'no connection free for any in time: nothing',
    parts: { a: [[2_500, 'connected']] },
    error: 'upstream_timeout',
    calls: 0,
    paid: 0,
    unsent: true,
  },
  { name: 'silence: none of them is paid', parts: {}, error: 'upstream_timeout', calls: CALLS, paid: 0 },
  {
    name: 'a refusal that is one of the key: none of them is paid',
    parts: { 'a-1': [[100, 'bad-key']] },
    error: 'upstream_auth',
    calls: CALLS,
    paid: 0,
  },
  {
    name: 'a refusal of what all of them ask: none of them is paid',
    parts: { 'a-1': [[100, 'wrong']] },
    error: 'invalid_value',
    calls: CALLS,
    paid: 0,
  },
  {
    name: 'moderation, which may be of what one of them had made: those that were cancelled with it',
    parts: { 'a-1': [[100, 'moderated']] },
    error: 'content_filter',
    calls: CALLS,
    paid: CALLS - 1,
  },
  { name: 'the process ends: all', parts: {}, act: ({ cut }) => cut(), error: 'draining', calls: CALLS, paid: CALLS },
  {
    name: 'the process ends before two were sent: the others',
    parts: { 'a-1': [[2_500, 'connected']], 'a-4': [[2_500, 'connected']] },
    act: ({ cut }) => cut(),
    error: 'draining',
    calls: 3,
    paid: 3,
  },
];

describe.each([false, true])('streamed: %s', (stream) => {
  test.each(ROWS)('$name', async ({ parts, act = nothing, error, calls, paid, unsent }) => {
    const options: StageOptions = {
      entry: `${ENTRY}, totalDeadlineMs: 1500`,
      // Whoever is asked next refuses, so that the attempt counts; or cannot be reached either.
      parts: { b: calls === 0 ? REFUSED : [[0, 'wrong']], c: REFUSED, ...parts },
      backends: { a: LIMITED },
    };
    const { record, settlements } = await played(stream, options, act, 500, more);
    const [attempt] = record.attempts as [Attempt];
    expect(attempt).toMatchObject({ backend: 'a', error });
    expect(attempt.unsent).toBe(unsent);
    expect(attempt.discarded?.promptTokens ?? 0).toBe(paid * EACH);
    if (paid > 0) expect(attempt.discarded).toMatchObject({ completionTokens: 0, estimated: true });
    const usedAt = (owner: string) => settlements.find((settled) => settled.owner === owner)?.used ?? null;
    expect(usedAt('backend/a')).toEqual(calls === 0 ? null : { requests: calls, tokens: paid * EACH });
    expect(usedAt('team/t')).toEqual(calls === 0 ? null : { requests: 1, tokens: paid * EACH });
  });

  test.each(['cancel', 'drain'] as const)('the caller leaves before two were sent, %s: the others', async (onDisconnect) => {
    const late: Part = [
      [700, 'connected'],
      [1_500, 'done'],
    ];
    const parts = { a: [[1_000, 'done']], 'a-1': late, 'a-4': late } satisfies StageOptions['parts'];
    const options: StageOptions = { entry: ENTRY, parts, backends: { a: LIMITED }, onDisconnect };
    const { record, settlements, calls } = await played(stream, options, (_, leave) => leave(), 500, more);
    expect(record).toMatchObject({ reason: 'client_gone', usage: { source: onDisconnect === 'drain' ? 'vendor' : 'estimated' } });
    expect(settlements.find(({ owner }) => owner === 'backend/a')).toMatchObject({ used: { requests: CALLS - 2 } });
    const endedAtMs = onDisconnect === 'drain' ? 1_000 : 500;
    expect(calls.map((call) => call.endedAtMs)).toEqual([endedAtMs, 700, endedAtMs, endedAtMs, 700]);
  });
});
