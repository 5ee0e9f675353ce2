import { expect, test } from 'vitest';
import { NO_USAGE, type SpentQuery, type UsageQuery } from '../../relay/ledger/usage.ts';
import type { Limit } from '../../relay/quota/limits.ts';
import { windowLaw } from '../../relay/quota/limits.ts';
import { openQuotaStore, spentOf } from '../../server/quota-store.ts';

const budget = (bucket: string, measure: 'nanoCny' | 'nanoUsd' = 'nanoCny'): Limit => ({
  name: 'budget',
  bucket,
  measure,
  law: windowLaw(1000, 'month', 'UTC'),
});
const books = (nano: bigint, asked: UsageQuery[] = []) => ({
  usage: async (query: UsageQuery) => {
    asked.push(query);
    return [{ ...NO_USAGE, group: '', costNano: { CNY: nano, USD: 7n } }];
  },
  spent: async (): Promise<never> => Promise.reject(new Error('asked for the lines')),
});

test.each([
  ['a team’s budget', budget('team/budget.month.cny'), null, 123],
  ['a key’s', budget(`key/${encodeURIComponent('my app/1')}/budget.month.cny`), 'my app/1', 123],
  ['the other currency', budget('team/budget.month.usd', 'nanoUsd'), null, 7],
])('%s begins with its sum in the books, from the full hour on', async (_, limit, key, expected) => {
  const asked: UsageQuery[] = [];
  expect(await spentOf(books(123n, asked))('team/t', limit, 3_600_000 + 1, 0)).toBe(expected);
  expect(asked).toEqual([{ by: null, fromMs: 3_600_000, toMs: null, team: 't', key }]);
});

test('the largest exact sum is exact; one more is refused, never rounded', async () => {
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  expect(await spentOf(books(most))('team/t', budget('team/b'), 0, 0)).toBe(Number.MAX_SAFE_INTEGER);
  await expect(spentOf(books(most + 1n))('team/t', budget('team/b'), 0, 0)).rejects.toThrow(RangeError);
});

test('a budget of models begins with what was spent on their names, by the lines', async () => {
  const asked: SpentQuery[] = [];
  const lines = {
    ...books(0n),
    spent: async (query: SpentQuery) => {
      asked.push(query);
      return ['gpt-4o', 'gpt-4', 'o3'].map((askedModel, place) => ({ askedModel, nano: 10n ** BigInt(place) }));
    },
  };
  const limit = { ...budget('key/app/model/gpt-4*/budget.month.usd', 'nanoUsd'), covers: (name: string) => name.startsWith('gpt-4') };
  expect(await spentOf(lines)('team/t', limit, 3_600_001, 0)).toBe(11);
  expect(asked).toEqual([{ fromMs: 3_600_000, team: 't', key: 'app', currency: 'USD' }]);
});

test('no row means nothing was spent', async () => {
  expect(await spentOf({ ...books(0n), usage: async () => [] })('team/t', budget('team/b'), 0, 0)).toBe(0);
});

test('books that do not answer refuse only those who need them', async () => {
  const faults: unknown[] = [];
  const never = { ...books(0n), usage: () => new Promise<never>(() => {}), book: async () => [] };
  const { quota, close } = openQuotaStore(
    {},
    () => [],
    never,
    60_000,
    (fault) => void faults.push(fault),
  );
  const demand = { limit: budget('team/b'), amount: 1 };
  const request = { id: 'a', owner: 'team/t', demands: [demand], leaseMs: 1000, about: '' };
  expect(await quota.reserve(request, 'admit')).toMatchObject({ ok: false, kind: 'unavailable' });
  expect(faults).toEqual([expect.objectContaining({ message: expect.stringContaining('1000 ms') })]);
  expect(await quota.reserve({ ...request, id: 'b', demands: [] }, 'refuse')).toMatchObject({ ok: true });
  await close();
});
