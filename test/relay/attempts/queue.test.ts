import { describe, expect, test } from 'vitest';
import type { Backend } from '../../../config/config.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import type { Attempt } from '../../../relay/records/request-record.ts';
import type { Pass } from '../../../relay/routing/pass.ts';
import type { Line, Name, Part } from './played-backends.ts';
import { NOTHING_HELD, shown, stage } from './stage.ts';

/** Every backend has one slot and no retries, unless a row says otherwise. */
const ONE = ', concurrency: 1, retries: 0, breaker: off';
const QUEUE = `${ONE}, queue: { max: 1, waitMs: 600 }`;
/** A request each minute. */
const RATE = ', rpm: 1, retries: 0, breaker: off';
const DEADLINE_MS = 3_000;

interface Row {
  readonly name: string;
  /** What each says; `done` after 100 ms where nothing is given. */
  readonly parts?: Readonly<Partial<Record<Name, Part>>>;
  /** What it says from some moment on. */
  readonly later?: Readonly<Partial<Record<Name, readonly [atMs: number, part: Part]>>>;
  /** Who has no room, from when, until when. */
  readonly full: Readonly<Partial<Record<Name, readonly [fromMs: number, untilMs: number]>>>;
  /** Without: a queue of one. */
  readonly backends?: Readonly<Partial<Record<Name, string>>>;
  readonly entry?: string;
  /** Whose answer the caller gets; or the error. */
  readonly by: Name | string;
  readonly atMs: number;
  /** With the time in queues after it. */
  readonly attempts: readonly string[];
  /** What was sent: to whom, and when. */
  readonly calls: readonly string[];
  /** `bar b`: someone else has found that its key is bad. */
  readonly act?: readonly [atMs: number, what: 'leave' | 'cut' | 'bar b'];
  readonly reason?: string;
}

