import { describe, expect, test } from 'vitest';
import type { Name, Part } from './played-backends.ts';
import { NOTHING_HELD, shown, stage } from './stage.ts';

/** Who answers, and which attempts the record then has, in order. Hedged after 500 ms. */
interface Row {
  readonly name: string;
  readonly parts: Readonly<Partial<Record<Name, Part>>>;
  /** Whose answer the caller gets; or the error. */
  readonly by: Name | string;
  readonly attempts: readonly string[];
  readonly hedge?: string;
  /** Ms at which the relay closed a call. */
  readonly aborted?: Readonly<Partial<Record<Name, number>>>;
}

const ROWS: Row[] = [
  {
    name: 'quick: nobody else is called',
    parts: {
      a: [
        [200, 'text'],
        [450, 'done'],
      ],
    },
    by: 'a',
    attempts: ['a'],
  },
  {
    name: 'slow: the second is first',
    parts: { a: [[2_000, 'done']], b: [[200, 'done']] },
    by: 'b',
    attempts: ['a hedged', 'b beside'],
    hedge: 'won',
    aborted: { a: 700 },
  },
  {
    name: 'slow, and first all the same',
    parts: { a: [[900, 'done']], b: [[1_000, 'done']] },
    by: 'a',
    attempts: ['b beside hedged', 'a'],
    hedge: 'lost',
    aborted: { b: 900 },
  },
  {
    name: 'a chunk without text is no answer',
    parts: {
      a: [
        [100, 'role'],
        [300, 'role'],
        [2_000, 'done'],
      ],
      b: [[200, 'done']],
    },
    by: 'b',
    attempts: ['a hedged', 'b beside'],
    hedge: 'won',
    aborted: { a: 700 },
  },
  {
    name: 'the second fails: the first is waited for',
    parts: { a: [[1_500, 'done']], b: [[100, 'overload']] },
    by: 'a',
    attempts: ['b beside upstream_overloaded', 'a'],
    hedge: 'failed',
  },
  {
    name: 'the first fails: the second is waited for',
    parts: { a: [[700, 'reset']], b: [[1_000, 'done']] },
    by: 'b',
    attempts: ['a upstream_truncated', 'b beside'],
    hedge: 'won',
  },
  {
    name: 'the first fails, then the second: the third',
    parts: { a: [[700, 'reset']], b: [[400, 'overload']], c: [[100, 'done']] },
    by: 'c',
    attempts: ['a upstream_truncated', 'b beside upstream_overloaded', 'c'],
    hedge: 'failed',
  },
  {
    name: 'the second fails, then the first: the third',
    parts: { a: [[900, 'overload']], b: [[100, 'reset']], c: [[100, 'done']] },
    by: 'c',
    attempts: ['a upstream_overloaded', 'b beside upstream_truncated', 'c'],
    hedge: 'failed',
  },
  {
    name: 'all fail: the last failure counts',
    parts: { a: [[700, 'reset']], b: [[400, 'reset']], c: [[100, 'overload']] },
    by: 'upstream_overloaded',
    attempts: ['a upstream_truncated', 'b beside upstream_truncated', 'c upstream_overloaded'],
    hedge: 'failed',
  },
  {
    name: 'a refusal of the content by the first is the last word',
    parts: { a: [[700, 'moderated']], b: [[400, 'done']] },
    by: 'content_filter',
    attempts: ['b beside hedged', 'a content_filter'],
    hedge: 'lost',
    aborted: { b: 700 },
  },
  {
    name: 'a refusal of the content by the second is no word while the first may answer',
    parts: { a: [[1_500, 'done']], b: [[100, 'moderated']] },
    by: 'a',
    attempts: ['b beside content_filter', 'a'],
    hedge: 'failed',
  },
  {
    name: 'but the last one once the first has failed',
    parts: { a: [[900, 'reset']], b: [[100, 'moderated']], c: [[100, 'done']] },
    by: 'content_filter',
    attempts: ['a upstream_truncated', 'b beside content_filter'],
    hedge: 'failed',
  },
  {
    name: 'in the same moment: one of them',
    parts: { a: [[700, 'done']], b: [[200, 'done']] },
    by: 'a',
    attempts: ['b beside hedged', 'a'],
    hedge: 'lost',
  },
  {
    name: 'the last word in the moment in which the second is first: it has begun',
    parts: {
      a: [[700, 'moderated']],
      b: [
        [200, 'text'],
        [200, 'done'],
      ],
    },
    by: 'b',
    attempts: ['a content_filter', 'b beside'],
    hedge: 'won',
  },
  {
    name: 'failed in the moment in which the second is first',
    parts: { a: [[700, 'reset']], b: [[200, 'done']] },
    by: 'b',
    attempts: ['a upstream_truncated', 'b beside'],
    hedge: 'won',
  },
];

describe.each([false, true])('streamed: %s', (stream) => {
  test.each(ROWS)('$name', async ({ parts, by, attempts, hedge, aborted = {} }) => {
    const on = stage({ parts });
    const { ask, until, calls, records, faults, held } = on;
    const { out, told, chosen, ended } = ask(stream);
    await until(4_000);
    expect(told.over).toBe(true);
    await ended;
    const [record] = records;
    expect(records).toHaveLength(1);
    expect(shown(record?.attempts ?? [])).toEqual(attempts);
    expect(record?.hedge).toBe(hedge);
    // The caller sees one answer, and whose it is.
    const isAnswered = by.length === 1;
    if (isAnswered) {
      expect(stream ? out.text : told.json).toContain(stream ? '"."' : `from ${by}.`);
      if (stream) expect(out).toMatchObject({ started: 1, ended: 1, chosenAtStart: by });
      for (const other of ['a', 'b', 'c'].filter((name) => name !== by))
        expect(out.text + (told.json ?? '')).not.toContain(`from ${other}`);
      expect(record).toMatchObject({ reason: 'done', usage: { promptTokens: 3, completionTokens: 2, source: 'vendor' } });
      expect(record?.attempts.at(-1)?.backend).toBe(by);
    } else {
      expect(told.error?.kind).toBe(by);
      expect(out).toMatchObject({ text: '', started: 0 });
    }
    expect(chosen.at(-1)).toBe(record?.attempts.at(-1)?.backend);
    // No backend is asked twice, none is asked under an id that another one has.
    expect(new Set(calls.map(({ backend }) => backend)).size).toBe(calls.length);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(calls.length);
    expect(
      Object.fromEntries(calls.flatMap(({ backend, abortedAtMs }) => (abortedAtMs === null ? [] : [[backend, abortedAtMs]]))),
    ).toMatchObject(aborted);
    // Limits: once for the team, once for each call; nothing stays taken.
    const { settlements } = on;
    expect(settlements.filter(({ owner }) => owner === 'team/t')).toHaveLength(1);
    expect(
      settlements
        .filter(({ owner }) => owner.startsWith('backend/'))
        .map(({ owner }) => owner)
        .sort(),
    ).toEqual(calls.map(({ backend }) => `backend/${backend}`).sort());
    // What came of a call has one name in all books.
    const cancelled = (record?.attempts ?? []).flatMap(({ backend, error }) => (error === 'hedged' ? [`backend/${backend}`] : []));
    expect(settlements.flatMap(({ owner, reason }) => (reason === 'hedged' ? [owner] : []))).toEqual(cancelled);
    expect(settlements.some(({ reason }) => reason === 'client_gone')).toBe(false);
    expect(await held()).toEqual(NOTHING_HELD);
    expect(faults).toEqual([]);
  });
});
