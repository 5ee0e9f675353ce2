import { expect, test } from 'vitest';
import { goDuration } from '../../../relay/quota/duration.ts';
import { rateLimitHeaders, refusalHeaders } from '../../../relay/quota/headers.ts';
import { configuredLimits, rateLaw, slotsLaw, windowLaw } from '../../../relay/quota/limits.ts';
import { budget, rpm, tpm } from './limits.ts';

test.each([
  [0, '0s'],
  [-5, '0s'],
  [0.4, '0s'],
  [6, '6ms'],
  [999.9, '999ms'],
  [1000, '1s'],
  [1182, '1.182s'],
  [8640, '8.64s'],
  [60_000, '1m0s'],
  [127_930, '2m7.93s'],
  [1_252_666, '20m52.666s'],
  [3_600_000, '1h0m0s'],
  [86_794_000, '24h6m34s'],
])('%d ms is %s', (ms, text) => {
  expect(goDuration(ms)).toBe(text);
});

const tightest = {
  requests: { limit: rpm(5000), remaining: 4999, resetMs: 12 },
  tokens: { limit: tpm(1000), remaining: -20, resetMs: 61_200 },
};
const limits = {
  'x-ratelimit-limit-requests': '5000',
  'x-ratelimit-remaining-requests': '4999',
  'x-ratelimit-reset-requests': '12ms',
  'x-ratelimit-limit-tokens': '1000',
  'x-ratelimit-remaining-tokens': '0',
  'x-ratelimit-reset-tokens': '1m1.2s',
};

test('on success: the tightest limits, a debt as nothing left', () => {
  expect(rateLimitHeaders(tightest)).toEqual(limits);
  expect(rateLimitHeaders({ requests: null, tokens: null })).toEqual({});
});

test.each([
  [
    { kind: 'wait', limit: tpm(1000), retryAfterMs: 1201 },
    { ...limits, 'x-estafet-limit': 'key.tpm', 'retry-after': '2', 'retry-after-ms': '1201' },
  ],
  [
    { kind: 'spent', limit: budget(5), retryAfterMs: 7_200_000 },
    {
      ...limits,
      'x-estafet-limit': 'team.budget.month.cny',
      'retry-after': '7200',
      'retry-after-ms': '7200000',
      'x-should-retry': 'false',
    },
  ],
  [
    { kind: 'spent', limit: budget(5, 'never'), retryAfterMs: null },
    { ...limits, 'x-estafet-limit': 'team.budget.never.cny', 'x-should-retry': 'false' },
  ],
  [
    { kind: 'too_large', limit: tpm(1000), retryAfterMs: null },
    { ...limits, 'x-estafet-limit': 'key.tpm', 'x-should-retry': 'false' },
  ],
] as const)('on a refusal: %j', (refusal, headers) => {
  expect(refusalHeaders({ ok: false, tightest, ...refusal })).toEqual(headers);
});

test('the limits of a block of the configuration', () => {
  const block = {
    rpm: 600,
    rpd: 5000,
    tpm: 200_000,
    tpd: 1e6,
    concurrency: 20,
    budget: { amount: 0.1, currency: 'USD', per: 'month' },
  } as const;
  expect(configuredLimits({ kind: 'key', key: 'c/i', model: 'glm 4' }, block, 'Asia/Shanghai')).toMatchObject([
    { name: 'key.model.rpm', bucket: 'key/c%2Fi/model/glm%204/rpm', measure: 'requests', law: { kind: 'rate', num: 10, den: 1 } },
    { name: 'key.model.rpd', law: { num: 25, den: 432 } },
    { name: 'key.model.tpm', measure: 'tokens', law: { num: 10_000, den: 3 } },
    { name: 'key.model.tpd' },
    { name: 'key.model.concurrency', measure: 'concurrency', law: { kind: 'slots', amount: 20 } },
    { name: 'key.model.budget.month.usd', measure: 'nanoUsd', law: { kind: 'window', amount: 100_000_000, timeZone: 'Asia/Shanghai' } },
  ]);
});

test.each([
  ['zero', () => rateLaw(0, 60_000)],
  ['negative', () => slotsLaw(-1)],
  ['half', () => windowLaw(0.5, 'day', 'UTC')],
  ['no number', () => rateLaw(Number.NaN, 60_000)],
  ['too large to count', () => rateLaw(5_000_000_000, 60_000)],
  ['too odd to count', () => rateLaw(4_503_599_627, 30_000_000_001)],
  ['a period of nothing', () => rateLaw(1, 0)],
  ['an unknown time zone', () => windowLaw(1, 'day', 'Mars/Olympus')],
])('a limit that is %s is refused', (_, make) => {
  expect(make).toThrow(RangeError);
});
