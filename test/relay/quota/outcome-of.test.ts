/** Q9: limits are told what the vendors bill, to the token: thrown-away answers, parallel calls and disconnects included. */
import { describe, expect, test } from 'vitest';
import type { Usage } from '../../../openai/chat/events.ts';
import { outcomeOf } from '../../../relay/quota/outcome-of.ts';
import type { Attempt, RequestRecord } from '../../../relay/records/request-record.ts';

const cost = (amountNano: number, currency: 'CNY' | 'USD' = 'CNY') => ({
  amountNano,
  currency,
  priceSource: 'p',
  priceDate: '2026-01-01',
  priceConfidence: 'official' as const,
});
const usage = (prompt: number, completion: number): Usage => ({ prompt, completion, cached: 0, reasoning: 0 });
const attempt = (more: Partial<Attempt> = {}): Attempt => ({
  backend: 'b',
  vendor: 'qwen',
  region: 'r',
  model: 'm',
  error: null,
  upstreamCode: null,
  ms: 1,
  ...more,
});
const thrown = (promptTokens: number, completionTokens: number, price = cost(100)): Attempt =>
  attempt({
    error: 'upstream_unmet',
    discarded: { promptTokens, completionTokens, cachedTokens: 0, reasoningTokens: 0, cost: price },
  });
const answered = (...paid: Usage[]) => ({ json: null, error: null, usage: paid[0] as Usage, paid, firstByteAtMs: null, gone: false });
const record = (reason: RequestRecord['reason'], source: 'vendor' | 'estimated' = 'vendor'): RequestRecord =>
  ({ reason, usage: { source } }) as RequestRecord;

test.each([
  ['one answer', [attempt()], answered(usage(10, 5)), cost(7), { prompt: 10, completion: 5 }, 7],
  ['parallel calls pay the prompt each', [attempt()], answered(usage(10, 5), usage(10, 6)), cost(7), { prompt: 20, completion: 11 }, 7],
  ['an answer thrown away before', [thrown(10, 3), attempt()], answered(usage(10, 5)), cost(7), { prompt: 20, completion: 8 }, 107],
  ['two of them', [thrown(10, 3), thrown(9, 2), attempt()], answered(usage(10, 5)), cost(7), { prompt: 29, completion: 10 }, 207],
  [
    'of another currency: the answer’s counts',
    [thrown(10, 3, cost(9, 'USD')), attempt()],
    answered(usage(1, 1)),
    cost(7),
    { prompt: 11, completion: 4 },
    7,
  ],
  ['none but thrown ones', [thrown(10, 3)], null, null, { prompt: 10, completion: 3 }, 100],
  ['a vendor that failed without a word', [attempt({ error: 'upstream_timeout' })], null, null, { prompt: 0, completion: 0 }, undefined],
] as const)('%s', (_, attempts, result, price, expected, amountNano) => {
  const { used } = outcomeOf(record('done'), { attempts: [...attempts], result }, price);
  expect(used?.expected).toEqual(expected);
  expect(used?.cost?.amountNano).toBe(amountNano);
});

test.each([
  ['nobody was asked', []],
  ['a breaker left it out', [attempt({ error: 'rate_limit_requests' })]],
  ['no connection could be made', [attempt({ error: 'upstream_unreachable', upstreamCode: 'ECONNREFUSED' })]],
  ['none could be made in time', [attempt({ error: 'upstream_timeout', upstreamCode: 'UND_ERR_CONNECT_TIMEOUT' })]],
] as const)('%s: everything comes back', (_, attempts) => {
  expect(outcomeOf(record('refused'), { attempts: [...attempts], result: null }, null)).toEqual({ used: null, reason: 'refused_upstream' });
});

describe('a caller that left before the last call was sent', () => {
  const unsent = { ...answered(), usage: usage(0, 0), gone: true };
  const gone = { reason: 'client_gone', usage: null } as RequestRecord;
  const held = attempt({ unsent: true });

  test('everything comes back', () => {
    expect(outcomeOf(gone, { attempts: [held], result: unsent }, null)).toEqual({ used: null, reason: 'client_gone' });
  });

  test.each([
    ['but what was used before', thrown(10, 3), { prompt: 10, completion: 3 }],
    ['but the request that failed', attempt({ error: 'upstream_timeout' }), { prompt: 0, completion: 0 }],
  ])('%s', (_, before, expected) => {
    expect(outcomeOf(gone, { attempts: [before, held], result: unsent }, null).used?.expected).toEqual(expected);
  });
});

test.each([
  ['client_gone', 'estimated'],
  ['done', 'vendor'],
  ['vendor_error', 'vendor'],
] as const)('%s keeps its reason, and where the count comes from: %s', (reason, source) => {
  const outcome = outcomeOf(record(reason, source), { attempts: [attempt()], result: answered(usage(1, 1)) }, null);
  expect([outcome.reason, outcome.used?.source]).toEqual([reason, source]);
});

test('a call that was given up for another one is estimated, and so is the whole', () => {
  const closed = attempt({
    error: 'hedged',
    discarded: { promptTokens: 10, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0, cost: null, estimated: true },
  });
  const { used } = outcomeOf(record('done'), { attempts: [closed, attempt({ hedge: true })], result: answered(usage(10, 5)) }, cost(7));
  expect(used).toMatchObject({ expected: { prompt: 20, completion: 5 }, source: 'estimated' });
});

test('a call that was given up has reached its vendor, whatever is known of it', () => {
  expect(outcomeOf(record('client_gone'), { attempts: [attempt({ error: 'hedged' })], result: null }, null).used).not.toBeNull();
});
