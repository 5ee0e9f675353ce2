import fc from 'fast-check';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { type LedgerEntry, ledgerEntry } from '../../../relay/ledger/ledger-entry.ts';
import { SqlLedger } from '../../../server/database/sql-ledger.ts';
import { wholeBig } from '../../../server/database/whole.ts';
import { entry, record, TEN, UNPRICED } from '../../relay/ledger/entries.ts';

import { databasesAtTest } from './databases.ts';
import { ALL, KINDS, openerOf } from './ledger-kinds.ts';

databasesAtTest();

describe.each(KINDS)('$name', (kind) => {
  const opened = openerOf(kind);

  test('a record that is handed over as text is the line that its entry is', async () => {
    const store = await opened();
    expect(await store.write([JSON.stringify(record), entry('req_2')])).toBe(2);
    expect(await store.truths([record.id, 'req_2'])).toEqual(expect.arrayContaining([ledgerEntry(record), entry('req_2')]));
    expect(await store.write([JSON.stringify(record)])).toBe(0);
    await store.close();
  });

  test('a line comes back as it was written, whatever is in its texts', async () => {
    const place = kind.place();
    const store = await opened(place);
    const strange = entry('req_1', {
      askedModel: 'a\0b\ud800c\\u0000"\n中😀',
      receipt: '{"a":"\\\\u0000"}',
      firstByteMs: null,
      ...UNPRICED,
    });
    expect(await store.write([strange, entry('req_2', { costNano: Number.MAX_SAFE_INTEGER })])).toBe(2);
    const { db } = kind.open(place);
    const { rows } = await sql<Record<string, unknown>>`select * from estafet_requests order by id`.execute(db);
    expect(rows[0]).toMatchObject({ asked_model: expect.stringMatching(/^a.b\ufffdc\\u0000"\n中😀$/su), receipt: '{"a":"\\\\u0000"}' });
    expect(rows[0]).toMatchObject({ first_byte_ms: null, cost_nano: null, currency: null, team: 'blue', key_name: 'app' });
    expect(wholeBig(rows[1]?.['cost_nano'] as string)).toBe(9_007_199_254_740_991n);
    expect(wholeBig(rows[1]?.['at_ms'] as string)).toBe(BigInt(TEN));
    await db.destroy();
    await store.close();
  });

  test('replays, repeats inside a batch and other orders change nothing: lines and sums agree', async () => {
    const lines = Array.from({ length: 40 }, (_, index) =>
      entry(`req_${index}`, {
        atMs: TEN + index * 600_000,
        key: `key${index % 3}`,
        servedModel: `m${index % 2}`,
        promptTokens: index,
        costNano: index,
        currency: index % 5 === 0 ? 'USD' : 'CNY',
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(fc.nat(39), { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 8 }), async (batches) => {
        const place = kind.name === 'SQLite' ? ':memory:' : kind.place();
        const store = await opened(place);
        const seen = new Set<number>();
        for (const batch of batches) {
          const fresh = new Set(batch.filter((index) => !seen.has(index)));
          expect(await store.write(batch.map((index) => lines[index] as LedgerEntry))).toBe(fresh.size);
          for (const index of batch) seen.add(index);
        }
        const written = [...seen].map((index) => lines[index] as LedgerEntry);
        const sum = (pick: (line: LedgerEntry) => number): number => written.reduce((total, line) => total + pick(line), 0);
        const [all] = await store.usage(ALL);
        expect(all).toMatchObject({ requests: seen.size, promptTokens: sum((line) => line.promptTokens), completionTokens: 5 * seen.size });
        for (const currency of ['CNY', 'USD'] as const) {
          const lines = written.filter((line) => line.currency === currency);
          const nano = lines.reduce((total, { costNano }) => total + BigInt(costNano ?? 0), 0n);
          expect(all?.costNano[currency]).toBe(lines.length === 0 ? undefined : nano);
        }
        for (const by of ['key', 'model', 'day', 'team', 'backend'] as const) {
          const rows = await store.usage({ ...ALL, by });
          expect(rows.reduce((total, { requests }) => total + requests, 0)).toBe(seen.size);
          expect(rows.map(({ group }) => group)).toEqual(rows.map(({ group }) => group).sort());
        }
        await store.close();
      }),
      { numRuns: kind.name === 'SQLite' ? 15 : 8 },
    );
  }, 60_000);

  describe('a line guessed for a dead node', () => {
    const guess = (id: string) =>
      entry(id, { reason: 'expired', usageSource: 'reserved', status: 502, completionTokens: 500, costNano: 9, servedModel: 'guessed' });
    const truth = (id: string) => entry(id, { backend: 'glm', servedModel: 'glm-4.6', currency: 'USD', costNano: 7 });
    const orders: readonly (readonly ('guess' | 'truth')[])[] = [
      ['guess', 'truth'],
      ['truth', 'guess'],
      ['guess', 'guess', 'truth', 'truth', 'guess'],
      ['truth', 'guess', 'truth'],
    ];
    test.each(orders)('gives way to the truth, once: %s, %s, %s', async (...order) => {
      const place = kind.place();
      const store = await opened(place);
      await store.write([entry('other')]);
      for (const which of order) await store.write([which === 'guess' ? guess('late') : truth('late')]);
      expect(await store.usage({ ...ALL, by: 'model' })).toEqual([
        expect.objectContaining({ group: 'glm-4.6', requests: 1, estimated: 0, expired: 0, completionTokens: 5, costNano: { USD: 7n } }),
        expect.objectContaining({ group: 'qwen-plus', requests: 1, costNano: { CNY: 1_000_000_000n } }),
      ]);
      const { db } = kind.open(place);
      const { rows } = await sql`select reason from estafet_requests where id = 'late'`.execute(db);
      expect(rows).toEqual([{ reason: 'done' }]);
      await db.destroy();
      await store.close();
    });

    test('stands until then, counted as expired', async () => {
      const store = await opened();
      await store.write([guess('1'), entry('2')]);
      await store.write([guess('1'), entry('2')]);
      expect((await store.usage(ALL))[0]).toMatchObject({
        requests: 2,
        estimated: 0,
        expired: 1,
        completionTokens: 505,
        costNano: { CNY: 1_000_000_009n },
      });
      await store.close();
    });

    test('what nodes wrote themselves is told by id, guesses are not', async () => {
      const store = await opened();
      await store.write([guess('guessed'), entry('true'), entry('other'), guess('late')]);
      await store.write([truth('late')]);
      const told = await store.truths(['guessed', 'true', 'late', 'unknown']);
      expect(told.sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual([truth('late'), entry('true')]);
      expect(await store.truths([])).toEqual([]);
      await store.close();
    });

    test('many writers of guesses and truths at once: the truths stand, and nothing twice', async () => {
      const place = kind.place();
      const stores = await Promise.all([opened(place), opened(place)]);
      const ids = Array.from({ length: 40 }, (_, index) => `req_${index}`);
      const halves = [ids.slice(0, 20), ids.slice(20)];
      await stores[0].write(ids.map(guess));
      const writes = stores.flatMap((store) =>
        halves.flatMap((half) => [half.map(guess), half.map(truth)]).map((lines) => store.write(lines)),
      );
      await Promise.all(writes);
      expect(await stores[0].usage(ALL)).toMatchObject([
        { requests: 40, estimated: 0, expired: 0, completionTokens: 200, costNano: { USD: 280n } },
      ]);
      await Promise.all(stores.map((store) => store.close()));
    });
  });

  test('two writers of the same lines at once: each line once', async () => {
    const place = kind.place();
    const [one, two] = [await opened(place), await opened(place)];
    const lines = Array.from({ length: 300 }, (_, index) => entry(`req_${index}`, { key: `key${index % 7}` }));
    const backwards = [...lines].reverse();
    const counts = await Promise.all(
      [one, two].flatMap((store, which) => [0, 100, 200].map((at) => store.write((which === 0 ? lines : backwards).slice(at, at + 100)))),
    );
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(300);
    expect((await one.usage(ALL))[0]).toMatchObject({ requests: 300, costNano: { CNY: 300_000_000_000n } });
    await one.close();
    await two.close();
  });

  test('a reader beside the writer sees what is committed', async () => {
    const place = kind.place();
    const store = await opened(place);
    await store.write([entry('1')]);
    const reader = new SqlLedger(kind.open(place, true), { readOnly: true });
    await reader.open();
    expect((await reader.usage(ALL))[0]?.requests).toBe(1);
    await store.write([entry('2')]);
    expect((await reader.usage(ALL))[0]?.requests).toBe(2);
    await reader.close();
    await store.close();
  });

  test('a line the database cannot hold is told apart from a database that cannot be reached', async () => {
    const store = await opened();
    const broken = entry('1', { team: null as unknown as string });
    await expect(store.write([entry('2'), broken])).rejects.toMatchObject({ name: 'LedgerFault', permanent: true });
    expect(await store.usage(ALL)).toEqual([]);
    expect(await store.write([entry('2')])).toBe(1);
    await store.close();
  });
});
