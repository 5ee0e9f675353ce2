import { mkdirSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import { digestOf, KEY } from '../http/desk.ts';
import { cleanUp, estafet, folder } from './process.ts';

/** What is wrong around a good configuration, and what the process says of it. */
afterEach(cleanUp);

const FILE = (more: string): string => `server: { port: 0 }
backends: { q: { vendor: qwen, apiKey: 'env:K' } }
models: { gpt-4o: [q/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] }, limits: { rpm: 5 } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
${more}
`;
const ENV = { K: 'sk-backend-secret' };

function newerSchema(home: string): void {
  const database = new DatabaseSync(join(home, 'books.db'));
  database.exec('create table estafet_schema (version bigint not null primary key, applied_at_ms bigint not null)');
  database.exec('insert into estafet_schema values (999, 1)');
  database.close();
}

test.each<[string, Record<string, string>, string, (home: string) => void, RegExp]>([
  ['the data folder is a file', { data: 'x' }, 'sqlite:data/books.db', () => undefined, /a part of its path is a file, not a folder/],
  ['the file is a folder', {}, 'sqlite:books.db', (home) => mkdirSync(join(home, 'books.db')), /it cannot be opened/],
  [
    'the file is no database',
    { 'books.db': 'something else, long enough to be read'.repeat(30) },
    'sqlite:books.db',
    () => undefined,
    /no SQLite database/,
  ],
  ['a newer release has used it', {}, 'sqlite:books.db', newerSchema, /schema is version 999, newer than the \d+ this release knows/],
  ['no PostgreSQL there', {}, 'postgres://u:pg-secret@127.0.0.1:9/x', () => undefined, /127\.0\.0\.1:9/],
])('the database: %s: one line, exit code 1', async (_, files, database, prepare, expected) => {
  const home = folder({ ...files, 'estafet.yaml': FILE(`database: '${database}'`) });
  prepare(home);
  const run = estafet(['serve'], ENV, home);
  expect(await run.exit).toBe(1);
  expect(run.stderr.trim().split('\n')).toEqual([expect.stringMatching(/^estafet: (the database|PostgreSQL)/)]);
  expect(run.stderr).toMatch(expected);
  expect(run.stderr + run.stdout).not.toContain('secret');
  expect(run.stdout).not.toMatch(/listens on/);
});

test('a Redis that is asked for TLS and speaks none: it serves, refuses keys with limits by a typed 503, is unready, and the log says so', async () => {
  const sockets = new Set<Socket>();
  const plain: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write('-ERR unknown command\r\n'));
  });
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  const { port } = plain.address() as { port: number };
  const run = estafet(
    ['serve'],
    ENV,
    folder({ 'estafet.yaml': FILE(`database: 'memory:'\nredis: 'rediss://:redis-secret@127.0.0.1:${port}'`) }),
  );
  const url = (await run.seen(/listens on (http:\S+)/))[1] as string;
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'x' }] }),
  });
  const { error } = (await answer.json()) as { error: { code: string } };
  expect([answer.status, error.code, answer.headers.get('retry-after')]).toEqual([503, 'quota_unavailable', '1']);
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
  await run.seen(/the store of limits fails/);
  run.child.kill('SIGTERM');
  expect(await run.exit).toBe(0);
  expect(run.stderr + run.stdout).not.toContain('redis-secret');
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => plain.close(resolve));
});
