import { describe, expect, test } from 'vitest';
import { OpenAIError } from '../../../openai/errors.ts';
import { Pass } from '../../../relay/routing/pass.ts';
import type { Place } from '../../../relay/routing/route-table.ts';
import { played } from './one-request.ts';
import type { Part } from './played-backends.ts';
import { NOTHING_HELD, type StageOptions, stage } from './stage.ts';

const SILENT: Part = [];
const at = (ms: number): Part => [[ms, 'done']];

const closed = (calls: ReturnType<typeof stage>['calls']) => calls.map(({ backend, abortedAtMs }) => [backend, abortedAtMs]);

describe.each([false, true])('streamed: %s', (stream) => {
  test('a caller that leaves ends both, at once; what they cost is an estimate', async () => {
    const { calls, record, called } = await played(stream, { parts: { a: SILENT, b: SILENT } }, (_, leave) => leave(), 800);
    expect(closed(calls)).toEqual([
      ['a', 800],
      ['b', 800],
    ]);
    expect(record).toMatchObject({ reason: 'client_gone', hedge: 'lost', usage: { promptTokens: 5, source: 'estimated' } });
    expect(called).toEqual(['b beside hedged', 'a']);
    expect(record.attempts[0]?.discarded).toMatchObject({ promptTokens: 5, completionTokens: 0, estimated: true });
  });

  test('a caller that leaves when the first has failed ends the second', async () => {
    const parts = { a: [[700, 'reset']] as Part, b: SILENT };
    const { calls, record, called } = await played(stream, { parts }, (_, leave) => leave(), 800);
    expect(closed(calls)).toEqual([
      ['a', null],
      ['b', 800],
    ]);
    expect(record).toMatchObject({ reason: 'client_gone', hedge: 'lost' });
    expect(called).toEqual(['a upstream_truncated', 'b beside']);
  });

  test('once a request: after two that failed the others are asked one by one', async () => {
    const parts: StageOptions['parts'] = { a: [[700, 'reset']], b: [[400, 'reset']], c: at(1_500), d: at(100) };
    const { called } = await played(stream, { parts, four: true, entry: 'hedge: { after: 500, mostPercent: 100 }' }, () => undefined, 50);
    expect(called).toEqual(['a upstream_truncated', 'b beside upstream_truncated', 'c']);
  });

  test('for a key that drains, the first is read to its end, and the second cancelled', async () => {
    const options: StageOptions = { parts: { a: at(1_500), b: at(2_000) }, onDisconnect: 'drain' };
    const { calls, record, called } = await played(stream, options, (_, leave) => leave(), 800);
    expect(closed(calls)).toEqual([
      ['a', null],
      ['b', 800],
    ]);
    expect(record).toMatchObject({ reason: 'client_gone', usage: { promptTokens: 3, completionTokens: 2, source: 'vendor' } });
    expect(called).toEqual(['b beside hedged', 'a']);
  });

  test('the end of the process ends both', async () => {
    const { calls, record, called, told } = await played(stream, { parts: { a: SILENT, b: SILENT } }, ({ cut }) => cut(), 800);
    expect(closed(calls)).toEqual([
      ['a', 800],
      ['b', 800],
    ]);
    expect(told.error?.kind).toBe('draining');
    expect(called).toEqual(['b beside draining', 'a draining']);
    expect(record.status).toBe(503);
  });

  test('the deadline of the name ends both, and nobody else is asked', async () => {
    const options = { parts: { a: SILENT, b: SILENT, c: at(50) }, entry: 'hedge: 500, totalDeadlineMs: 1000' };
    const { calls, record, told } = await played(stream, options, () => undefined, 50);
    expect(closed(calls)).toEqual([
      ['a', 1000],
      ['b', 1000],
    ]);
    expect(told.error?.kind).toBe('upstream_timeout');
    expect(record.attempts.map(({ error }) => error)).toEqual(['upstream_timeout', 'upstream_timeout']);
  });

  test.each([
    ['longer', 400, 1_000],
    ['shorter', 1_000, 400],
  ])('a deadline of the name that is %s than that of the server holds', async (_, server, own) => {
    const options: StageOptions = { parts: { a: SILENT }, entry: `totalDeadlineMs: ${own}`, server: `{ totalDeadlineMs: ${server} }` };
    const { calls } = await played(stream, options, () => undefined, 50);
    expect(closed(calls)).toEqual([['a', own]]);
  });

  test('a deadline before the hedge: nobody is called beside', async () => {
    const options = { parts: { a: SILENT, b: at(50) }, entry: 'hedge: 500, totalDeadlineMs: 400' };
    const { calls, record } = await played(stream, options, () => undefined, 50);
    expect(calls.map(({ backend }) => backend)).toEqual(['a']);
    expect(record).not.toHaveProperty('hedge');
  });

  test('the budget: one to begin with, then as many of 100 requests as are given', async () => {
    const on = stage({ parts: { a: at(1_000), b: at(100) }, entry: 'hedge: { after: 500, mostPercent: 20 }' });
    for (let count = 1; count <= 15; count++) {
      on.ask(stream);
      await on.until(count * 2_000);
    }
    const won = on.records.flatMap(({ hedge }, index) => (hedge === 'won' ? [index + 1] : []));
    expect(won).toEqual([1, 5, 10, 15]);
    expect(new Set(on.records.flatMap(({ hedge }) => hedge ?? 'none'))).toEqual(new Set(['won', 'over-budget']));
    expect(await on.held()).toEqual(NOTHING_HELD);
  });

  test('where nobody else has room, nobody is called, and the budget is as it was', async () => {
    const options: StageOptions = {
      parts: { a: at(2_000), b: at(100), c: at(100) },
      entry: 'hedge: { after: 500, mostPercent: 1 }',
      backends: { b: ', rpm: 1, retries: 0', c: ', rpm: 1, retries: 0' },
    };
    const on = stage(options);
    for (const name of ['b/glm-4.6', 'c/ernie-4.5-turbo-128k']) on.take(name.slice(0, 1) as 'b' | 'c');
    on.ask(stream);
    await on.until(2_500);
    expect(on.records[0]).toMatchObject({ hedge: 'no-room', attempts: [{ backend: 'a', error: null }] });
    expect(on.records[0]?.attempts).toHaveLength(1);
    on.ask(stream);
    await on.until(60_000);
    on.ask(stream);
    await on.until(63_000);
    expect(on.records.map(({ hedge }) => hedge)).toEqual(['no-room', 'no-room', 'won']);
    expect(await on.held()).toEqual(NOTHING_HELD);
  });

  test.each(['open', 'half-open'])('a breaker that is %s: the next one is called, and no probe is made of a hedge', async (state) => {
    const on = stage({ parts: { a: at(1_000), b: at(100), c: at(100) } });
    const { b } = on.config.backends;
    const place: Place = { backend: b as NonNullable<typeof b>, model: 'glm-4.6' };
    const pass = on.health.enter(place) as Pass;
    pass.failed(new OpenAIError('upstream_rate_limit_requests', 'x', { retryAfterMs: state === 'open' ? 60_000 : 1, fallback: true }));
    on.ask(stream);
    await on.until(2_000);
    expect(on.calls.map(({ backend }) => backend)).toEqual(['a', 'c']);
    expect(on.records[0]).toMatchObject({ hedge: 'won' });
    // The probe is still to be had.
    expect(on.health.enter(place) instanceof Pass).toBe(state === 'half-open');
  });

  test('within a tier; a higher one is for failures', async () => {
    const on = stage({
      parts: { a: at(1_000), b: at(100), c: at(100) },
      entry: 'strategy: weighted, affinity: off, hedge: 500',
      tiers: [0, 1, 0],
    });
    on.ask(stream);
    await on.until(2_000);
    expect(on.calls.map(({ backend }) => backend)).toEqual(['a', 'c']);
  });
});

