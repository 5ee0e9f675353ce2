import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { Secret } from '../config/secret.ts';
import { Books } from '../relay/ledger/books.ts';
import type { RequestRecord } from '../relay/records/request-record.ts';
import { openPostgres } from '../server/database/postgres.ts';
import { ledgerStore } from '../server/database/relay-stores.ts';
import { table } from './figures.ts';
import type { Machine } from './report.ts';

const LINES = 20_000;
/** Added at a time, as a busy relay would. */
const BURST = 200;
const KEYS = 20;
const PER_HOUR = 1_000;
const PLENTY_MS = 60_000;

export interface BooksFigure {
  readonly name: string;
  readonly bytesPerLine: number;
  /** CPU of this process, its threads included; of PostgreSQL's none. */
  readonly microsPerLine: number;
  readonly linesPerSecond: number;
}

/** What a request's line takes in the books, in room and in time. PostgreSQL only where a URL says which. */
export async function measureBooks(postgresUrl: string | undefined, lines = LINES): Promise<BooksFigure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'estafet-bench-books-'));
  const file = join(folder, 'books.db');
  try {
    const figures = [await written('SQLite', `sqlite:${file}`, async () => statSync(file, { throwIfNoEntry: false })?.size ?? 0, lines)];
    if (postgresUrl !== undefined) figures.push(await written('PostgreSQL', postgresUrl, () => postgresBytes(postgresUrl), lines));
    return figures;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function written(name: string, url: string, bytes: () => Promise<number>, lines: number): Promise<BooksFigure> {
  const open = async (): Promise<Books> => {
    const books = new Books(ledgerStore(new Secret(url)), {
      retentionDays: 36_500,
      queueMax: 1_000_000,
      report: ({ type }) => {
        throw new Error(`the books of the bench: ${type}`);
      },
    });
    await books.open();
    return books;
  };
  // Closed before each look at the size: SQLite keeps the last lines in a file beside it until then.
  await (await open()).close(PLENTY_MS);
  const before = await bytes();
  const books = await open();
  const [cpu, began] = [process.cpuUsage(), performance.now()];
  for (let line = 0; line < lines; line++) {
    books.add(JSON.stringify(recordOf(line)));
    if (line % BURST === 0) while (books.status().waiting > BURST) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await books.close(PLENTY_MS);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    name,
    bytesPerLine: ((await bytes()) - before) / lines,
    microsPerLine: (user + system) / lines,
    linesPerSecond: lines / seconds,
  };
}

async function postgresBytes(url: string): Promise<number> {
  const { db } = openPostgres(url);
  try {
    const { rows } = await sql<{ bytes: string }>`select sum(pg_total_relation_size(oid)) as bytes from pg_class
      where relkind = 'r' and relname like 'estafet\\_%'`.execute(db);
    return Number(rows[0]?.bytes ?? 0);
  } finally {
    await db.destroy();
  }
}

/** Lines as an app with limits makes them, answered by the first candidate. */
function recordOf(line: number): RequestRecord {
  const model = line % 3 === 0 ? 'glm-4.6' : 'qwen-plus';
  const [backend, vendor] = line % 3 === 0 ? ['glm', 'glm'] : ['qwen', 'qwen'];
  return {
    id: `req_bench_${process.pid}_${String(line).padStart(22, '0')}`,
    object: 'estafet.request',
    at: new Date(Date.UTC(2026, 0, 1) + Math.floor((line / PER_HOUR) * 3_600_000)).toISOString(),
    surface: 'chat.completions',
    key: `app-${line % KEYS}`,
    team: 'default',
    model: 'gpt-4o',
    stream: line % 2 === 0,
    status: 200,
    reason: 'done',
    error: null,
    decision: { strategy: 'order', order: [{ to: 'qwen/qwen-plus' }, { to: 'glm/glm-4.6' }], skipped: [] },
    attempts: [{ backend, vendor, region: 'cn-beijing', model, error: null, upstreamCode: null, ms: 1234, startMs: 1 }],
    receipt: {
      kept: ['model', 'messages', 'temperature', 'stream'],
      changes: [{ field: 'max_tokens', action: 'renamed', why: 'max_completion_tokens' }],
    },
    usage: { promptTokens: 812, paidPromptTokens: 812, completionTokens: 311, cachedTokens: 128, reasoningTokens: 0, source: 'vendor' },
    estimate: { promptTokens: 900, completionTokens: 2048, costNano: 4_000_000, currency: 'CNY' },
    cost: { amountNano: 1_271_600, currency: 'CNY', priceSource: 'list', priceDate: '2026-11-01', priceConfidence: 'official' },
    firstByteMs: 412,
    totalMs: 2345,
  } as unknown as RequestRecord;
}

export function booksReport(machine: Machine, figures: readonly BooksFigure[]): string {
  const rows = figures.map(({ name, bytesPerLine, microsPerLine, linesPerSecond }) => [
    name,
    bytesPerLine.toFixed(0),
    microsPerLine.toFixed(0),
    linesPerSecond.toFixed(0),
  ]);
  return `Estafet bench of the books, ${machine.at}
machine  ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, Linux ${machine.kernel}; not pinned
software Node ${machine.node}, commit ${machine.commit}
load     ${LINES} lines of ${KEYS} keys and two models, ${PER_HOUR} an hour, in bursts of ${BURST}; indices and hourly sums are in it

${table([['', 'bytes/request', 'µs CPU/request', 'lines/s'], ...rows])}
`;
}
