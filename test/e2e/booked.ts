import { sql } from 'kysely';
import { databaseAddress } from '../../config/database-address.ts';
import { openPostgres } from '../../server/database/postgres.ts';
import { openSqlite } from '../../server/database/sqlite.ts';

export interface Booked {
  /** By how the request ended; `expired` are those of a node that died. */
  readonly lines: Readonly<Record<string, number>>;
  /** Of all answers. */
  readonly tokens: number;
}

/** What the books hold. @param database as `database` of a configuration, with a whole path */
export async function booked(database: string): Promise<Booked> {
  const address = databaseAddress(database);
  if ('fault' in address || address.kind === 'memory') throw new Error(`no books can be opened there: ${database}`);
  const { db } = address.kind === 'sqlite' ? openSqlite({ path: address.path, readOnly: true }) : openPostgres(address.url);
  try {
    const { rows } = await sql<{ reason: string; lines: bigint | string; tokens: bigint | string }>`
      select reason, count(*) as lines, sum(completion_tokens) as tokens from estafet_requests group by reason`.execute(db);
    return {
      lines: Object.fromEntries(rows.map(({ reason, lines }) => [reason, Number(lines)])),
      tokens: rows.reduce((sum, { tokens }) => sum + Number(tokens), 0),
    };
  } finally {
    await db.destroy();
  }
}
