import { describe, expect, test } from 'vitest';
import { ANSWER, FAR, ONE, playRow, QUEUE, type Row, says } from './queued-request.ts';
import { NOTHING_HELD, stage } from './stage.ts';

/** Who is waited for, and asked again. */
const ROWS: Row[] = [
  {
    name: 'the first fails, the second has no room: it is waited for',
    parts: { a: says(100, 'overload') },
    full: { b: [0, 500], c: [0, FAR] },
    by: 'b',
    atMs: 600,
    attempts: ['a upstream_overloaded', 'b backend_limit_requests', 'c backend_limit_requests +400', 'b'],
    calls: ['a 0', 'b 500'],
  },
  {
    name: 'the first has no room, the others fail: it is waited for',
    parts: { b: says(100, 'reset'), c: says(100, 'overload') },
    full: { a: [0, 500] },
    by: 'a',
    atMs: 600,
    attempts: ['a backend_limit_requests', 'b upstream_truncated', 'c upstream_overloaded +300', 'a'],
    calls: ['b 0', 'c 100', 'a 500'],
  },
  {
    name: 'room that came while another was failing is not missed',
    parts: { b: says(500, 'reset'), c: says(100, 'overload') },
    full: { a: [0, 200] },
    by: 'a',
    atMs: 700,
    attempts: ['a backend_limit_requests', 'b upstream_truncated', 'c upstream_overloaded +0', 'a'],
    calls: ['b 0', 'c 500', 'a 600'],
  },
  {
    name: 'whoever had room fails too: the next is waited for, and nobody is asked twice',
    parts: { a: says(100, 'overload'), b: says(200, 'overload') },
    full: { b: [0, 400], c: [0, 1_000] },
    by: 'c',
    atMs: 1_100,
    attempts: [
      'a upstream_overloaded',
      'b backend_limit_requests',
      'c backend_limit_requests +300',
      'b upstream_overloaded',
      'c backend_limit_requests +400',
      'c',
    ],
    calls: ['a 0', 'b 400', 'c 1000'],
  },
];

/** All of them. */
const OVERLOADED: NonNullable<Row['parts']> = { a: says(100, 'overload'), b: says(100, 'overload'), c: says(100, 'overload') };
const RETRIED = QUEUE.replace('retries: 0', 'retries: 1');
const RETRIES: Row[] = [
  {
    name: 'a retry of its own is due to whoever was waited for',
    backends: { b: RETRIED },
    parts: { ...OVERLOADED, b: says(100, 'reset') },
    later: { b: [450, ANSWER] },
    full: { b: [0, 400] },
    by: 'b',
    atMs: 600,
    attempts: ['a upstream_overloaded', 'b backend_limit_requests', 'c upstream_overloaded +200', 'b upstream_truncated', 'b'],
    calls: ['a 0', 'c 100', 'b 400', 'b 500'],
  },
  {
    name: 'a retry that finds no room any more waits for it',
    backends: { c: RETRIED },
    parts: OVERLOADED,
    later: { c: [1_000, ANSWER] },
    full: { c: [350, 1_500] },
    by: 'c',
    atMs: 1_600,
    attempts: ['a upstream_overloaded', 'b upstream_overloaded', 'c upstream_overloaded', 'c backend_limit_requests +200', 'c'],
    calls: ['a 0', 'b 100', 'c 200', 'c 1500'],
  },
  {
    name: 'waiting gives nobody more retries',
    backends: { c: RETRIED },
    parts: OVERLOADED,
    full: { c: [350, 1_500] },
    by: 'upstream_overloaded',
    atMs: 1_600,
    attempts: [
      'a upstream_overloaded',
      'b upstream_overloaded',
      'c upstream_overloaded',
      'c backend_limit_requests +200',
      'c upstream_overloaded',
    ],
    calls: ['a 0', 'b 100', 'c 200', 'c 1500'],
  },
];

describe.each([false, true])('streamed: %s', (stream) => {
  test.each(ROWS)('$name', (row) => playRow(row, stream));
  test.each(RETRIES)('$name', (row) => playRow(row, stream));
});

test('whoever is sent makes way for the next: two slots that become free serve two at once', async () => {
  const two = QUEUE.replace('concurrency: 1', 'concurrency: 2').replace('max: 1', 'max: 2');
  const on = stage({ parts: { a: ANSWER }, entry: 'totalDeadlineMs: 3000', backends: { a: two, b: ONE, c: ONE } });
  const [first, second] = [on.hold('a'), on.hold('a')];
  const others = [on.hold('b'), on.hold('c')];
  await on.until(0);
  const asked = [on.ask(false), on.ask(false)];
  await on.until(300);
  first();
  second();
  await on.until(2_000);
  for (const release of others) release();
  await on.until(2_100);
  expect(on.calls.map(({ backend, atMs }) => `${backend} ${atMs}`)).toEqual(['a 300', 'a 300']);
  expect(asked.map(({ told }) => told.error)).toEqual([null, null]);
  expect(await on.held()).toEqual(NOTHING_HELD);
});
