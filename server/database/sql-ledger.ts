import { type Kysely, type RawBuilder, sql } from 'kysely';
import { type Currency, entryOfLine, type LedgerEntry, type LedgerLine } from '../../relay/ledger/ledger-entry.ts';
import type { LedgerFault, LedgerStore } from '../../relay/ledger/ledger-store.ts';
import {
  addUsage,
  NO_USAGE,
  type SpentQuery,
  type SpentRow,
  type UsageGroup,
  type UsageQuery,
  type UsageRow,
  type UsageTotals,
} from '../../relay/ledger/usage.ts';
import { hourOf, hourSums, SUM_COLUMNS } from './hours.ts';
import { checkSchema, type Migration, migrate } from './migrations.ts';
import { entryOf, type Row } from './rows.ts';
import { spentByAskedModel } from './spent.ts';
import type { Tables } from './tables.ts';
import { type Driven, whole, wholeBig } from './whole.ts';

/** What differs between the databases. */
export interface SqlDatabase {
  readonly db: Kysely<Tables>;
  /** One transaction; for `schema` no other process is inside one at the same time, and `read` sees one moment. */
  transaction<T>(purpose: 'write' | 'schema' | 'read', work: (db: Kysely<Tables>) => Promise<T>): Promise<T>;
  /** Inserts the lines that are not there; gives these. Of two with one id the first. Inside a transaction of its own kind. */
  insertNew(db: Kysely<Tables>, entries: readonly LedgerEntry[]): Promise<readonly LedgerEntry[]>;
  /** Anything the driver threw, in one line. */
  fault(error: unknown): LedgerFault;
}

export interface SqlLedgerOptions {
  /** A reader changes nothing: the schema must be this release's already. */
  readonly readOnly?: boolean;
  readonly migrations?: readonly Migration[];
}

/** Each kind of group as an expression over the hourly sums. */
const GROUPS: Readonly<Record<UsageGroup, RawBuilder<Driven>>> = {
  team: sql.raw('team'),
  key: sql.raw('key_name'),
  model: sql.raw('model'),
  backend: sql.raw('backend'),
  day: sql.raw('(hour_ms - hour_ms % 86400000)'),
};

const SUMS = sql.raw([...Object.values(SUM_COLUMNS), 'cost_nano'].map((column) => `sum(${column}) as ${column}`).join(', '));

/** The books in SQL, the same for both databases. */
export class SqlLedger implements LedgerStore {
  readonly #database: SqlDatabase;
  readonly #options: SqlLedgerOptions;

  constructor(database: SqlDatabase, options: SqlLedgerOptions = {}) {
    this.#database = database;
    this.#options = options;
  }

  open(): Promise<void> {
    const { migrations, readOnly = false } = this.#options;
    return this.#told(() =>
      readOnly ? checkSchema(this.#database.db, migrations?.length) : this.#database.transaction('schema', (db) => migrate(db, migrations)),
    );
  }

