import { sql } from 'kysely';
import type { LedgerEntry } from '../../relay/ledger/ledger-entry.ts';
import type { UsageQuery, UsageRow } from '../../relay/ledger/usage.ts';
import { hourSums, SUM_COLUMNS } from './hours.ts';
import { entryOf, type Row } from './rows.ts';
import { type SqlDatabase, SqlLedger } from './sql-ledger.ts';
import { REQUEST_COLUMNS } from './tables.ts';
import { type Driven, whole, wholeBig } from './whole.ts';

/** An hourly sum that its lines do not add up to. */
export interface SumDrift {
  readonly hourMs: number;
  /** Team, key, model, backend and currency, as far as they are set. */
  readonly of: string;
  readonly column: string;
  readonly expected: bigint;
  readonly found: bigint;
}

export interface SumsChecked {
  readonly hours: number;
  readonly lines: number;
  readonly drifts: readonly SumDrift[];
}

export interface LineQuery {
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly team: string | null;
}

const HOUR_MS = 3_600_000;
const PAGE = 5_000;
const SUMS = [...Object.values(SUM_COLUMNS), 'cost_nano'];
/** Receipts are large, and nobody adds them up. */
const COLUMNS = sql.raw(
  Object.values(REQUEST_COLUMNS)
    .map(([column]) => (column === 'receipt' ? 'null as receipt' : column))
    .join(', '),
);

/** The books for an auditor: reads lines and sums, and changes nothing. */
export class AuditReader {
  readonly #database: SqlDatabase;
  readonly #ledger: SqlLedger;

  constructor(database: SqlDatabase) {
    this.#database = database;
    this.#ledger = new SqlLedger(database, { readOnly: true });
  }

  /** @throws LedgerFault in one line */
  open(): Promise<void> {
    return this.#ledger.open();
  }

  usage(query: UsageQuery): Promise<UsageRow[]> {
    return this.#ledger.usage(query);
  }

  /** Refused requests by the limit that refused, as far as lines are kept. @throws LedgerFault */
  async refusals({ team, key, fromMs, toMs }: Omit<UsageQuery, 'by'>): Promise<ReadonlyMap<string, number>> {
    const conditions = [sql`refused_by is not null`];
    if (team !== null) conditions.push(sql`team = ${team}`);
    if (key !== null) conditions.push(sql`key_name = ${key}`);
    if (fromMs !== null) conditions.push(sql`at_ms >= ${fromMs}`);
    if (toMs !== null) conditions.push(sql`at_ms < ${toMs}`);
    const rows = await this.#rows(sql`select refused_by, count(*) as requests from estafet_requests
      where ${sql.join(conditions, sql` and `)} group by refused_by order by refused_by`);
    return new Map(rows.map((row) => [String(row['refused_by']), whole(row['requests'] as Driven)]));
  }

  /** Lines in the order of their arrival, in pages. @throws LedgerFault */
  async *lines({ fromMs, toMs, team }: LineQuery): AsyncGenerator<readonly LedgerEntry[]> {
    let [at, id] = [fromMs - 1, '\u{10ffff}'];
    for (;;) {
      const rows = await this.#rows(sql`select ${COLUMNS} from estafet_requests
        where at_ms >= ${at} and (at_ms > ${at} or id > ${id}) ${toMs === null ? sql`` : sql`and at_ms < ${toMs}`}
        ${team === null ? sql`` : sql`and team = ${team}`} order by at_ms, id limit ${PAGE}`);
      const entries = rows.map(entryOf);
      if (entries.length > 0) yield entries;
      const last = entries.at(-1);
      if (last === undefined || entries.length < PAGE) return;
      [at, id] = [last.atMs, last.id];
    }
  }

  /** Every hourly sum since a full hour against the lines it was made of, hour by hour, each at one moment. @throws LedgerFault */
  async sums(fromMs: number, team: string | null): Promise<SumsChecked> {
    const of = team === null ? sql`` : sql`and team = ${team}`;
    const rows = await this.#rows(sql`select hour_ms from estafet_usage_hours where hour_ms >= ${fromMs} ${of}
      union select at_ms - at_ms % ${sql.raw(String(HOUR_MS))} from estafet_requests where at_ms >= ${fromMs} ${of} order by 1`);
    const drifts: SumDrift[] = [];
    let lines = 0;
    for (const row of rows) {
      const hour = await this.#told(() => this.#hour(whole(row['hour_ms'] as Driven), team));
      drifts.push(...hour.drifts);
      lines += hour.lines;
    }
    return { hours: rows.length, lines, drifts };
  }

  close(): Promise<void> {
    return this.#ledger.close();
  }

  #hour(hourMs: number, team: string | null): Promise<Omit<SumsChecked, 'hours'>> {
    const of = team === null ? sql`` : sql`and team = ${team}`;
    return this.#database.transaction('read', async (db) => {
      const kept = await sql<Row>`select * from estafet_usage_hours where hour_ms = ${hourMs} ${of}`.execute(db);
      const sums = new Map<string, Map<string, { expected: bigint; found: bigint }>>();
      const add = (name: string, column: string, side: 'expected' | 'found', amount: bigint): void => {
        const columns = sums.get(name) ?? new Map<string, { expected: bigint; found: bigint }>();
        const both = columns.get(column) ?? { expected: 0n, found: 0n };
        both[side] += amount;
        sums.set(name, columns.set(column, both));
      };
      for (const row of kept.rows) {
        const name = nameOf(['team', 'key_name', 'model', 'backend', 'currency'].map((column) => String(row[column])));
        for (const column of SUMS) add(name, column, 'found', wholeBig(row[column] as Driven));
      }
      let [count, at, id] = [0, hourMs, ''];
      for (;;) {
        const page = await sql<Row>`select ${COLUMNS} from estafet_requests where at_ms >= ${at} and at_ms < ${hourMs + HOUR_MS}
          and (at_ms > ${at} or id > ${id}) ${of} order by at_ms, id limit ${PAGE}`.execute(db);
        const entries = page.rows.map(entryOf);
        count += entries.length;
        for (const { team: whose, key, model, backend, currency, totals } of hourSums(entries)) {
          const name = nameOf([whose, key, model, backend, currency]);
          for (const [field, column] of Object.entries(SUM_COLUMNS)) {
            add(name, column, 'expected', BigInt(totals[field as keyof typeof SUM_COLUMNS]));
          }
          add(name, 'cost_nano', 'expected', Object.values(totals.costNano)[0] ?? 0n);
        }
        const last = entries.at(-1);
        if (last === undefined || entries.length < PAGE) break;
        [at, id] = [last.atMs, last.id];
      }
      const drifts = [...sums].flatMap(([name, columns]) =>
        [...columns].flatMap(([column, { expected, found }]) => (expected === found ? [] : { hourMs, of: name, column, expected, found })),
      );
      return { lines: count, drifts };
    });
  }

  async #rows(query: ReturnType<typeof sql<Row>> | ReturnType<typeof sql>): Promise<readonly Row[]> {
    return this.#told(async () => (await query.execute(this.#database.db)).rows as readonly Row[]);
  }

  async #told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#database.fault(error);
    }
  }
}

const nameOf = (parts: readonly string[]): string => parts.map((part) => (part === '' ? '-' : part)).join(' ');
