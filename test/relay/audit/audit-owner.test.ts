import { describe, expect, test } from 'vitest';
import type { Limits } from '../../../config/config.ts';
import { OwnerAuditor } from '../../../relay/audit/audit-owner.ts';
import { uncoveredLimits } from '../../../relay/audit/audited-limits.ts';
import { bookedUse } from '../../../relay/audit/booked-use.ts';
import type { LedgerEntry } from '../../../relay/ledger/ledger-entry.ts';
import type { ClosingLine } from '../../../relay/quota/lines.ts';
import type { OpenReservation, Snapshot } from '../../../relay/quota/store.ts';
import { BUDGET, limitsOf, line, MONTH_END, NOW, snapshot } from './lines.ts';

const LIMITS: Limits = { concurrency: 9, budget: { amount: 1, currency: 'CNY', per: 'month' } };
const SLOTS = 'team/concurrency';

const level = (used: number, slots: number, more: Partial<Snapshot> = {}): Snapshot =>
  snapshot({ [BUDGET]: { kind: 'window', used, endUs: MONTH_END * 1000 }, [SLOTS]: { kind: 'slots', used: slots } }, more);

const open = (id: string, seq: number): OpenReservation => ({
  id,
  seq,
  at: (NOW - 9_000) * 1000,
  deadlineUs: NOW * 2000,
  taken: new Map([
    [BUDGET, 500],
    [SLOTS, 1],
  ]),
  about: '',
});

const closing = (id: string, seq: number, takenSeq: number, more: Partial<ClosingLine> = {}): ClosingLine => ({
  kind: 'close',
  line: `${seq}`,
  seq,
  at: NOW * 1000,
  id,
  reason: 'done',
  source: 'vendor',
  actual: { requests: 1, tokens: 30, nanoCny: 200, nanoUsd: 0 },
  corrects: false,
  takenAt: (NOW - 9_000) * 1000,
  takenSeq,
  moves: [
    { bucket: BUDGET, reserved: 500, actual: 200 },
    { bucket: SLOTS, reserved: 1, actual: 0 },
  ],
  about: '',
  ...more,
});
const lapsed = (id: string, seq: number, takenSeq: number): ClosingLine =>
  closing(id, seq, takenSeq, {
    reason: 'expired',
    source: null,
    actual: null,
    moves: [
      { bucket: BUDGET, reserved: 500, actual: 500 },
      { bucket: SLOTS, reserved: 1, actual: 0 },
    ],
  });

interface Case {
  readonly before: Snapshot;
  readonly earlier?: readonly ClosingLine[];
  readonly books?: readonly LedgerEntry[];
  readonly lines?: readonly ClosingLine[];
  readonly after?: Snapshot;
}

function audited({ before, earlier = [], books = [], lines = [], after = before }: Case) {
  const auditor = new OwnerAuditor('team/blue', before, earlier, limitsOf(LIMITS));
  for (const entry of books) auditor.add(entry);
  return auditor.end(lines, after);
}

const DONE = line('a', 300);

describe('no drift while requests begin and end', () => {
  test.each<readonly [string, Case]>([
    ['all is quiet', { before: level(200, 0), books: [DONE] }],
    ['one runs', { before: level(700, 1, { open: [open('b', 9)] }), books: [DONE] }],
    [
      'one that ran has ended, and is booked',
      {
        before: level(700, 1, { open: [open('b', 9)] }),
        books: [DONE, line('b', 0)],
        lines: [closing('b', 11, 9)],
        after: level(400, 0, { seq: 11 }),
      },
    ],
    [
      'one has begun and ended since, and is booked',
      { before: level(200, 0), books: [DONE, line('b', -1)], lines: [closing('b', 12, 11)], after: level(400, 0, { seq: 12 }) },
    ],
    [
      'one has begun since, and its line is early',
      { before: level(200, 0), books: [DONE, line('b', -1)], after: level(700, 1, { seq: 11, open: [open('b', 11)] }) },
    ],
    [
      'one has begun since, and ends before its lines are read',
      {
        before: level(200, 0),
        books: [DONE],
        lines: [closing('b', 12, 11)],
        after: level(700, 1, { seq: 11, open: [open('b', 11)] }),
      },
    ],
    ['a lease has ended, and is not booked yet', { before: level(700, 0), earlier: [lapsed('b', 10, 9)], books: [DONE] }],
    [
      'a lease has ended, and is booked',
      {
        before: level(700, 0),
        earlier: [lapsed('b', 10, 9)],
        books: [DONE, line('b', 60, { costNano: 500, usageSource: 'reserved', reason: 'expired' })],
      },
    ],
    [
      'its truth has come since',
      {
        before: level(700, 0),
        earlier: [lapsed('b', 10, 9)],
        books: [DONE, line('b', 0)],
        lines: [closing('b', 11, 9, { corrects: true, moves: [{ bucket: BUDGET, reserved: 500, actual: 200 }] })],
        after: level(400, 0, { seq: 11 }),
      },
    ],
  ])('%s', (_, one) => {
    expect(audited(one)).toEqual({ findings: [], notes: [] });
  });
});