const says = (ms: number, line: Line): Part => [[ms, line]];
const ANSWER: Part = [
  [100, 'text'],
  [100, 'done'],
];
const FAR = 10_000;

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
  {
    name: 'all fail in the end: the last failure, at once',
    parts: { a: says(100, 'overload'), b: says(100, 'reset'), c: says(100, 'reset') },
    full: { b: [0, 400] },
    by: 'upstream_truncated',
    atMs: 500,
    attempts: ['a upstream_overloaded', 'b backend_limit_requests', 'c upstream_truncated +200', 'b upstream_truncated'],
    calls: ['a 0', 'c 100', 'b 400'],
  },
  {
    name: 'one fails, the others have no room, and nowhere is a queue: what has really happened, at once',
    backends: { b: ONE, c: ONE },
    parts: { a: says(100, 'overload') },
    full: { b: [0, FAR], c: [0, FAR] },
    by: 'upstream_overloaded',
    atMs: 100,
    attempts: ['a upstream_overloaded', 'b backend_limit_requests', 'c backend_limit_requests'],
    calls: ['a 0'],
  },
  {
    name: 'no room in time: the refusal, and when to come again',
    parts: { a: says(100, 'overload'), c: says(100, 'reset') },
    full: { b: [0, FAR] },
    by: 'backend_limit_requests',
    atMs: 800,
    attempts: ['a upstream_overloaded', 'b backend_limit_requests', 'c upstream_truncated +600'],
    calls: ['a 0', 'c 100'],
    reason: 'refused',
  },
  {
    name: 'no longer than the deadline of the whole',
    entry: 'totalDeadlineMs: 500',
    parts: { a: says(100, 'overload'), c: says(100, 'reset') },
    full: { b: [0, FAR] },
    by: 'backend_limit_requests',
    atMs: 500,
    attempts: ['a upstream_overloaded', 'b backend_limit_requests', 'c upstream_truncated +300'],
    calls: ['a 0', 'c 100'],
    reason: 'refused',
  },
  {
    name: 'nobody has room, and nowhere is a queue: when the first will have some',
    backends: { a: RATE, b: ONE, c: RATE },
    full: { a: [0, 50], b: [0, FAR], c: [0, 50] },
    by: 'backend_limit_requests',
    atMs: 0,
    attempts: ['a backend_limit_requests', 'b backend_limit_requests', 'c backend_limit_requests'],
    calls: [],
    reason: 'refused',
  },
  {
    name: 'no queue there: the last failure, at once',
    backends: { b: ONE },
    parts: { a: says(100, 'overload'), c: says(100, 'reset') },
    full: { b: [0, 400] },
    by: 'upstream_truncated',
    atMs: 200,
    attempts: ['a upstream_overloaded', 'b backend_limit_requests', 'c upstream_truncated'],
    calls: ['a 0', 'c 100'],
  },
  {
    name: 'requests that come back too late: at once',
    backends: { b: `, rpm: 1, retries: 0, breaker: off, queue: { max: 1, waitMs: 600 }` },
    parts: { a: says(100, 'overload'), c: says(100, 'reset') },
    full: { b: [0, 50] },
    by: 'upstream_truncated',
    atMs: 200,
    attempts: ['a upstream_overloaded', 'b backend_limit_requests', 'c upstream_truncated'],
    calls: ['a 0', 'c 100'],
  },
  {
    name: 'a failure that is the last word is told at once',
    parts: { b: says(100, 'wrong') },
    full: { a: [0, 400] },
    by: 'invalid_value',
    atMs: 100,
    attempts: ['a backend_limit_requests', 'b invalid_value'],
    calls: ['b 0'],
    reason: 'vendor_error',
  },
  {
    name: 'moderation is not dodged by waiting',
    parts: { b: says(100, 'moderated') },
    full: { a: [0, 400] },
    by: 'content_filter',
    atMs: 100,
    attempts: ['a backend_limit_requests', 'b content_filter'],
    calls: ['b 0'],
    reason: 'vendor_error',
  },
  {
    name: 'a caller that leaves while it waits: nothing more is sent',
    parts: { a: says(100, 'overload'), c: says(100, 'reset') },
    full: { b: [0, 500] },
    act: [350, 'leave'],
    by: 'backend_limit_requests',
    atMs: 350,
    attempts: ['a upstream_overloaded', 'b backend_limit_requests', 'c upstream_truncated +150'],
    calls: ['a 0', 'c 100'],
    reason: 'client_gone',
  },
  {
    name: 'a shutdown while it waits',
    parts: { a: says(100, 'overload'), c: says(100, 'reset') },
    full: { b: [0, 500] },
    act: [350, 'cut'],
    by: 'draining',
    atMs: 350,
    attempts: ['a upstream_overloaded', 'b backend_limit_requests', 'c upstream_truncated +150'],
    calls: ['a 0', 'c 100'],
  },
  {
    name: 'a breaker that has opened meanwhile: nothing is waited for any more, and what has really happened is told',
    backends: { b: QUEUE.replace(', breaker: off', '') },
    parts: { a: says(100, 'overload'), c: says(100, 'reset') },
    full: { b: [0, 500] },
    act: [350, 'bar b'],
    by: 'upstream_truncated',
    atMs: 450,
    attempts: ['a upstream_overloaded', 'b backend_limit_requests', 'c upstream_truncated +250', 'b upstream_auth'],
    calls: ['a 0', 'c 100'],
  },
  {
    name: 'a retry of its own is due to whoever was waited for',
    backends: { b: QUEUE.replace('retries: 0', 'retries: 1') },
    parts: { a: says(100, 'overload'), b: says(100, 'reset'), c: says(100, 'overload') },
    later: { b: [450, ANSWER] },
    full: { b: [0, 400] },
    by: 'b',
    atMs: 600,
    attempts: ['a upstream_overloaded', 'b backend_limit_requests', 'c upstream_overloaded +200', 'b upstream_truncated', 'b'],
    calls: ['a 0', 'c 100', 'b 400', 'b 500'],
  },
  {
    name: 'a retry that finds no room any more waits for it',
    backends: { c: QUEUE.replace('retries: 0', 'retries: 1') },
    parts: { a: says(100, 'overload'), b: says(100, 'overload'), c: says(100, 'overload') },
    later: { c: [1_000, ANSWER] },
    full: { c: [350, 1_500] },
    by: 'c',
    atMs: 1_600,
    attempts: ['a upstream_overloaded', 'b upstream_overloaded', 'c upstream_overloaded', 'c backend_limit_requests +200', 'c'],
    calls: ['a 0', 'b 100', 'c 200', 'c 1500'],
  },
  {
    name: 'waiting gives nobody more retries',
    backends: { c: QUEUE.replace('retries: 0', 'retries: 1') },
    parts: { a: says(100, 'overload'), b: says(100, 'overload'), c: says(100, 'overload') },
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
  test.each(ROWS)('$name', async (row) => {
    const on = stage({
      parts: { a: ANSWER, b: ANSWER, c: ANSWER, ...row.parts },
      entry: row.entry ?? `totalDeadlineMs: ${DEADLINE_MS}`,
      backends: { a: QUEUE, b: QUEUE, c: QUEUE, ...row.backends },
    });
    const events: [number, () => void][] = [];
    const at = (ms: number, act: () => void): void => void events.push([ms, act]);
    for (const [name, [from, until]] of Object.entries(row.full) as [Name, readonly [number, number]][]) {
      let release = (): void => undefined;
      at(from, () => {
        release = on.hold(name);
      });
      at(until, () => release());
    }
    for (const [name, [ms, part]] of Object.entries(row.later ?? {}) as [Name, readonly [number, Part]][]) {
      at(ms, () => {
        on.parts[name] = part;
      });
    }
    let asked: ReturnType<typeof on.ask> | undefined;
    let overAtMs = Number.NaN;
    at(0, () => {
      asked = on.ask(stream);
      void asked.ended.then(() => {
        overAtMs = on.clock.ms;
      });
    });
    const acts = {
      leave: () => asked?.leave(),
      cut: on.cut,
      'bar b': () =>
        (on.health.enter({ backend: on.config.backends['b'] as Backend, model: 'glm-4.6' }) as Pass).failed(
          new OpenAIError('upstream_auth', ''),
        ),
    };
    if (row.act !== undefined) at(row.act[0], acts[row.act[1]]);
    for (const [ms, act] of events.sort(([one], [other]) => one - other)) {
      await on.until(ms);
      act();
    }
    await on.until(FAR);
    const [record] = on.records;
    const told = asked?.told;
    const by = told?.error?.kind ?? ((asked?.out.text ?? '') + (told?.json ?? '')).match(/from (\w)/)?.[1];
    const shownWaits = (attempts: readonly Attempt[]): string[] =>
      shown(attempts).map((text, index) => `${text}${attempts[index]?.queuedMs === undefined ? '' : ` +${attempts[index].queuedMs}`}`);
    const numberOf = (id: string): string => id.match(/-r(\d+)$/)?.[1] ?? '0';
    expect({
      by,
      atMs: overAtMs,
      attempts: shownWaits(record?.attempts ?? []),
      calls: on.calls.map(({ backend, atMs }) => `${backend} ${atMs}`),
      reason: record?.reason,
    }).toEqual({
      by: row.by,
      atMs: row.atMs,
      attempts: row.attempts,
      calls: row.calls,
      reason: row.reason ?? (row.by.length === 1 ? 'done' : 'vendor_error'),
    });
    if (row.by === 'backend_limit_requests')
      expect(told?.error).toMatchObject({ status: 429, details: { retryAfterMs: 1_000, limit: 'backend.concurrency' } });
    // What was sent has a number of its own, and the record has the same.
    const sent = record?.attempts.flatMap(({ number, error, unsent }, place) =>
      unsent === true || error?.startsWith('backend_limit_') ? [] : [number ?? place],
    );
    expect(sent).toEqual(on.calls.map(({ id }) => Number(numberOf(id))));
    expect(new Set(sent).size).toBe(on.calls.length);
    // The team pays once.
    expect(on.settlements.filter(({ owner }) => owner === 'team/t')).toHaveLength(1);
    expect(on.records).toHaveLength(1);
    expect(await on.held()).toEqual(NOTHING_HELD);
    expect(on.faults).toEqual([]);
  });
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
