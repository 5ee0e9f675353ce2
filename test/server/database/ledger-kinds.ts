import type { LedgerStore } from '../../../relay/ledger/ledger-store.ts';
import type { UsageQuery } from '../../../relay/ledger/usage.ts';
import { SqlLedger } from '../../../server/database/sql-ledger.ts';
import { SqliteThread } from '../../../server/database/sqlite-thread.ts';
import { DATABASES, type Database, SQLITE } from './databases.ts';

/** A database with books as a relay opens them. */
export interface Kind extends Database {
  store(place: string): LedgerStore;
}

/** The databases that every test of the books runs on. */
export const KINDS: readonly Kind[] = DATABASES.map((database) => ({
  ...database,
  store: (place) => (database === SQLITE ? new SqliteThread({ path: place }) : new SqlLedger(database.open(place))),
}));

export const ALL: UsageQuery = { by: null, fromMs: null, toMs: null, team: null, key: null };

/** Opens the books of a kind, in a new database unless told which. */
export const openerOf =
  (kind: Kind) =>
  async (place = kind.place()): Promise<LedgerStore> => {
    const store = kind.store(place);
    await store.open();
    return store;
  };
