import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { LedgerEntry } from '../../../relay/ledger/ledger-entry.ts';
import { LedgerFault } from '../../../relay/ledger/ledger-store.ts';
import { AuditReader, type LineQuery } from '../../../server/database/audit-reader.ts';
import { SqlLedger } from '../../../server/database/sql-ledger.ts';
import { entry, HOUR, TEN, UNANSWERED } from '../../relay/ledger/entries.ts';
import { DATABASES, databasesAtTest } from './databases.ts';

databasesAtTest();

const refused = (id: string, by: string, more: Partial<LedgerEntry> = {}): LedgerEntry =>
  entry(id, { ...UNANSWERED, status: 429, reason: 'refused', refusedBy: by, ...more });

const LINES: readonly LedgerEntry[] = [
  entry('req_1', { heldBy: 'store', estimatePromptTokens: 7, estimateCompletionTokens: 9, estimateCostNano: 11, estimateCurrency: 'CNY' }),
  entry('req_3', { key: 'ci', costNano: 3, currency: 'USD', heldBy: 'local' }),
  entry('req_2', { atMs: TEN + 1, heldBy: 'nobody' }),
  refused('req_4', 'team.rpm', { atMs: TEN + HOUR }),
  refused('req_5', 'team.rpm', { atMs: TEN + HOUR, key: 'ci' }),
  refused('req_6', 'key.tpm', { atMs: TEN + 2 * HOUR }),
  entry('req_7', { atMs: TEN + 2 * HOUR, team: 'red' }),
];

describe.each(DATABASES)('$name', (kind) => {
  /** Books with the lines, read by an auditor; `change` sees them before. */
  async function reading<T>(read: (reader: AuditReader) => Promise<T>, ...changes: ReturnType<typeof sql>[]): Promise<T> {
    const place = kind.place();
    const ledger = new SqlLedger(kind.open(place));
    await ledger.open();
    await ledger.write(LINES);
    await ledger.close();
    const { db } = kind.open(place);
    for (const change of changes) await change.execute(db);
    await db.destroy();
    const reader = new AuditReader(kind.open(place, true));
    try {
      await reader.open();
      return await read(reader);
    } finally {
      await reader.close();
    }
  }

  const all = (query: LineQuery, ...changes: ReturnType<typeof sql>[]): Promise<LedgerEntry[]> =>
    reading(
      async (reader) => {
        const found: LedgerEntry[] = [];
        for await (const page of reader.lines(query)) found.push(...page);
        return found;
      },
      ...changes,
    );

  test('lines come back whole but for the receipt', async () => {
    const [first] = await all({ fromMs: 0, toMs: null, team: null });
    expect(first).toEqual({ ...LINES[0], receipt: null });
  });

  test.each<readonly [string, LineQuery, readonly string[]]>([
    [
      'in the order of arrival, then of ids',
      { fromMs: 0, toMs: null, team: null },
      ['req_1', 'req_3', 'req_2', 'req_4', 'req_5', 'req_6', 'req_7'],
    ],
    ['of one team', { fromMs: 0, toMs: null, team: 'red' }, ['req_7']],
    ['from a moment, included', { fromMs: TEN + 1, toMs: null, team: 'blue' }, ['req_2', 'req_4', 'req_5', 'req_6']],
    ['to a moment, not included', { fromMs: 0, toMs: TEN + 1, team: null }, ['req_1', 'req_3']],
    ['none', { fromMs: TEN + 9 * HOUR, toMs: null, team: null }, []],
  ])('lines: %s', async (_, query, ids) => {
    expect((await all(query)).map(({ id }) => id)).toEqual(ids);
  });

  test('more lines than a page, many of one moment: each once', { timeout: 30_000 }, async () => {
    const copies = sql`insert into estafet_requests (${sql.raw(REST)}, id) select ${sql.raw(REST)}, 'req_9' || n.value
      from estafet_requests cross join (${sql.raw(kind.name === 'SQLite' ? NUMBERS_SQLITE : NUMBERS_POSTGRES)}) as n
      where estafet_requests.id = 'req_1'`;
    const lines = await all({ fromMs: 0, toMs: null, team: null }, copies);
    expect(lines.length).toBe(LINES.length + 6_000);
    expect(new Set(lines.map(({ id }) => id)).size).toBe(lines.length);
  });

  test.each([
    [
      { team: 'blue', key: null, fromMs: null, toMs: null },
      { 'key.tpm': 1, 'team.rpm': 2 },
    ],
    [{ team: 'blue', key: 'ci', fromMs: null, toMs: null }, { 'team.rpm': 1 }],
    [{ team: null, key: null, fromMs: TEN + 2 * HOUR, toMs: null }, { 'key.tpm': 1 }],
    [{ team: null, key: null, fromMs: null, toMs: TEN + 2 * HOUR }, { 'team.rpm': 2 }],
    [{ team: 'red', key: null, fromMs: null, toMs: null }, {}],
  ])('refusals of %j', async (query, counts) => {
    expect(Object.fromEntries(await reading((reader) => reader.refusals(query)))).toEqual(counts);
  });

  const sums = (team: string | null, ...changes: ReturnType<typeof sql>[]) => reading((reader) => reader.sums(TEN, team), ...changes);

  test('sums are those of their lines', async () => {
    expect(await sums(null)).toEqual({ hours: 3, lines: 7, drifts: [] });
    expect(await sums('red')).toEqual({ hours: 1, lines: 1, drifts: [] });
  });

  test.each([
    ['a line that was deleted', sql`delete from estafet_requests where id = 'req_6'`, { column: 'refused', expected: 0n, found: 1n }, 3],
    [
      'a sum that was changed',
      sql`update estafet_usage_hours set cost_nano = cost_nano + 1 where team = 'red'`,
      { column: 'cost_nano', expected: 1_000_000_000n, found: 1_000_000_001n },
      3,
    ],
    ['a sum that was deleted', sql`delete from estafet_usage_hours where team = 'red'`, { column: 'requests', expected: 1n, found: 0n }, 3],
  ])('%s is named by its hour', async (_, change, drift, hours) => {
    const found = await sums(null, change);
    expect(found.hours).toBe(hours);
    expect(found.drifts).toContainEqual(expect.objectContaining({ hourMs: TEN + 2 * HOUR, ...drift }));
  });

  test('nothing is made where there are no books', async () => {
    const empty = kind.place();
    await expect((async () => new AuditReader(kind.open(empty, true)).open())()).rejects.toThrow(LedgerFault);
  });
});

const REST = `at_ms, surface, team, key_name, asked_model, served_model, backend, vendor, region, stream, status, reason, error_code, prompt_tokens,
  paid_prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, usage_source, total_ms, attempts`;
const NUMBERS_POSTGRES = 'select value from generate_series(1, 6000) as s(value)';
const NUMBERS_SQLITE = 'with recursive s(value) as (select 1 union all select value + 1 from s where value < 6000) select value from s';
