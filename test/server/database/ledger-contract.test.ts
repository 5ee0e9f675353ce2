import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LedgerEntry, ledgerEntry } from '../../../relay/ledger/ledger-entry.ts';
import type { LedgerStore } from '../../../relay/ledger/ledger-store.ts';
import { NO_USAGE, type SpentQuery, type UsageQuery } from '../../../relay/ledger/usage.ts';
import { MIGRATIONS } from '../../../server/database/migrations.ts';
import { openPostgres } from '../../../server/database/postgres.ts';
import { type SqlDatabase, SqlLedger } from '../../../server/database/sql-ledger.ts';
import { openSqlite } from '../../../server/database/sqlite.ts';
import { SqliteThread } from '../../../server/database/sqlite-thread.ts';
import { wholeBig } from '../../../server/database/whole.ts';
import { entry, HOUR, record, TEN, UNANSWERED, UNPRICED } from '../../relay/ledger/entries.ts';
import { POSTGRES, type PostgresServer, postgresServer } from './postgres-server.ts';

let server: PostgresServer;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'estafet-books-'));
  if (POSTGRES.length > 0) server = await postgresServer();
}, 60_000);
afterAll(() => {
  server?.remove();
  rmSync(folder, { recursive: true, force: true });
});

let files = 0;
const newPath = (): string => join(folder, `deep/er/${++files}.db`);

interface Kind {
  readonly name: string;
  /** A database that nothing is in. */
  place(): string;
  open(place: string, readOnly?: boolean): SqlDatabase;
  store(place: string): LedgerStore;
}

const KINDS: readonly Kind[] = [
  {
    name: 'SQLite',
    place: newPath,
    open: (path, readOnly = false) => openSqlite({ path, readOnly }),
    store: (path) => new SqliteThread({ path }),
  },
  ...POSTGRES.map((name) => ({
    name,
    place: () => server.database(),
    open: (url: string) => openPostgres(url),
    store: (url: string) => new SqlLedger(openPostgres(url)),
  })),
];

const ALL: UsageQuery = { by: null, fromMs: null, toMs: null, team: null, key: null };

describe.each(KINDS)('$name', (kind) => {
  async function opened(place = kind.place()): Promise<LedgerStore> {
    const store = kind.store(place);
    await store.open();
    return store;
  }

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
        const place = kind.name === 'SQLite' ? ':memory:' : server.database();
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

  test('invented model names do not grow the sums that are kept for good', async () => {
    const store = await opened();
    const unknown = { ...UNANSWERED, reason: 'vendor_error', status: 502, errorCode: 'upstream_model_unavailable' } as const;
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

  test('migrations go forward, keep what is there, and are applied once however many start', async () => {
    const place = kind.place();
    const first = await Promise.all([opened(place), opened(place), opened(place)]);
    await first[0].write([entry('1')]);
    await Promise.all(first.map((store) => store.close()));
    const more = [...MIGRATIONS, ['alter table estafet_requests add column note text'], ["update estafet_requests set note = 'kept'"]];
    for (let starts = 0; starts < 2; starts++) {
      const ledger = new SqlLedger(kind.open(place), { migrations: more });
      await ledger.open();
      await ledger.close();
    }
    const { db } = kind.open(place);
    expect((await sql<{ note: string }>`select note from estafet_requests`.execute(db)).rows).toEqual([{ note: 'kept' }]);
    const { rows } = await sql<{ version: string }>`select version from estafet_schema order by version`.execute(db);
    expect(rows.map(({ version }) => Number(version))).toEqual(more.map((_, index) => index + 1));
    await db.destroy();
  });

  test('what leases had booked under `estimated` is moved to its own name, as far as lines are kept', async () => {
    const place = kind.place();
    const database = kind.open(place);
    await new SqlLedger(database, { migrations: MIGRATIONS.slice(0, 4) }).open();
    const guess = entry('guess', { reason: 'expired', usageSource: 'reserved', ...UNPRICED });
    await database.transaction('write', (db) => database.insertNew(db, [guess, entry('own', { usageSource: 'estimated', ...UNPRICED })]));
    const { db } = database;
    // The hour with both lines, one of another model, and one whose lines are gone already.
    const places = [
      [TEN, 'qwen-plus'],
      [TEN, 'other'],
      [TEN - HOUR, 'qwen-plus'],
    ] as const;
    for (const [hour, model] of places) {
      await sql`insert into estafet_usage_hours (hour_ms, team, key_name, model, backend, currency, requests, estimated)
        values (${hour}, 'blue', 'app', ${model}, 'qwen', '', 2, 2)`.execute(db);
    }
    await database.db.destroy();
    const store = await opened(place);
    const sums = async () =>
      (await store.usage({ ...ALL, by: 'model', fromMs: TEN })).map(({ group, estimated, expired }) => [group, estimated, expired]);
    expect(await sums()).toEqual([
      ['other', 2, 0],
      ['qwen-plus', 1, 1],
    ]);
    expect(await store.usage({ ...ALL, toMs: TEN })).toMatchObject([{ estimated: 2, expired: 0 }]);
    await store.write([entry('guess', UNPRICED)]);
    expect(await sums()).toEqual([
      ['other', 2, 0],
      ['qwen-plus', 1, 0],
    ]);
    await store.close();
  });

  test('a step that fails changes nothing', async () => {
    const place = kind.place();
    const bad = new SqlLedger(kind.open(place), { migrations: [...MIGRATIONS, ['create table half (a text)', 'no sql at all']] });
    await expect(bad.open()).rejects.toThrow(/syntax error/);
    await bad.close();
    const reader = new SqlLedger(kind.open(place), { readOnly: true });
    await expect(reader.open()).rejects.toThrow('the database holds no books of Estafet');
    await reader.close();
    await (await opened(place)).close();
  });

  test('a newer schema is refused by writer and reader, an older one by the reader, each in one line', async () => {
    const place = kind.place();
    const newer = new SqlLedger(kind.open(place), { migrations: [...MIGRATIONS, ['create table later (a text)']] });
    await newer.open();
    await newer.close();
    const version = MIGRATIONS.length;
    const store = kind.store(place);
    await expect(store.open()).rejects.toThrow(
      `the database's schema is version ${version + 1}, newer than the ${version} this release knows`,
    );
    await store.close();
    for (const [migrations, message] of [
      [MIGRATIONS, 'use the release that made it, or a later one'],
      [[...MIGRATIONS, [], []], 'start the relay once, it brings the schema up to date'],
    ] as const) {
      const reader = new SqlLedger(kind.open(place, true), { readOnly: true, migrations });
      await expect(reader.open()).rejects.toThrow(message);
      await reader.close();
    }
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
