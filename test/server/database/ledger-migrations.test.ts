import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { MIGRATIONS } from '../../../server/database/migrations.ts';
import { SqlLedger } from '../../../server/database/sql-ledger.ts';
import { entry, HOUR, TEN, UNPRICED } from '../../relay/ledger/entries.ts';

import { databasesAtTest } from './databases.ts';
import { ALL, KINDS, openerOf } from './ledger-kinds.ts';

databasesAtTest();

describe.each(KINDS)('$name', (kind) => {
  const opened = openerOf(kind);

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
    await expect(reader.open()).rejects.toThrow('the database has no books of Estafet');
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
      [[...MIGRATIONS, [], []], 'start the relay once; it updates the schema'],
    ] as const) {
      const reader = new SqlLedger(kind.open(place, true), { readOnly: true, migrations });
      await expect(reader.open()).rejects.toThrow(message);
      await reader.close();
    }
  });
});
