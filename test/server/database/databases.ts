import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { openPostgres } from '../../../server/database/postgres.ts';
import type { SqlDatabase } from '../../../server/database/sql-ledger.ts';
import { openSqlite } from '../../../server/database/sqlite.ts';
import { POSTGRES, type PostgresServer, postgresServer } from './postgres-server.ts';

/** A kind of database that the relay may use. */
export interface Database {
  readonly name: string;
  /** One that nothing is in: a file that is not there yet, or an address. */
  place(): string;
  /** As `database` of the configuration says it. */
  address(place: string): string;
  open(place: string, readOnly?: boolean): SqlDatabase;
}

let server: PostgresServer;
let folder: string;
let files = 0;

/** Called once in each file of tests: what they use, and its end. */
export function databasesAtTest(): void {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'estafet-databases-'));
    if (POSTGRES.length > 0) server = await postgresServer();
  }, 60_000);
  afterAll(() => {
    server?.remove();
    rmSync(folder, { recursive: true, force: true });
  });
}

export const SQLITE: Database = {
  name: 'SQLite',
  place: () => join(folder, `deep/er/${++files}.db`),
  address: (path) => `sqlite:${path}`,
  open: (path, readOnly = false) => openSqlite({ path, readOnly }),
};

/** Both, where the machine has PostgreSQL. */
export const DATABASES: readonly Database[] = [
  SQLITE,
  ...POSTGRES.map((name) => ({
    name,
    place: () => server.database(),
    address: (url: string) => url,
    open: (url: string) => openPostgres(url),
  })),
];
