import { type Kysely, sql } from 'kysely';
import { LedgerFault } from '../../relay/ledger/ledger-store.ts';
import type { Tables } from './tables.ts';
import { whole } from './whole.ts';

/** One step forward, in SQL that both databases take. There is no way back: an older release refuses a newer schema. */
export type Migration = readonly string[];

/** Of the hour and combination of a row of sums. */
const EXPIRED_LINES = `(select count(*) from estafet_requests line where line.reason = 'expired'
  and line.at_ms >= estafet_usage_hours.hour_ms and line.at_ms < estafet_usage_hours.hour_ms + 3600000
  and line.team = estafet_usage_hours.team and line.key_name = estafet_usage_hours.key_name
  and line.served_model = estafet_usage_hours.model and line.backend = estafet_usage_hours.backend
  and coalesce(line.currency, '') = estafet_usage_hours.currency)`;

/** In order; the schema's version is how many were applied. A released step is never changed, a new one is added at the end. */
export const MIGRATIONS: readonly Migration[] = [
  [
    `create table estafet_requests (
      id text not null primary key,
      at_ms bigint not null,
      surface text not null,
      team text not null,
      key_name text not null,
      asked_model text not null,
      served_model text not null,
      backend text not null,
      vendor text not null,
      region text not null,
      stream smallint not null,
      status smallint not null,
      reason text not null,
      error_code text,
      prompt_tokens bigint not null,
      paid_prompt_tokens bigint not null,
      completion_tokens bigint not null,
      cached_tokens bigint not null,
      reasoning_tokens bigint not null,
      usage_source text,
      cost_nano bigint,
      currency text,
      price_source text,
      price_date text,
      price_confidence text,
      first_byte_ms bigint,
      total_ms bigint not null,
      receipt text,
      attempts text not null
    )`,
    'create index estafet_requests_at on estafet_requests (at_ms)',
    `create table estafet_usage_hours (
      hour_ms bigint not null,
      team text not null,
      key_name text not null,
      model text not null,
      backend text not null,
      currency text not null,
      requests bigint not null default 0,
      failed bigint not null default 0,
      refused bigint not null default 0,
      client_gone bigint not null default 0,
      estimated bigint not null default 0,
      unpriced bigint not null default 0,
      prompt_tokens bigint not null default 0,
      paid_prompt_tokens bigint not null default 0,
      completion_tokens bigint not null default 0,
      cached_tokens bigint not null default 0,
      reasoning_tokens bigint not null default 0,
      cost_nano bigint not null default 0,
      primary key (hour_ms, team, key_name, model, backend, currency)
    )`,
    'create index estafet_usage_hours_key on estafet_usage_hours (key_name, hour_ms)',
  ],
  // Keys and teams. Each change is one row with a revision of its own, counted in `estafet_access`. No row is ever deleted: books and
  // limits go by name, so a name is never free again.
  [
    'create table estafet_access (id smallint not null primary key, revision bigint not null)',
    'insert into estafet_access (id, revision) values (1, 0)',
    `create table estafet_teams (
      name text not null primary key,
      settings text not null,
      created_at_ms bigint not null,
      changed_at_ms bigint not null,
      removed_at_ms bigint,
      revision bigint not null unique
    )`,
    `create table estafet_keys (
      id text not null primary key,
      name text not null unique,
      digest text not null unique,
      team text not null,
      settings text not null,
      created_at_ms bigint not null,
      changed_at_ms bigint not null,
      revoked_at_ms bigint,
      revision bigint not null unique
    )`,
  ],
  [
    'alter table estafet_requests add column estimate_prompt_tokens bigint',
    'alter table estafet_requests add column estimate_completion_tokens bigint',
    'alter table estafet_requests add column estimate_cost_nano bigint',
    'alter table estafet_requests add column estimate_currency text',
    'alter table estafet_requests add column refused_by text',
    'alter table estafet_requests add column held_by text',
    'create index estafet_requests_refused on estafet_requests (key_name, at_ms) where refused_by is not null',
  ],
  ['alter table estafet_requests add column decision text'],
  // What a lease had booked was counted as `estimated`: told apart as far back as lines are kept, since a truth may still replace them.
  [
    'alter table estafet_usage_hours add column expired bigint not null default 0',
    `update estafet_usage_hours set expired = ${EXPIRED_LINES}, estimated = estimated - ${EXPIRED_LINES}
      where hour_ms in (select at_ms - at_ms % 3600000 from estafet_requests where reason = 'expired')`,
  ],
];

/** Brings the schema up to date, inside a transaction that no other process can be in. @throws LedgerFault on a newer schema */
export async function migrate(db: Kysely<Tables>, migrations: readonly Migration[] = MIGRATIONS, nowMs = Date.now()): Promise<void> {
  await sql`create table if not exists estafet_schema (version bigint not null primary key, applied_at_ms bigint not null)`.execute(db);
  const version = await newest(db);
  if (version > migrations.length) throw tooNew(version, migrations.length);
  for (const [offset, statements] of migrations.slice(version).entries()) {
    for (const statement of statements) await sql.raw(statement).execute(db);
    await db
      .insertInto('estafet_schema')
      .values({ version: version + offset + 1, applied_at_ms: nowMs })
      .execute();
  }
}

/** For a reader that changes nothing. @throws LedgerFault when the schema is not exactly this release's */
export async function checkSchema(db: Kysely<Tables>, known: number = MIGRATIONS.length): Promise<void> {
  let version: number;
  try {
    version = await newest(db);
  } catch (error) {
    // SQLite and PostgreSQL for a table that does not exist.
    if (!/no such table|42P01|does not exist/.test(`${(error as { code?: string }).code} ${(error as Error).message}`)) throw error;
    throw new LedgerFault('the database has no books of Estafet: the relay creates them when it first starts with it', { cause: error });
  }
  if (version > known) throw tooNew(version, known);
  if (version < known) {
    throw new LedgerFault(
      `the database's schema is version ${version}, this release needs ${known}: start the relay once; it updates the schema`,
    );
  }
}

async function newest(db: Kysely<Tables>): Promise<number> {
  const row = await db
    .selectFrom('estafet_schema')
    .select(({ fn }) => fn.max('version').as('version'))
    .executeTakeFirst();
  return whole(row?.version ?? 0);
}

const tooNew = (version: number, known: number): LedgerFault =>
  new LedgerFault(
    `the database's schema is version ${version}, newer than the ${known} this release knows: use the release that made it, or a later one`,
  );