test('a caller that leaves in the middle of the second one’s answer ends that', async () => {
  const b: Part = [
    [200, 'text'],
    [1_500, 'done'],
  ];
  const { calls, record, called } = await played(true, { parts: { a: SILENT, b } }, (_, leave) => leave(), 900);
  expect(closed(calls)).toEqual([
    ['a', 700],
    ['b', 900],
  ]);
  expect(record).toMatchObject({ reason: 'client_gone', hedge: 'lost', usage: { source: 'estimated' } });
  expect(called).toEqual(['a hedged', 'b beside']);
});

test('the last word of the first, in the moment in which the second one’s answer begins, does not end that', async () => {
  const parts: StageOptions['parts'] = {
    a: [[700, 'moderated']],
    b: [
      [200, 'text'],
      [600, 'done'],
    ],
  };
  const { calls, out, record, called } = await played(true, { parts }, () => undefined, 50);
  expect(closed(calls)).toEqual([
    ['a', null],
    ['b', null],
  ]);
  expect(out).toMatchObject({ started: 1, ended: 1 });
  expect(record).toMatchObject({ reason: 'done', hedge: 'won', usage: { source: 'vendor' } });
  expect(called).toEqual(['a content_filter', 'b beside']);
});

describe('p95', () => {
  test('off until 20 answers are known; then as long as 95 of 100 of them took', async () => {
    // The 20th is as slow as the one after it, which is hedged.
    const on = stage({ parts: { a: [[300, 'done']], b: at(50) }, entry: 'hedge: p95' });
    for (let count = 1; count <= 20; count++) {
      on.ask(true);
      await on.until(count * 1_000);
    }
    expect(on.calls.map(({ backend }) => backend)).toEqual(Array.from({ length: 20 }, () => 'a'));
    on.parts.a = [[1_000, 'done']];
    on.ask(false);
    await on.until(22_000);
    // Whole answers are another thing: nothing is known of them.
    expect(on.calls.at(-1)).toMatchObject({ backend: 'a' });
    on.ask(true);
    await on.until(24_000);
    expect(on.calls.at(-1)).toMatchObject({ backend: 'b', atMs: 22_300 });
    expect(on.records.at(-1)).toMatchObject({ hedge: 'won' });
  });

  test('calls that were given up count with the time they had', async () => {
    const on = stage({ parts: { a: SILENT, b: at(100) }, entry: 'hedge: { after: p95, mostPercent: 100 }' });
    for (let count = 0; count < 20; count++) on.hedging.answered('a/qwen-plus', true, 300);
    for (let count = 1; count <= 3; count++) {
      on.ask(true);
      await on.until(count * 5_000);
    }
    expect(on.records.map(({ hedge }) => hedge)).toEqual(['won', 'won', 'won']);
    expect(on.hedging.afterMs({ after: 'p95', mostPercent: 100 }, 'a/qwen-plus', true)).toBe(400);
  });
});

test('with `latency` a silent candidate looks as slow as it was waited for, and comes second then', async () => {
  const on = stage({ parts: { a: SILENT, b: at(100) }, entry: 'strategy: latency, affinity: off, hedge: 500' });
  for (let count = 1; count <= 2; count++) {
    on.ask(true);
    await on.until(count * 2_000);
  }
  expect(on.calls.map(({ backend }) => backend)).toEqual(['a', 'b', 'b']);
  expect(on.records.map(({ hedge }) => hedge)).toEqual(['won', undefined]);
});
