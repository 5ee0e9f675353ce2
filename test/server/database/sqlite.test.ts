import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Books } from '../../../relay/ledger/books.ts';
import type { LedgerEvent } from '../../../relay/ledger/ledger-store.ts';
import { SqlLedger } from '../../../server/database/sql-ledger.ts';
import { openSqlite } from '../../../server/database/sqlite.ts';
import { SqliteThread } from '../../../server/database/sqlite-thread.ts';
import { entry } from '../../relay/ledger/entries.ts';

let folder: string;
const children = new Set<ChildProcess>();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'estafet-sqlite-'));
});
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const ALL = { by: null, fromMs: null, toMs: null, team: null, key: null } as const;
const WRITER = fileURLToPath(new URL('sqlite-process.ts', import.meta.url));

/** Starts a writer and kills it without warning once so many lines are in; the number it had told last. */
function killedAfter(path: string, prefix: string, lines: number): Promise<number> {
  const child = spawn(process.execPath, [WRITER, path, prefix], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  let told = 0;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    told = Number(text.trim().split('\n').at(-1));
    if (told >= lines) child.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code, signal) => {
      children.delete(child);
      if (signal === 'SIGKILL') resolve(told);
      else reject(new Error(`the writer ended by itself: ${code}`));
    });
  });
}

test('kill -9: what was written is there, nothing twice, and lines and sums agree', async () => {
  const path = join(folder, 'killed.db');
  let sure = 0;
  for (const [index, lines] of [300, 900, 2_100].entries()) {
    const told = await killedAfter(path, `run${index}`, lines);
    expect(told).toBeGreaterThanOrEqual(lines);
    sure += told;
    const { db } = openSqlite({ path, readOnly: true });
    const { rows } = await sql<{
      lines: bigint;
      ids: bigint;
    }>`select count(*) as lines, count(distinct id) as ids from estafet_requests`.execute(db);
    await db.destroy();
    const thread = new SqliteThread({ path });
    await thread.open();
    const sums = await thread.usage(ALL);
    await thread.close();
    expect(Number(rows[0]?.lines)).toBeGreaterThanOrEqual(sure);
    expect(rows[0]?.ids).toBe(rows[0]?.lines);
    expect(sums).toMatchObject([{ requests: Number(rows[0]?.lines), completionTokens: 2 * Number(rows[0]?.lines) }]);
  }
}, 60_000);

test('another process that holds the file is waited for', async () => {
  const path = join(folder, 'busy.db');
  const thread = new SqliteThread({ path });
  await thread.open();
  const { db } = openSqlite({ path });
  await db.connection().execute(async (one) => {
    await sql`begin immediate`.execute(one);
    const written = thread.write([entry('1')]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await sql`commit`.execute(one);
    expect(await written).toBe(1);
  });
  await db.destroy();
  await thread.close();
});

test('a full disk: nothing is lost while it lasts, and everything is written when there is room', async () => {
  const database = openSqlite({ path: join(folder, 'full.db') });
  const events: LedgerEvent[] = [];
  const books = new Books(new SqlLedger(database), { retentionDays: 36_500, queueMax: 10_000, report: (event) => events.push(event) });
  await books.open();
  // SQLite's own bound on the file gives the same error as a disk without room.
  await sql`pragma max_page_count = 20`.execute(database.db);
  const line = {
    object: 'estafet.request',
    at: '2026-11-02T10:00:00Z',
    surface: 'chat.completions',
    key: 'app',
    team: 'blue',
    model: 'gpt-4o',
  } as const;
  const ending = {
    stream: false,
    status: 200,
    reason: 'done',
    error: null,
    decision: { strategy: 'order', order: [{ to: 'qwen/qwen-plus' }], skipped: [] },
    attempts: [],
    receipt: null,
    usage: null,
    estimate: null,
    cost: null,
  } as const;
  for (let id = 0; id < 2_000; id++) books.add(JSON.stringify({ ...line, ...ending, id: `req_${id}`, firstByteMs: 1, totalMs: 1 }));
  await expect.poll(() => events).toMatchObject([{ type: 'store-down', fault: expect.stringMatching(/full\.db: the disk is full$/) }]);
  await sql`pragma max_page_count = 100000`.execute(database.db);
  await expect.poll(() => books.status().waiting, { timeout: 10_000 }).toBe(0);
  expect(await books.usage(ALL)).toMatchObject([{ requests: 2_000 }]);
  await books.close(1_000);
  expect(events.map(({ type }) => type)).toEqual(['store-down', 'store-back']);
});

describe('what an admin reads when the file cannot be used', () => {
  test.each([
    ['a folder', () => folder, 'it cannot be opened: does its folder exist, and may this user write there?'],
    ['a file in the way', () => join(made('file'), 'x.db'), 'a part of its path is a file, not a folder'],
    ['no database', () => made('text'), 'the file is not an SQLite database'],
  ])('%s', async (_name, where, message) => {
    const path = where();
    const thread = new SqliteThread({ path });
    await expect(thread.open()).rejects.toThrow(`the database ${path}: ${message}`);
    await thread.close();
  });

  test('a reader makes no file', () => {
    const path = join(folder, 'not-there.db');
    expect(() => openSqlite({ path, readOnly: true })).toThrow(`there are no books at ${path}: the relay creates them when it starts`);
    expect(readdirSync(folder)).not.toContain('not-there.db');
  });
});

function made(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, 'this is text, and long enough to be looked at. '.repeat(50));
  return path;
}

test('it is closed once the file is: the end of its thread is waited for by nobody', async () => {
  const path = join(folder, 'closed.db');
  const books = new SqliteThread({ path });
  await books.open();
  await books.write([entry('r1')]);
  expect(readdirSync(folder)).toContain('closed.db-wal');
  const ending = vi.spyOn(Worker.prototype, 'terminate').mockReturnValue(new Promise(() => {}));
  await books.close();
  expect(ending).toHaveBeenCalledOnce();
  ending.mockRestore();
  expect(readdirSync(folder).filter((name) => name.startsWith('closed.db'))).toEqual(['closed.db']);
});