  write(lines: readonly LedgerLine[]): Promise<number> {
    const entries = lines.map(entryOfLine);
    return this.#told(() =>
      this.#database.transaction('write', async (db) => {
        // Only lines that were not there are summed up: a replay adds to no sum.
        const added = await this.#database.insertNew(db, entries);
        if (added.length === entries.length) {
          for (const sum of hourSums(added)) await addHour(db, sum);
          return added.length;
        }
        const { guesses, truths } = await this.#replaceGuesses(db, entries);
        for (const sum of hourSums([...added, ...truths], guesses)) await addHour(db, sum);
        if (guesses.length > 0) await dropEmptyHours(db, guesses);
        return added.length;
      }),
    );
  }

  /** A line that was written for a node thought dead gives way to what that node says itself. */
  async #replaceGuesses(db: Kysely<Tables>, entries: readonly LedgerEntry[]): Promise<Replaced> {
    const known = new Map(entries.filter(({ reason }) => reason !== 'expired').map((entry) => [entry.id, entry]));
    if (known.size === 0) return { guesses: [], truths: [] };
    const { rows } = await sql<Row>`delete from estafet_requests
      where reason = 'expired' and id in (${sql.join([...known.keys()])}) returning *`.execute(db);
    const guesses = rows.map(entryOf);
    const truths = guesses.flatMap(({ id }) => known.get(id) ?? []);
    // Another writer of the same truth waited for this row, and finds no guess any more.
    return { guesses, truths: truths.length === 0 ? [] : await this.#database.insertNew(db, truths) };
  }

  usage({ by, fromMs, toMs, team, key }: UsageQuery): Promise<UsageRow[]> {
    const group = by === null ? sql.raw<Driven>("''") : GROUPS[by];
    const conditions = [sql`1 = 1`];
    if (fromMs !== null) conditions.push(sql`hour_ms >= ${fromMs}`);
    if (toMs !== null) conditions.push(sql`hour_ms < ${toMs}`);
    if (team !== null) conditions.push(sql`team = ${team}`);
    if (key !== null) conditions.push(sql`key_name = ${key}`);
    return this.#told(async () => {
      const { rows } = await sql<Record<string, Driven>>`select ${group} as usage_group, currency, ${SUMS} from estafet_usage_hours
        where ${sql.join(conditions, sql` and `)} group by 1, 2`.execute(this.#database.db);
      return folded(rows, by);
    });
  }

  spent(query: SpentQuery): Promise<SpentRow[]> {
    return this.#told(() => spentByAskedModel(this.#database.db, query));
  }

  truths(ids: readonly string[]): Promise<LedgerEntry[]> {
    if (ids.length === 0) return Promise.resolve([]);
    return this.#told(async () => {
      const { rows } = await sql<Row>`select * from estafet_requests
        where id in (${sql.join(ids)}) and reason <> 'expired'`.execute(this.#database.db);
      return rows.map(entryOf);
    });
  }

  prune(beforeMs: number, most: number): Promise<number> {
    return this.#told(async () => {
      const { rows } = await sql`delete from estafet_requests where id in
        (select id from estafet_requests where at_ms < ${beforeMs} limit ${most}) returning id`.execute(this.#database.db);
      return rows.length;
    });
  }

  close(): Promise<void> {
    return this.#database.db.destroy();
  }

  async #told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#database.fault(error);
    }
  }
}

/** Lines that were guessed, and those in their place. */
interface Replaced {
  readonly guesses: readonly LedgerEntry[];
  readonly truths: readonly LedgerEntry[];
}

type Sum = ReturnType<typeof hourSums>[number];

async function addHour(db: Kysely<Tables>, { hourMs, team, key, model, backend, currency, totals }: Sum): Promise<void> {
  const sums: Record<string, number | bigint> = { cost_nano: currency === '' ? 0 : (totals.costNano[currency as Currency] ?? 0n) };
  for (const [field, column] of Object.entries(SUM_COLUMNS)) sums[column] = totals[field as keyof typeof SUM_COLUMNS];
  const names = Object.keys(sums);
  await sql`insert into estafet_usage_hours (hour_ms, team, key_name, model, backend, currency, ${sql.raw(names.join(', '))})
    values (${hourMs}, ${team}, ${key}, ${model}, ${backend}, ${currency}, ${sql.join(Object.values(sums))})
    on conflict (hour_ms, team, key_name, model, backend, currency) do update set
    ${sql.raw(names.map((name) => `${name} = estafet_usage_hours.${name} + excluded.${name}`).join(', '))}`.execute(db);
}

/** What a guess alone had brought in, e.g. the model of a candidate that did not answer. */
async function dropEmptyHours(db: Kysely<Tables>, guesses: readonly LedgerEntry[]): Promise<void> {
  const hours = [...new Set(guesses.map(hourOf))];
  const empty = [...Object.values(SUM_COLUMNS), 'cost_nano'].map((column) => `${column} = 0`).join(' and ');
  await sql`delete from estafet_usage_hours where hour_ms in (${sql.join(hours)}) and ${sql.raw(empty)}`.execute(db);
}

/** Rows come per group and currency; one row per group goes out. */
function folded(rows: readonly Record<string, Driven>[], by: UsageGroup | null): UsageRow[] {
  const groups = new Map<string, UsageTotals>();
  for (const row of rows) {
    const value = row['usage_group'] as Driven;
    const group = by === 'day' ? new Date(whole(value)).toISOString().slice(0, 10) : String(value);
    const counts = Object.fromEntries(Object.entries(SUM_COLUMNS).map(([field, column]) => [field, whole(row[column] as Driven)]));
    const costNano = row['currency'] === '' ? {} : { [row['currency'] as Currency]: wholeBig(row['cost_nano'] as Driven) };
    groups.set(group, addUsage(groups.get(group) ?? NO_USAGE, { ...counts, costNano } as unknown as UsageTotals));
  }
  // By code units: the databases sort text by rules of their own.
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([group, totals]) => ({ group, ...totals }));
}
