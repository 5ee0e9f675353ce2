import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { LedgerStore } from '../../../relay/ledger/ledger-store.ts';
import type { UsageQuery } from '../../../relay/ledger/usage.ts';
import { openPostgres } from '../../../server/database/postgres.ts';
import { type SqlDatabase, SqlLedger } from '../../../server/database/sql-ledger.ts';
import { openSqlite } from '../../../server/database/sqlite.ts';
import { SqliteThread } from '../../../server/database/sqlite-thread.ts';
import { POSTGRES, type PostgresServer, postgresServer } from './postgres-server.ts';

let server: PostgresServer;
let folder: string;
/** Called once in each file of tests. */
export function ledgerPlaces(): void {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'estafet-books-'));
    if (POSTGRES.length > 0) server = await postgresServer();
  }, 60_000);
  afterAll(() => {
    server?.remove();
    rmSync(folder, { recursive: true, force: true });
  });
}

let files = 0;
const newPath = (): string => join(folder, `deep/er/${++files}.db`);

export interface Kind {
  readonly name: string;
  /** A database that nothing is in. */
  place(): string;
  open(place: string, readOnly?: boolean): SqlDatabase;
  store(place: string): LedgerStore;
}

/** The databases that every test of the books runs on. */
export const KINDS: readonly Kind[] = [
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

export const ALL: UsageQuery = { by: null, fromMs: null, toMs: null, team: null, key: null };

/** Opens the books of a kind, in a new database unless told which. */
export const openerOf =
  (kind: Kind) =>
  async (place = kind.place()): Promise<LedgerStore> => {
    const store = kind.store(place);
    await store.open();
    return store;
  };
