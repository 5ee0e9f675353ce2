import { Kysely, PostgresDialect, sql } from 'kysely';
import { Pool } from 'pg';
import { withHost } from '../../config/database-address.ts';
import { LedgerFault } from '../../relay/ledger/ledger-store.ts';
import { tlsFault } from '../tls-fault.ts';
import type { SqlDatabase } from './sql-ledger.ts';
import { REQUEST_COLUMNS, type Tables } from './tables.ts';

/** One writer, readers beside it, and one to spare. */
const CONNECTIONS = 4;
const CONNECT_MS = 5_000;
/**
 * A server that is silent for this long counts as gone. Whether it still carries out what it was asked is not known then; a transaction
 * whose rollback is not answered either ends with its connection.
 */
const QUERY_MS = 10_000;
/** Of all processes that bring the schema up to date, one at a time ("estafet" as a number). */
const SCHEMA_LOCK = 28_539_365_417_846;

const COLUMNS = Object.entries(REQUEST_COLUMNS);
const NAMES = COLUMNS.map(([, [column]]) => column).join(', ');
const FROM_FIELDS = COLUMNS.map(([field]) => `"${field}"`).join(', ');
const FIELD_TYPES = COLUMNS.map(([field, [, type]]) => `"${field}" ${type}`).join(', ');

/** PostgreSQL; connects at the first call, and again whenever it must. */
export function openPostgres(
  url: string,
  { connections = CONNECTIONS, queryMs = QUERY_MS }: { readonly connections?: number; readonly queryMs?: number } = {},
): SqlDatabase {
  const pool = new Pool({
    connectionString: verified(url),
    max: connections,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: queryMs,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: 'estafet',
    allowExitOnIdle: true,
  });
  // A connection that dies leaves the pool; the call it carried fails, or the next one makes a new connection and tells when it cannot.
  // Without these listeners the event would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return {
    db,
    transaction: (purpose, work) =>
      (purpose === 'read' ? db.transaction().setIsolationLevel('repeatable read') : db.transaction()).execute(async (one) => {
        if (purpose === 'schema') await sql`select pg_advisory_xact_lock(${SCHEMA_LOCK})`.execute(one);
        return work(one);
      }),
    // The whole batch is one parameter: thousands of single ones would be built and bound on the event loop.
    // In the order of ids, so that two writers of the same lines wait for each other and never in a ring.
    insertNew: async (one, entries) => {
      const { rows } = await sql<{ id: string }>`insert into estafet_requests (${sql.raw(NAMES)})
        select ${sql.raw(FROM_FIELDS)} from json_to_recordset(${withoutBrokenText(JSON.stringify(entries))}::json) as given(${sql.raw(FIELD_TYPES)}) order by id
        on conflict (id) do nothing returning id`.execute(one);
      const fresh = new Set(rows.map(({ id }) => id));
      // `delete`: the same id twice in one batch is one line.
      return entries.filter(({ id }) => fresh.delete(id));
    },
    fault: (error) => postgresFault(error, url),
  };
}

function postgresFault(error: unknown, url: string): LedgerFault {
  if (error instanceof LedgerFault) return error;
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  const words =
    tlsFault(error) ??
    FAULTS[code] ??
    WORDS.find(([pattern]) => pattern.test(message))?.[1] ??
    message.replaceAll(url, '…').split('\n', 1)[0];
  // Classes 22 and 23: the data, not the database.
  return new LedgerFault(`PostgreSQL at ${placeOf(url)}: ${words}`, {
    permanent: /^2[23]/.test(code),
    cause: error,
  });
}

/** Host, port and name, or the folder of the socket; neither user nor password. */
function placeOf(url: string): string {
  const { hostname, port, pathname, searchParams } = new URL(withHost(url));
  const host = searchParams.get('host') ?? decodeURIComponent(hostname);
  return `${host}${port === '' ? '' : `:${port}`}${pathname}`;
}

/**
 * Every `sslmode` that asks for TLS asks for a certificate that is good for the host, as `verify-full`: the client reads the weaker ones so too,
 * but warns of it in a paragraph. Whoever wants libpq's meaning says `uselibpqcompat=true`.
 */
function verified(url: string): string {
  return /[?&]uselibpqcompat=true(?:&|$)/.test(url)
    ? url
    : url.replace(/([?&]sslmode=)(?:prefer|require|verify-ca)(?=&|$)/, '$1verify-full');
}

/** Of the client, without a code. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/does not support SSL/, 'it speaks no TLS'],
  [/timeout/, 'it does not answer in time'],
];

const FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such host',
  ECONNRESET: 'the connection was lost',
  ETIMEDOUT: 'it does not answer in time',
};

/**
 * PostgreSQL takes no NUL and no half of a surrogate pair in a text. `JSON.stringify` writes both as escapes, so that is where they are
 * replaced, by U+FFFD; an escaped backslash before a `u` is no escape of a character.
 */
function withoutBrokenText(json: string): string {
  if (!json.includes('\\u0000') && !json.includes('\\ud')) return json;
  return json.replace(/\\(?:u(?:0000|d[89a-f][0-9a-f]{2})|.)/g, (found) => (found.length > 2 ? '\\ufffd' : found));
}
