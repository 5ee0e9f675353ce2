import { describe, expect, test } from 'vitest';
import type { Limits } from '../../../config/config.ts';
import { nearestSum, WindowAudit } from '../../../relay/audit/audit-windows.ts';
import type { LedgerEntry } from '../../../relay/ledger/ledger-entry.ts';
import type { Begun } from '../../../relay/quota/store.ts';
import { BUDGET, limitsOf, line, MONTH, MONTH_END, NOW, snapshot } from './lines.ts';

const MONTHLY: Limits = { budget: { amount: 1, currency: 'CNY', per: 'month' } };

interface Case {
  readonly used: number;
  readonly lines?: readonly LedgerEntry[];
  readonly held?: number;
  readonly begun?: Begun;
}

function audited({ used, lines = [], held = 0, begun }: Case, limits: Limits = MONTHLY, bucket = BUDGET) {
  const buckets = { [bucket]: { kind: 'window', used, endUs: MONTH_END * 1000 } } as const;
  const before = snapshot(buckets, { begun: new Map(begun === undefined ? [] : [[bucket, begun]]) });
  const audit = new WindowAudit('team/blue', before, limitsOf(limits));
  for (const entry of lines) audit.add(entry);
  return audit.end(held === 0 ? [] : [{ at: NOW * 1000, taken: new Map([[bucket, held]]) }]);
}

const TWO = [line('a', 600), line('b', 300)];
const fresh = (s: number): Begun => ({ atUs: (NOW - s * 1000) * 1000, fresh: true });

describe('no drift', () => {
  test.each<readonly [string, Case]>([
    ['what the lines cost', { used: 400, lines: TWO }],
    ['and what is reserved', { used: 900, lines: TWO, held: 500 }],
    ['nothing at all', { used: 0 }],
    ['a request that never reached a backend', { used: 400, lines: [...TWO, line('c', 9, { usageSource: null, attempts: '[]' })] }],
    ['a request of another team’s month', { used: 400, lines: [...TWO, line('c', 0, { atMs: MONTH - 7_200_000 })] }],
    ['one at the start of the month that is in it', { used: 200, lines: [line('a', 0, { atMs: MONTH - 5 })] }],
    ['one at the start of the month that is not', { used: 0, lines: [line('a', 0, { atMs: MONTH + 5 })] }],
    ['what a process admitted alone, not in Redis', { used: 400, lines: [...TWO, line('c', 9, { heldBy: 'local', costNano: 7 })] }],
    ['or in Redis, rebuilt from the books', { used: 407, lines: [...TWO, line('c', 9, { heldBy: 'local', costNano: 7 })] }],
    [
      'a stream that ran when the budget was put there',
      { used: 200, lines: [line('a', 600), line('b', 0, { totalMs: 200_000 })], begun: fresh(60) },
    ],
    ['the request that the bucket began with', { used: 200, lines: [line('a', 30)], begun: fresh(30) }],
  ])('%s', (_, one) => {
    expect(audited(one).findings).toEqual([]);
  });
});

describe('drift', () => {
  test.each<readonly [string, Case, number]>([
    ['less than the books', { used: 395, lines: TWO }, 400],
    ['more than the books', { used: 401, lines: TWO }, 400],
    ['a reservation that is not in the level', { used: 400, lines: TWO, held: 500 }, 900],
    ['part of a line that may be in it or not', { used: 402, lines: [...TWO, line('c', 9, { heldBy: 'local', costNano: 7 })] }, 400],
    ['the first request, by a little', { used: 195, lines: [line('a', 30)], begun: fresh(30) }, 200],
  ])('%s', (_, one, expected) => {
    expect(audited(one).findings).toEqual([{ owner: 'team/blue', bucket: BUDGET, kind: 'window', expected, found: one.used }]);
  });
});

test('what Redis does not have of what it could is told as a note', () => {
  const { notes } = audited({ used: 400, lines: [...TWO, line('c', 9, { heldBy: 'nobody', costNano: 7 })] });
  expect(notes).toEqual([expect.stringContaining('Redis counts 7 nano-units less')]);
});

test.each([
  ['no such limit holds any more', { rpm: 1 } satisfies Limits, BUDGET],
  ['the time zone was another', MONTHLY, `team/budget.month.cny@${MONTH - 8 * 3_600_000}`],
])('nobody counts in it: %s', (_, limits, bucket) => {
  expect(audited({ used: 1, lines: TWO }, limits, bucket).findings).toEqual([]);
});

test.each([
  ['gpt-4o', 200],
  ['gpt-4*', 0],
  ['*', 400],
])('of entries on models only the one that holds counts a request: %s', (pattern, used) => {
  const budget = { amount: 1, currency: 'CNY', per: 'month' } as const;
  const limits: Limits = { models: { 'gpt-4o': { budget }, '*': { budget }, 'gpt-4*': { budget } } };
  const lines = [line('a', 600), line('b', 300, { askedModel: 'glm' }), line('c', 200, { askedModel: 'gpt-4.1' })];
  const bucket = `team/model/${encodeURIComponent(pattern)}/budget.month.cny@${MONTH}`;
  expect(audited({ used, lines }, limits, bucket).findings).toEqual([]);
  expect(audited({ used: used + 1, lines }, limits, bucket).findings).toMatchObject([{ expected: used }]);
});

test('one that began before the lines is carried by their sums, or said not to be checked', () => {
  const before = snapshot({ [BUDGET]: { kind: 'window', used: 700, endUs: MONTH_END * 1000 } });
  const carried = (nano: Parameters<WindowAudit['carry']>[1]) => {
    const audit = new WindowAudit('team/blue', before, limitsOf(MONTHLY));
    expect(audit.begunBefore(NOW)).toMatchObject([{ bucket: BUDGET, startMs: MONTH, key: null, ofModel: false }]);
    audit.carry(BUDGET, nano);
    for (const entry of TWO) audit.add(entry);
    return audit.end([]);
  };
  expect(carried({ nanoCny: 300, nanoUsd: 9, unpriced: 0 })).toEqual({ findings: [], notes: [] });
  expect(carried({ nanoCny: 301, nanoUsd: 9, unpriced: 0 }).findings).toMatchObject([{ expected: 701, found: 700 }]);
  for (const nano of [null, { nanoCny: 1, nanoUsd: 0, unpriced: 1 }]) {
    expect(carried(nano)).toEqual({ findings: [], notes: [expect.stringContaining('not checked')] });
  }
});

test.each([
  [[3, 5], 8, 8],
  [[3, 5], 4, 3],
  [[3, 5], -2, 0],
  [[3, 5], 99, 8],
  [Array.from({ length: 40 }, (_, place) => 2 ** place), 2 ** 39 + 1, 2 ** 39 + 1],
])('the sum of some of %j next to %d is %d', (amounts, target, sum) => {
  expect(nearestSum(amounts, target)).toBe(sum);
});
