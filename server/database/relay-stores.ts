import type { Secret } from '../../config/secret.ts';
import type { AccessReader } from '../../relay/keys/access-store.ts';
import type { LedgerStore } from '../../relay/ledger/ledger-store.ts';
import { addressOf } from './address-of.ts';
import { SqliteThread } from './sqlite-thread.ts';

/**
 * The stores of a relay. What speaks SQL is loaded where it is used: in a thread with SQLite, in this one with PostgreSQL. Nothing here
 * may import it at the top, since every process would load its hundreds of files at the start.
 */

/** A silent server is given up after so long, so that one that answers again is heard soon. */
const ACCESS_QUERY_MS = 2_000;

/** Nothing is connected or opened before its first call. */
export function ledgerStore(database: Secret | undefined): LedgerStore {
  const address = addressOf(database);
  switch (address.kind) {
    case 'memory':
      return new SqliteThread({ path: ':memory:' });
    case 'sqlite':
      return new SqliteThread({ path: address.path });
    case 'postgres':
      return postgresLedger(address.url);
  }
}

/**
 * To be opened after the books. A connection of its own, in a thread of its own with SQLite: however the books are asked, a revocation
 * does not wait for them. Null when the database is in memory: no command could put a key there.
 */
export function accessReader(database: Secret | undefined): AccessReader | null {
  const address = addressOf(database);
  switch (address.kind) {
    case 'memory':
      return null;
    case 'sqlite':
      return new SqliteThread({ path: address.path, readOnly: true });
    case 'postgres':
      return postgresAccess(address.url);
  }
}

function postgresLedger(url: string): LedgerStore {
  const store = once(async () => {
    const [{ openPostgres }, { SqlLedger }] = await Promise.all([import('./postgres.ts'), import('./sql-ledger.ts')]);
    return new SqlLedger(openPostgres(url));
  });
  return {
    open: async () => (await store.get()).open(),
    write: async (lines) => (await store.get()).write(lines),
    usage: async (query) => (await store.get()).usage(query),
    spent: async (query) => (await store.get()).spent(query),
    truths: async (ids) => (await store.get()).truths(ids),
    prune: async (beforeMs, most) => (await store.get()).prune(beforeMs, most),
    close: async () => (await store.begun())?.close(),
  };
}

function postgresAccess(url: string): AccessReader {
  const store = once(async () => {
    const [{ openPostgres }, { SqlAccess }] = await Promise.all([import('./postgres.ts'), import('./sql-access.ts')]);
    return new SqlAccess(openPostgres(url, { connections: 1, queryMs: ACCESS_QUERY_MS }), { readOnly: true });
  });
  return {
    open: async () => (await store.get()).open(),
    revision: async () => (await store.get()).revision(),
    teamsAfter: async (revision, most) => (await store.get()).teamsAfter(revision, most),
    keysAfter: async (revision, most) => (await store.get()).keysAfter(revision, most),
    close: async () => (await store.begun())?.close(),
  };
}

/** `begun` does not make it: a store that was never asked has nothing to close. */
function once<T>(make: () => Promise<T>) {
  let made: Promise<T> | null = null;
  return {
    get: (): Promise<T> => (made ??= make()),
    begun: (): Promise<T> | null => made,
  };
}
