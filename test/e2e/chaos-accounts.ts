import { sql } from 'kysely';
import { bookedUse } from '../../relay/audit/booked-use.ts';
import { attemptId } from '../../relay/exchange.ts';
import type { LedgerEntry } from '../../relay/ledger/ledger-entry.ts';
import { auditLevels } from '../../relay/quota/audit.ts';
import type { Line } from '../../relay/quota/lines.ts';
import { RedisStore } from '../../relay/quota/redis-store.ts';
import type { Snapshot } from '../../relay/quota/store.ts';
import type { Attempt } from '../../relay/records/request-record.ts';
import { entryOf, type Row } from '../../server/database/rows.ts';
import { openSqlite } from '../../server/database/sqlite.ts';
import type { JournalEntry } from '../../simulator/kernel/journal.ts';
import type { RedisServer } from '../relay/quota/redis-server.ts';

type Books = ReadonlyMap<string, LedgerEntry>;

/** The lines of the books, by the request's id. */
export async function booked(path: string): Promise<Map<string, LedgerEntry>> {
  const { db } = openSqlite({ path, readOnly: true });
  try {
    const { rows } = await sql<Row>`select * from estafet_requests`.execute(db);
    return new Map(rows.map(entryOf).map((entry) => [entry.id, entry]));
  } finally {
    await db.destroy();
  }
}

const idOf = ({ headers }: JournalEntry): string | undefined => /^req_[0-9a-f]{32}/.exec(headers['x-request-id'] ?? '')?.[0];

/** Requests that vendors were asked for. What the relay asks for itself has ids of its own. */
export const idsOf = (journal: readonly JournalEntry[]): string[] => journal.flatMap((entry) => idOf(entry) ?? []);

/** Requests that a vendor was asked for and the books do not know, or whose answer they have with other tokens than it counted. */
export function vendorsAgainst(books: Books, journal: readonly JournalEntry[]): unknown[] {
  const calls = Map.groupBy(journal, idOf);
  calls.delete(undefined);
  return [...calls].flatMap(([id = '', made]): unknown[] => {
    const line = books.get(id);
    if (line === undefined) return [{ id, made }];
    const attempts = JSON.parse(line.attempts) as Attempt[];
    const place = attempts.findLastIndex(({ error, unsent }) => error === null && unsent !== true);
    if (line.reason !== 'done' || line.usageSource !== 'vendor' || place < 0) return [];
    const own = attemptId(id, attempts[place]?.number ?? place);
    // Several choices are several calls, by ids that go on with a number.
    const used = made.filter(({ headers }) => new RegExp(`^${own}(-\\d+)?$`).test(headers['x-request-id'] ?? ''));
    const counted = sum(used.map(({ accounting }) => (accounting?.promptTokens ?? 0) + (accounting?.completionTokens ?? 0)));
    return line.paidPromptTokens + line.completionTokens === counted ? [] : [{ counted, line, used }];
  });
}

const sum = (amounts: readonly number[]): number => amounts.reduce((all, amount) => all + amount, 0);

const LISTEN_MS = 600_000;

/** Hears every step of some owners' limits, as `estafet audit` does, for as long as it is told to. */
export class Ear {
  readonly #redis: () => RedisServer;
  #store: RedisStore;
  readonly #owners: readonly string[];
  /** By owner, of the Redis that is there now. */
  #lines = new Map<string, Map<string, Line>>();
  #from = new Map<string, Snapshot>();
  /** What was settled, of every Redis there was: owner, id → bucket → amount. */
  readonly #settled = new Map<string, Map<string, number>>();

  constructor(redis: () => RedisServer, owners: readonly string[]) {
    this.#redis = redis;
    this.#store = this.#open();
    this.#owners = owners;
  }

  /** To a Redis that has just come; what it did before nobody knows. */
  async listen(): Promise<void> {
    this.#store = this.#open();
    this.#lines = new Map();
    this.#from = new Map();
    for (const owner of this.#owners) {
      this.#from.set(owner, await this.#store.listen(owner, LISTEN_MS));
      this.#lines.set(owner, new Map());
    }
  }

  /** Copies what was kept, and goes on listening. */
  async hear(): Promise<void> {
    for (const owner of this.#owners) {
      await this.#store.listen(owner, LISTEN_MS);
      for (const line of await this.#store.lines(owner, 1_000_000)) {
        this.#lines.get(owner)?.set(line.line, line);
        if (line.kind !== 'close') continue;
        const name = `${owner} ${line.id}`;
        const amounts = this.#settled.get(name) ?? new Map<string, number>();
        for (const { bucket, actual } of line.moves) amounts.set(bucket, actual);
        this.#settled.set(name, amounts);
      }
    }
  }

  /** What is reserved or taken now. */
  async held(): Promise<string[]> {
    const all = await Promise.all(this.#owners.map(async (owner) => [owner, await this.#store.levels(owner)] as const));
    return all.flatMap(([owner, { open, buckets }]) => [
      ...open.map(({ id }) => `${owner} ${id}`),
      ...[...buckets].flatMap(([bucket, state]) => (state.kind === 'slots' && state.used !== 0 ? [`${owner} ${bucket}`] : [])),
    ]);
  }

  /** Levels that are not what all steps lead to. */
  async levels(): Promise<unknown[]> {
    const found: unknown[] = [];
    for (const owner of this.#owners) {
      const lines = [...(this.#lines.get(owner)?.values() ?? [])];
      found.push(...auditLevels(lines, await this.#store.levels(owner), this.#from.get(owner)).map((drift) => ({ owner, ...drift })));
    }
    return found;
  }

  /** Requests whose settled money is not what the books say. */
  against(books: Books): unknown[] {
    return [...this.#settled].flatMap(([name, amounts]) => {
      const [owner = '', id = ''] = name.split(' ');
      if (!owner.startsWith('team/')) return [];
      const line = books.get(id);
      const cost = line === undefined ? undefined : (bookedUse(line)?.nanoCny ?? 0);
      return [...amounts].flatMap(([bucket, settled]) =>
        bucket.startsWith('team/budget') && settled !== cost ? [{ id, bucket, settled, cost, line }] : [],
      );
    });
  }

  #open(): RedisStore {
    return new RedisStore(this.#redis().connect(), { keepLines: false, spent: null });
  }
}