describe('drift', () => {
  test.each<readonly [string, Case, object]>([
    ['a slot that nobody holds', { before: level(0, 1) }, { bucket: SLOTS, kind: 'slots', expected: 0, found: 1 }],
    [
      'a slot that is free although it is held',
      { before: level(500, 0, { open: [open('b', 9)] }) },
      { bucket: SLOTS, expected: 1, found: 0 },
    ],
    [
      'slots that are gone',
      { before: snapshot({ [BUDGET]: { kind: 'window', used: 500, endUs: MONTH_END * 1000 } }, { open: [open('b', 9)] }) },
      { bucket: SLOTS, kind: 'slots', expected: 1, found: 0 },
    ],
    [
      'a level that moved without a line',
      { before: level(0, 0), after: level(5, 0) },
      { bucket: BUDGET, kind: 'heard', expected: 0, found: 5 },
    ],
    ['a line that was lost', { before: level(200, 0) }, { bucket: BUDGET, kind: 'window', expected: 0, found: 200 }],
  ])('%s', (_, one, finding) => {
    expect(audited(one).findings).toMatchObject([finding]);
  });
});

describe('what cannot be said is a note', () => {
  test.each<readonly [string, Case]>([
    ['Redis was emptied', { before: level(200, 0), books: [DONE], after: snapshot({}, { seq: 2, sinceUs: NOW * 1000 }) }],
    [
      'not every step was heard',
      { before: level(200, 0), books: [DONE], lines: [closing('b', 14, 13)], after: level(999, 0, { seq: 14 }) },
    ],
    ['not checked against the books: 1 of a limit that holds no more', { before: snapshot({ 'team/rpd': { kind: 'slots', used: 0 } }) }],
  ])('%s', (note, one) => {
    const { findings, notes } = audited(one);
    expect([findings, notes]).toEqual([[], [expect.stringContaining(note)]]);
  });
});

test('of a backend the slots are checked, and nothing is asked of the books', () => {
  const before = snapshot({ 'backend/b/concurrency': { kind: 'slots', used: 3 } });
  const limit = {
    name: 'backend.concurrency',
    bucket: 'backend/b/concurrency',
    measure: 'concurrency',
    law: { kind: 'slots', amount: 5 },
  } as const;
  const auditor = new OwnerAuditor('backend/b', before, [], uncoveredLimits([limit]));
  expect(auditor.fromMs).toBeNull();
  expect(auditor.end([], before)).toMatchObject({ findings: [{ kind: 'slots', expected: 0, found: 3 }], notes: [] });
});

describe('what the limits were told of a line', () => {
  const thrown = (costNano: number, currency: 'CNY' | 'USD') =>
    JSON.stringify([
      { error: null, upstreamCode: null, discarded: { promptTokens: 3, completionTokens: 4, cost: { amountNano: costNano, currency } } },
    ]);
  test.each([
    ['an answer', {}, { tokens: 30, nanoCny: 200, nanoUsd: 0 }],
    ['parallel calls pay the prompt each time', { paidPromptTokens: 40 }, { tokens: 60, nanoCny: 200 }],
    ['an answer that was thrown away', { attempts: thrown(9, 'CNY') }, { tokens: 37, nanoCny: 209 }],
    ['in another currency', { attempts: thrown(9, 'USD') }, { tokens: 37, nanoCny: 200, nanoUsd: 0 }],
    ['no known price', { costNano: null, currency: null }, { tokens: 30, nanoCny: 1_400_000, nanoUsd: 210_000 }],
    ['nothing, and no backend was reached', { usageSource: null }, null],
    [
      'nothing, of a backend that failed',
      {
        usageSource: null,
        paidPromptTokens: 0,
        completionTokens: 0,
        costNano: null,
        currency: null,
        attempts: '[{"error":"upstream_timeout","upstreamCode":null}]',
      },
      { requests: 1, tokens: 0, nanoCny: 0 },
    ],
  ] as const)('%s', (_, more, use) => {
    const found = bookedUse(line('a', 1, more));
    if (use === null) expect(found).toBeNull();
    else expect(found).toMatchObject(use);
  });
});
