import { type Kysely, sql } from 'kysely';
import { type AccessChange, AccessRefusal, type AccessStore, type StoredKey, type StoredTeam } from '../../relay/keys/access-store.ts';
import { checkSchema, migrate } from './migrations.ts';
import type { SqlDatabase } from './sql-ledger.ts';
import type { KeyColumns, Tables, TeamColumns } from './tables.ts';
import { whole } from './whole.ts';

/** Keys and teams in SQL, the same for both databases. */
export class SqlAccess implements AccessStore {
  readonly #database: SqlDatabase;
  readonly #readOnly: boolean;

  constructor(database: SqlDatabase, { readOnly = false }: { readonly readOnly?: boolean } = {}) {
    this.#database = database;
    this.#readOnly = readOnly;
  }

  open(): Promise<void> {
    const { db } = this.#database;
    return this.#told(() => (this.#readOnly ? checkSchema(db) : this.#database.transaction('schema', (one) => migrate(one))));
  }

  revision(): Promise<number> {
    return this.#told(async () => {
      const row = await this.#database.db.selectFrom('estafet_access').select('revision').where('id', '=', 1).executeTakeFirstOrThrow();
      return whole(row.revision);
    });
  }

  teamsAfter(revision: number, most: number): Promise<StoredTeam[]> {
    const { db } = this.#database;
    const query = db.selectFrom('estafet_teams').selectAll().where('revision', '>', revision).orderBy('revision').limit(most);
    return this.#told(async () => (await query.execute()).map(teamOf));
  }

  keysAfter(revision: number, most: number): Promise<StoredKey[]> {
    const { db } = this.#database;
    const query = db.selectFrom('estafet_keys').selectAll().where('revision', '>', revision).orderBy('revision').limit(most);
    return this.#told(async () => (await query.execute()).map(keyOf));
  }

  /** The row of the counter is written first, and locked until the end: changes follow one another, and none overtakes another. */
  change<T>(work: (change: AccessChange) => Promise<T>): Promise<T> {
    return this.#told(() =>
      this.#database.transaction('write', async (db) => {
        const { rows } = await sql<{ revision: number }>`update estafet_access set revision = revision + 1
          where id = 1 returning revision`.execute(db);
        return work(changeIn(db, whole(rows[0]?.revision ?? 0)));
      }),
    );
  }

  close(): Promise<void> {
    return this.#database.db.destroy();
  }

  async #told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof AccessRefusal ? error : this.#database.fault(error);
    }
  }
}

function changeIn(db: Kysely<Tables>, revision: number): AccessChange {
  return {
    team: async (name) => {
      const row = await db.selectFrom('estafet_teams').selectAll().where('name', '=', name).executeTakeFirst();
      return row === undefined ? null : teamOf(row);
    },
    key: async (idOrName) => {
      const rows = await db
        .selectFrom('estafet_keys')
        .selectAll()
        .where((eb) => eb.or([eb('id', '=', idOrName), eb('name', '=', idOrName)]))
        .execute();
      const row = rows.find(({ id }) => id === idOrName) ?? rows[0];
      return row === undefined ? null : keyOf(row);
    },
    putTeam: async (team) => {
      const { name, ...rest } = { ...teamColumns(team), revision };
      await db
        .insertInto('estafet_teams')
        .values({ name, ...rest })
        .onConflict((conflict) => conflict.column('name').doUpdateSet(rest))
        .execute();
    },
    putKey: async (key) => {
      const { id, ...rest } = { ...keyColumns(key), revision };
      await db
        .insertInto('estafet_keys')
        .values({ id, ...rest })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(rest))
        .execute();
    },
  };
}

const teamColumns = (team: Omit<StoredTeam, 'revision'>): Omit<TeamColumns, 'revision'> => ({
  name: team.name,
  settings: team.settings,
  created_at_ms: team.createdAtMs,
  changed_at_ms: team.changedAtMs,
  removed_at_ms: team.removedAtMs,
});

const keyColumns = (key: Omit<StoredKey, 'revision'>): Omit<KeyColumns, 'revision'> => ({
  id: key.id,
  name: key.name,
  digest: key.digest,
  team: key.team,
  settings: key.settings,
  created_at_ms: key.createdAtMs,
  changed_at_ms: key.changedAtMs,
  revoked_at_ms: key.revokedAtMs,
});

const teamOf = (row: TeamColumns): StoredTeam => ({
  name: row.name,
  settings: row.settings,
  createdAtMs: whole(row.created_at_ms),
  changedAtMs: whole(row.changed_at_ms),
  removedAtMs: row.removed_at_ms === null ? null : whole(row.removed_at_ms),
  revision: whole(row.revision),
});

const keyOf = (row: KeyColumns): StoredKey => ({
  id: row.id,
  name: row.name,
  digest: row.digest,
  team: row.team,
  settings: row.settings,
  createdAtMs: whole(row.created_at_ms),
  changedAtMs: whole(row.changed_at_ms),
  revokedAtMs: row.revoked_at_ms === null ? null : whole(row.revoked_at_ms),
  revision: whole(row.revision),
});
