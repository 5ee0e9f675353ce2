import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { Kysely, type SqliteDatabase, SqliteDialect, sql } from 'kysely';
import type { LedgerEntry } from '../../relay/ledger/ledger-entry.ts';
import { LedgerFault } from '../../relay/ledger/ledger-store.ts';
import { loadSqlite } from './load-sqlite.ts';
import type { SqlDatabase } from './sql-ledger.ts';
import { REQUEST_COLUMNS, type Tables } from './tables.ts';

export interface SqliteOptions {
  /** A file, or `:memory:`. */
  readonly path: string;
  readonly readOnly?: boolean;
}

/** How long a writer waits for another process that writes. */
const BUSY_MS = 5_000;

const FIELDS = Object.keys(REQUEST_COLUMNS) as (keyof LedgerEntry)[];
const COLUMNS = Object.values(REQUEST_COLUMNS).map(([column]) => column);
const INSERT = `insert into estafet_requests (${COLUMNS.join(', ')}) values (${COLUMNS.map(() => '?').join(', ')}) on conflict (id) do nothing`;

/**
 * SQLite in this thread: every call blocks it, so the relay does this in a worker. Readers and the writer do not wait for each other
 * (WAL); a transaction is on the disk before it counts as written.
 * @throws LedgerFault when the file cannot be opened
 */
export function openSqlite({ path, readOnly = false }: SqliteOptions): SqlDatabase {
  const fault = (error: unknown): LedgerFault => sqliteFault(error, path);
  let connection: DatabaseSync;
  try {
    if (readOnly && !existsSync(path)) throw new LedgerFault(`there are no books at ${path}: the relay creates them when it starts`);
    if (!readOnly && path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
    const { DatabaseSync } = loadSqlite();
    connection = new DatabaseSync(path, { readOnly, timeout: BUSY_MS });
    if (!readOnly) connection.exec('pragma journal_mode = wal; pragma synchronous = full');
  } catch (error) {
    throw fault(error);
  }
  let insert: StatementSync | null = null;
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: adapted(connection) }) });
  return {
    db,
    fault,
    // `begin immediate` waits for another writer; a transaction that begins as a reader could not become one.
    transaction: (purpose, work) =>
      db.connection().execute(async (one) => {
        await (purpose === 'read' ? sql`begin` : sql`begin immediate`).execute(one);
        try {
          const result = await work(one);
          await sql`commit`.execute(one);
          return result;
        } catch (error) {
          // A full disk has rolled it back already.
          if (connection.isTransaction) await sql`rollback`.execute(one);
          throw error;
        }
      }),
    // Past kysely, which would compile the statement anew for each row. The connection is the only one, and inside the transaction.
    insertNew: async (_db, entries) => {
      insert ??= connection.prepare(INSERT);
      const statement = insert;
      return entries.filter((entry) => statement.run(...FIELDS.map((field) => entry[field])).changes === 1);
    },
  };
}

/** node:sqlite in the shape kysely's dialect asks for. */
function adapted(connection: DatabaseSync): SqliteDatabase {
  return {
    close: () => connection.close(),
    prepare: (text) => {
      const statement = connection.prepare(text);
      statement.setReadBigInts(true);
      const values = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[];
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...values(parameters)),
        run: (parameters) => statement.run(...values(parameters)),
        iterate: (parameters) => statement.iterate(...values(parameters)) as IterableIterator<unknown>,
      };
    },
  };
}

/** Faults of the lines themselves: constraint, mismatch, too big. */
const PERMANENT = new Set([18, 19, 20]);

function sqliteFault(error: unknown, path: string): LedgerFault {
  if (error instanceof LedgerFault) return error;
  const { code = '', errcode = 0, message = String(error) } = error as { code?: string; errcode?: number; message?: string };
  const primary = errcode & 0xff;
  const words = FAULTS[primary] ?? FAULTS[code] ?? message;
  return new LedgerFault(`the database ${path}: ${words}`, { permanent: PERMANENT.has(primary), cause: error });
}

const FAULTS: Readonly<Record<string | number, string>> = {
  5: 'another process keeps it locked',
  8: 'it is read-only for this user',
  11: 'the file is damaged',
  13: 'the disk is full',
  14: 'it cannot be opened: does its folder exist, and may this user write there?',
  26: 'the file is not an SQLite database',
  EACCES: 'this user may not write in its folder',
  EROFS: 'its folder is on a read-only disk',
  EEXIST: 'a part of its path is a file, not a folder',
  ENOTDIR: 'a part of its path is a file, not a folder',
  ENOSPC: 'the disk is full',
};
