/** What a caller is told whom nobody answers, while some have failed and others had no room. */
import { describe, test } from 'vitest';
import { FAR, ONE, playRow, QUEUE, RATE, type Row, says } from './queued-request.ts';

const FULL = 'backend_limit_requests';

/** `a` and `c` fail, and `b` has no room. */
const around = (lines: readonly [a: string, c: string], after: string, waitedMs?: number) => ({
  attempts: [
    `a ${lines[0]}`,
    `b ${FULL}`,
    `c ${lines[1]}${waitedMs === undefined ? '' : ` +${waitedMs}`}`,
    ...(after === '' ? [] : [after]),
  ],
  calls: ['a 0', 'c 100'],
});
/** Both as it happens to vendors every day. */
const failing = (waitedMs?: number, after = '') => ({
  parts: { a: says(100, 'overload'), c: says(100, 'reset') },
  ...around(['upstream_overloaded', 'upstream_truncated'], after, waitedMs),
});
/** Both for good: asking them again is in vain. */
const hopeless = (waitedMs?: number) => ({
  parts: { a: says(100, 'bad-key'), c: says(100, 'bad-key') },
  ...around(['upstream_auth', 'upstream_auth'], '', waitedMs),
});

const FAILED: Row[] = [
  {
    name: 'all fail in the end: the last failure, at once',
    parts: { a: says(100, 'overload'), b: says(100, 'reset'), c: says(100, 'reset') },
    full: { b: [0, 400] },
    by: 'upstream_truncated',
    atMs: 500,
    attempts: ['a upstream_overloaded', `b ${FULL}`, 'c upstream_truncated +200', 'b upstream_truncated'],
    calls: ['a 0', 'c 100', 'b 400'],
  },
  {
    name: 'one fails, the others have no room, and nowhere is a queue: what has really happened, at once',
    backends: { b: ONE, c: ONE },
    parts: { a: says(100, 'overload') },
    full: { b: [0, FAR], c: [0, FAR] },
    by: 'upstream_overloaded',
    atMs: 100,
    attempts: ['a upstream_overloaded', `b ${FULL}`, `c ${FULL}`],
    calls: ['a 0'],
  },
  { name: 'no room in time: what has really happened', ...failing(600), full: { b: [0, FAR] }, by: 'upstream_truncated', atMs: 800 },
  {
    name: 'nor before the deadline of the whole',
    ...failing(300),
    entry: 'totalDeadlineMs: 500',
    full: { b: [0, FAR] },
    by: 'upstream_truncated',
    atMs: 500,
  },
  {
    name: 'no queue there: the last failure, at once',
    ...failing(),
    backends: { b: ONE },
    full: { b: [0, 400] },
    by: 'upstream_truncated',
    atMs: 200,
  },
  {
    name: 'requests that come back too late: at once',
    ...failing(),
    backends: { b: `${RATE}, queue: { max: 1, waitMs: 600 }` },
    full: { b: [0, 50] },
    by: 'upstream_truncated',
    atMs: 200,
  },
  {
    name: 'a breaker that has opened meanwhile: nothing is waited for any more, and what has really happened is told',
    ...failing(250, 'b upstream_auth'),
    backends: { b: QUEUE.replace(', breaker: off', '') },
    full: { b: [0, 500] },
    act: [350, 'bar b'],
    by: 'upstream_truncated',
    atMs: 450,
  },
  {
    name: 'a failure that is the last word is told at once',
    parts: { b: says(100, 'wrong') },
    full: { a: [0, 400] },
    by: 'invalid_value',
    atMs: 100,
    attempts: [`a ${FULL}`, 'b invalid_value'],
    calls: ['b 0'],
  },
  {
    name: 'moderation is not dodged by waiting',
    parts: { b: says(100, 'moderated') },
    full: { a: [0, 400] },
    by: 'content_filter',
    atMs: 100,
    attempts: [`a ${FULL}`, 'b content_filter'],
    calls: ['b 0'],
  },
];

const NO_ROOM: Row[] = [
  {
    name: 'nobody has room, and nowhere is a queue: when the first will have some',
    backends: { a: RATE, b: ONE, c: RATE },
    full: { a: [0, 50], b: [0, FAR], c: [0, 50] },
    by: FULL,
    atMs: 0,
    attempts: [`a ${FULL}`, `b ${FULL}`, `c ${FULL}`],
    calls: [],
    reason: 'refused',
  },
  {
    name: 'the others fail for good, and no room in time: when there may be some',
    ...hopeless(600),
    full: { b: [0, FAR] },
    by: FULL,
    atMs: 800,
    reason: 'refused',
  },
  {
    name: 'the others fail for good, and no queue there: when there may be some, at once',
    ...hopeless(),
    backends: { b: ONE },
    full: { b: [0, FAR] },
    by: FULL,
    atMs: 200,
    reason: 'refused',
  },
  {
    name: 'nor will there be any today: what has really happened',
    ...hopeless(),
    backends: { b: RATE.replace('rpm', 'rpd') },
    full: { b: [0, 50] },
    by: 'upstream_auth',
    atMs: 200,
  },
];

const ENDED: Row[] = [
  {
    name: 'a caller that leaves while it waits: nothing more is sent',
    ...failing(150),
    full: { b: [0, 500] },
    act: [350, 'leave'],
    by: 'upstream_truncated',
    atMs: 350,
    reason: 'client_gone',
  },
  { name: 'a shutdown while it waits', ...failing(150), full: { b: [0, 500] }, act: [350, 'cut'], by: 'draining', atMs: 350 },
];

describe.each([false, true])('streamed: %s', (stream) => {
  test.each(FAILED)('$name', (row) => playRow(row, stream));
  test.each(NO_ROOM)('$name', (row) => playRow(row, stream));
  test.each(ENDED)('$name', (row) => playRow(row, stream));
});
