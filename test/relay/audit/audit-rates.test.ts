import { describe, expect, test } from 'vitest';
import type { Limits } from '../../../config/config.ts';
import { RateAudit } from '../../../relay/audit/audit-rates.ts';
import { replayed, widest } from '../../../relay/audit/rate-replay.ts';
import type { LedgerEntry } from '../../../relay/ledger/ledger-entry.ts';
import type { Begun } from '../../../relay/quota/store.ts';
import { limitsOf, line, NOW, rate, snapshot } from './lines.ts';

interface Case {
  readonly level: number;
  readonly lines?: readonly LedgerEntry[];
  /** Tokens reserved so many seconds ago. */
  readonly held?: readonly (readonly [s: number, tokens: number])[];
  readonly begun?: Begun;
  readonly perMinute?: number;
}

const TPM = 'team/tpm';
const begun = (s: number, fresh = true): Begun => ({ atUs: (NOW - s * 1000) * 1000, fresh });

function audited(
  { level, lines = [], held = [], begun: since, perMinute = 6_000 }: Case,
  limits: Limits = { tpm: 6_000 },
  owner = 'team/blue',
) {
  const before = snapshot({ [TPM]: rate(perMinute, level) }, { begun: new Map(since === undefined ? [] : [[TPM, since]]) });
  const audit = new RateAudit(owner, before, limitsOf(limits));
  for (const entry of lines) audit.add(entry);
  return audit.end(held.map(([s, tokens]) => ({ at: (NOW - s * 1000) * 1000, taken: new Map([[TPM, tokens]]) })));
}

/** One request a second for so many seconds, each of so many tokens, as estimated. */
const steady = (seconds: number, tokens: number, more: Partial<LedgerEntry> = {}): LedgerEntry[] =>
  Array.from({ length: seconds }, (_, place) =>
    line(`s${place}`, place + 0.5, { estimateCompletionTokens: tokens - 10, completionTokens: tokens - 10, totalMs: 100, ...more }),
  );

// 6,000 a minute: a hundred refill each second, and 200 of them are within the tolerance.
describe('no drift', () => {
  test.each<readonly [string, Case]>([
    ['full and unused', { level: 6_000, begun: begun(30) }],
    [
      'what a request has taken',
      { level: 3_000, lines: [line('a', 0, { completionTokens: 3_190, estimateCompletionTokens: 3_190 })], begun: begun(20) },
    ],
    ['what is reserved', { level: 2_000, held: [[1, 4_100]], begun: begun(30) }],
    ['a debt', { level: -9_000, lines: [line('a', 0, { completionTokens: 15_000 })], begun: begun(30) }],
    ['a team that uses all it may, for longer than a bucket is followed', { level: 0, lines: steady(600, 100), begun: begun(86_400) }],
    ['the same of a team that does not', { level: 6_000, lines: steady(600, 100), begun: begun(86_400) }],
    [
      'a stream that began before a bucket is followed',
      { level: -50_000, lines: [line('a', 1, { totalMs: 900_000, completionTokens: 56_000 })], begun: begun(86_400) },
    ],
    [
      'requests from before the limit was there',
      { level: 6_000, lines: steady(60, 3_000).map((one) => ({ ...one, atMs: one.atMs - 60_000 })), begun: begun(30) },
    ],
    [
      'a stream that ran when the limit was put there',
      { level: 6_000, lines: [line('a', 0, { totalMs: 60_000, completionTokens: 9_000 })], begun: begun(30) },
    ],
    ['a changed limit: what was used under the other is unknown', { level: 900, lines: steady(5, 100), begun: begun(10, false) }],
    ['a release that does not say when it began', { level: 0, lines: steady(600, 100) }],
    [
      'a refused request',
      {
        level: 6_000,
        lines: [line('a', 1, { heldBy: null, refusedBy: 'team.tpm', usageSource: null, estimatePromptTokens: null })],
        begun: begun(30),
      },
    ],
  ])('%s', (_, one) => {
    expect(audited(one)).toEqual({ findings: [], notes: [] });
  });
});

describe('drift', () => {
  test.each<readonly [string, Case]>([
    ['less than full, unused', { level: 5_700, begun: begun(30) }],
    ['a debt that nobody made', { level: -1_500, lines: steady(60, 100), begun: begun(86_400) }],
    [
      'reservations that the level does not know',
      { level: 6_000, held: Array.from({ length: 20 }, (_, s) => [s, 250] as const), begun: begun(30) },
    ],
  ])('%s', (_, one) => {
    expect(audited(one).findings).toMatchObject([{ owner: 'team/blue', bucket: TPM, kind: 'rate', found: one.level }]);
  });
});

test.each<readonly [string, Partial<LedgerEntry>]>([
  ['a process admitted alone', { heldBy: 'local' }],
  ['all were admitted', { heldBy: 'nobody' }],
  ['none was', { heldBy: null, errorCode: 'quota_unavailable', usageSource: null }],
])('Redis was gone meanwhile: %s', (_, more) => {
  expect(audited({ level: 0, lines: [line('a', 5, more)], begun: begun(30) })).toEqual({
    findings: [],
    notes: ['team/blue team/tpm: not checked against the books: Redis was gone in that time.'],
  });
});

test('lines that do not say what was reserved are told', () => {
  const { notes } = audited({ level: 0, lines: [line('a', 5, { heldBy: null, estimatePromptTokens: null })], begun: begun(30) });
  expect(notes).toEqual([expect.stringContaining('some lines do not say what was reserved')]);
});

test('a limit that holds no more, and one of a backend, are not followed', () => {
  expect(audited({ level: 0, begun: begun(30) }, { rpm: 5 }).findings).toEqual([]);
  expect(audited({ level: 0, begun: begun(30) }, { tpm: 6_000 }, 'backend/b').findings).toEqual([]);
});

describe('least and most', () => {
  const LAW = { burst: 100e6, perMs: 1_000 };
  const span = { startMs: 0, nowMs: 10_000, slack: 0 };
  test.each([
    ['nothing known', [], false, Number.NEGATIVE_INFINITY, 100],
    ['full at the start', [], true, 100, 100],
    ['an admission', [{ atMs: 5_000, amount: -30, admitted: true }], false, 5, 75],
    ['a correction', [{ atMs: 5_000, amount: -30, admitted: false }], true, 75, 75],
    ['a refund lifts above no burst', [{ atMs: 5_000, amount: 30, admitted: false }], true, 100, 100],
  ])('%s', (_, events, fresh, least, most) => {
    expect(replayed(events, LAW, { ...span, fresh })).toEqual({ least: least * 1e6, most: most * 1e6 });
  });

  test('what may have come in another order widens them', () => {
    const events = [0, 1_000, 2_500, 9_000].map((atMs) => ({ atMs, amount: -10, admitted: true }));
    expect([widest(events, 0), widest(events, 2_000), widest(events, 2_500), widest([], 1)]).toEqual([10, 20, 30, 0]);
    expect(replayed(events, LAW, { ...span, fresh: false, slack: 5e6 }).least).toBe(-4e6);
  });
});
