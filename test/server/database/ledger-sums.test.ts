import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { NO_USAGE, type SpentQuery, type UsageQuery } from '../../../relay/ledger/usage.ts';
import { entry, HOUR, TEN, UNANSWERED, UNPRICED } from '../../relay/ledger/entries.ts';

import { databasesAtTest } from './databases.ts';
import { ALL, KINDS, openerOf } from './ledger-kinds.ts';

databasesAtTest();

describe.each(KINDS)('$name', (kind) => {
  const opened = openerOf(kind);

  test('money by the name that was asked for, thrown-away answers included', async () => {
    const store = await opened(kind.place());
    const discarded = (amountNano: number, currency: string) =>
      JSON.stringify([{ model: 'm', backend: 'b', discarded: { ...NO_USAGE, cost: { amountNano, currency } } }, {}]);
    await store.write([
      entry('1', { costNano: 5, attempts: discarded(7, 'CNY') }),
      entry('2', { costNano: 11, attempts: discarded(13, 'USD'), key: 'ci' }),
      entry('3', { costNano: 17, askedModel: 'o3' }),
      entry('4', { costNano: 19, currency: 'USD' }),
      entry('5', { costNano: 23, atMs: TEN - 1 }),
      entry('6', { costNano: 29, team: 'red' }),
      entry('7', { ...UNPRICED, askedModel: 'o1', attempts: discarded(31, 'CNY') }),
    ]);
    const spent = async (query: Partial<SpentQuery>) => {
      const rows = await store.spent({ fromMs: TEN, team: 'blue', key: null, currency: 'CNY', ...query });
      return Object.fromEntries(rows.map(({ askedModel, nano }) => [askedModel, nano]));
    };
    expect(await spent({})).toEqual({ 'gpt-4o': 23n, o3: 17n, o1: 31n });
    expect(await spent({ key: 'ci' })).toEqual({ 'gpt-4o': 11n });
    expect(await spent({ currency: 'USD' })).toEqual({ 'gpt-4o': 32n });
    expect(await spent({ fromMs: TEN + 1 })).toEqual({});
    await store.close();
  });

  test('broken down and filtered; money stays apart by currency; ends are taken as they are meant', async () => {
    const store = await opened();
    await store.write([
      entry('1'),
      entry('2', { atMs: TEN + HOUR, key: 'ci', currency: 'USD', costNano: 7, backend: 'glm', servedModel: 'glm-4.6' }),
      entry('3', { atMs: TEN + 14 * HOUR, team: 'red', key: 'web', ...UNPRICED, usageSource: 'estimated' }),
      entry('4', { atMs: TEN, key: 'ci', ...UNANSWERED, reason: 'vendor_error', status: 503, errorCode: 'upstream_overloaded' }),
      entry('5', { atMs: TEN, key: 'ci', ...UNANSWERED, reason: 'refused', status: 400 }),
      entry('6', { atMs: TEN, reason: 'client_gone', usageSource: 'estimated', paidPromptTokens: 30 }),
    ]);
    const groups = async (query: Partial<UsageQuery>) =>
      (await store.usage({ ...ALL, ...query })).map(({ group, requests, costNano }) => [group, requests, costNano]);
    expect(await groups({ by: 'team' })).toEqual([
      ['blue', 5, { CNY: 2_000_000_000n, USD: 7n }],
      ['red', 1, {}],
    ]);
    expect(await groups({ by: 'day' })).toEqual([
      ['2026-11-02', 5, { CNY: 2_000_000_000n, USD: 7n }],
      ['2026-11-03', 1, {}],
    ]);
    expect((await groups({ by: 'key' })).map(([group]) => group)).toEqual(['app', 'ci', 'web']);
    expect((await groups({ by: 'model' })).map(([group]) => group)).toEqual(['', 'glm-4.6', 'qwen-plus']);
    expect(await groups({ by: 'backend', key: 'ci' })).toEqual([
      ['glm', 1, { USD: 7n }],
      ['qwen', 2, {}],
    ]);
    expect(await groups({ key: "ci' or 1=1 --" })).toEqual([]);
    expect(await groups({ team: 'red' })).toEqual([['', 1, {}]]);
    expect(await groups({ fromMs: TEN + HOUR })).toEqual([['', 2, { USD: 7n }]]);
    expect(await groups({ fromMs: TEN, toMs: TEN + HOUR })).toEqual([['', 4, { CNY: 2_000_000_000n }]]);
    expect((await store.usage(ALL))[0]).toEqual({
      ...NO_USAGE,
      group: '',
      requests: 6,
      failed: 1,
      refused: 1,
      clientGone: 1,
      estimated: 2,
      unpriced: 1,
      promptTokens: 40,
      paidPromptTokens: 60,
      completionTokens: 20,
      cachedTokens: 8,
      reasoningTokens: 4,
      costNano: { CNY: 2_000_000_000n, USD: 7n },
    });
    await store.close();
  });

  test('an answer that was thrown away is on the model that gave it, in its own currency, and is no request more', async () => {
    const store = await opened();
    const discarded = { promptTokens: 8, completionTokens: 4, cachedTokens: 1, reasoningTokens: 2 };
    const cost = {
      amountNano: 9,
      currency: 'USD' as const,
      priceSource: 'x',
      priceDate: '2026-11-01',
      priceConfidence: 'official' as const,
    };
    const tried = { backend: 'zai', vendor: 'glm', region: 'intl', model: 'glm-4.6', error: 'upstream_unmet', upstreamCode: null, ms: 1 };
    const attempts = JSON.stringify([
      { ...tried, discarded: { ...discarded, cost } },
      { ...tried, discarded: { ...discarded, cost: null } },
    ]);
    await store.write([entry('1', { attempts }), entry('1', { attempts })]);
    const sums = { promptTokens: 0, paidPromptTokens: 16, completionTokens: 8, cachedTokens: 2, reasoningTokens: 4 };
    expect(await store.usage({ ...ALL, by: 'model' })).toEqual([
      { ...NO_USAGE, ...sums, group: 'glm-4.6', unpriced: 1, costNano: { USD: 9n } },
      expect.objectContaining({ group: 'qwen-plus', requests: 1, costNano: { CNY: 1_000_000_000n } }),
    ]);
    await store.close();
  });

  test.each([
    [404, 'model_not_found'],
    [502, 'upstream_model_unavailable'],
  ])('invented model names do not grow the sums that are kept for good: %i %s', async (status, errorCode) => {
    const store = await opened();
    const unknown = { ...UNANSWERED, reason: 'vendor_error', status, errorCode } as const;
    await store.write(Array.from({ length: 50 }, (_, index) => entry(`${index}`, { ...unknown, servedModel: `invented-${index}` })));
    expect(await store.usage({ ...ALL, by: 'model' })).toMatchObject([{ group: '', requests: 50, failed: 50 }]);
    await store.close();
  });

  test('sums beyond 2⁵³ are exact', async () => {
    const store = await opened();
    await store.write(['1', '2', '3'].map((id) => entry(id, { costNano: Number.MAX_SAFE_INTEGER })));
    expect((await store.usage(ALL))[0]?.costNano.CNY).toBe(27_021_597_764_222_973n);
    await store.close();
  });

  test('retention deletes lines in portions and keeps the sums', async () => {
    const place = kind.place();
    const store = await opened(place);
    await store.write(Array.from({ length: 25 }, (_, index) => entry(`req_${index}`, { atMs: TEN + index })));
    expect(await store.prune(TEN + 20, 15)).toBe(15);
    expect(await store.prune(TEN + 20, 15)).toBe(5);
    expect(await store.prune(TEN + 20, 15)).toBe(0);
    const { db } = kind.open(place);
    const { rows } = await sql<{ n: string }>`select count(*) as n from estafet_requests`.execute(db);
    expect(Number(rows[0]?.n)).toBe(5);
    await db.destroy();
    expect((await store.usage(ALL))[0]?.requests).toBe(25);
    await store.close();
  });
});
