import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { digestOf, KEY } from '../http/desk.ts';
import { cleanUp, estafet, folder } from './process.ts';

/** What is wrong around a good configuration, and what the process says of it. */
afterEach(cleanUp);

const FILE = (more: string, server = ''): string => `server: { port: 0${server} }
backends: { q: { vendor: qwen, apiKey: 'env:K' } }
models: { gpt-4o: [q/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] }, limits: { rpm: 5 } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
${more}
`;
const ENV = { K: 'sk-backend-secret' };

/** As one process, and as workers, of which a Redis that is not there yet keeps none from starting. */
const SERVING: readonly (readonly [string, (more: string) => string])[] = [
  ['one process', (more) => FILE(more)],
  ['two workers', (more) => FILE(`redis: 'redis://127.0.0.1:9'\n${more}`, ', workers: 2')],
];

/** Books of another release. */
function olderOrNewerSchema(home: string, version = 999): void {
  const database = new DatabaseSync(join(home, 'books.db'));
  database.exec('create table estafet_schema (version bigint not null primary key, applied_at_ms bigint not null)');
  database.exec(`insert into estafet_schema values (${version}, 1)`);
  database.close();
}

/**
 * Root may write what nobody may: for root a folder is read-only when its file system is, and a file may not be written by another user.
 * Without root the bits of the mode say the same.
 */
const ROOT = process.getuid?.() === 0;
const READ_ONLY = ROOT
  ? ['unshare', '--mount', 'sh', '-c', 'mount --bind data data && mount -o remount,ro,bind data && exec "$@"', 'sh']
  : [];
const NOBODY = ROOT ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
const can = (by: readonly string[], ...probe: string[]): boolean => by.length === 0 || spawnSync(by[0] as string, probe).status === 0;

const FULL = [
  'unshare',
  '--mount',
  'sh',
  '-c',
  'mount -t tmpfs -o size=64k none data && head -c 65536 /dev/zero > data/x; exec "$@"',
  'sh',
];
const MAY_NOT_WRITE =
  /^estafet: the database data\/books\.db: it cannot be opened: does its folder exist, and may this user write there\?\n$/;
const IS_READ_ONLY = /^estafet: the database data\/books\.db: it is read-only for this user\n$/;

interface Place {
  readonly what: string;
  readonly by: readonly string[];
  /** Mode of the folder when root made it, and when it is one's own. */
  readonly modes?: readonly [root: number, own: number];
  readonly books?: 'older' | 'unreadable';
  readonly says: RegExp;
}
const MOUNTED: readonly Place[] = [
  { what: 'a read-only data folder', by: READ_ONLY, modes: [0o755, 0o555], says: MAY_NOT_WRITE },
  { what: 'a read-only data folder with books in it', by: READ_ONLY, modes: [0o755, 0o555], books: 'older', says: IS_READ_ONLY },
];
const FOREIGN: readonly Place[] = [
  { what: 'a data folder of another user', by: NOBODY, modes: [0o755, 0o555], says: MAY_NOT_WRITE },
  { what: 'books that another user keeps to himself', by: NOBODY, modes: [0o755, 0o555], books: 'unreadable', says: MAY_NOT_WRITE },
];
const PLACES = [
  ...(can(READ_ONLY, '--mount', 'true') ? MOUNTED : []),
  ...(can(NOBODY, '--version') ? FOREIGN : []),
  ...(ROOT && can(FULL, '--mount', 'true')
    ? [{ what: 'a full disk', by: FULL, says: /^estafet: the database data\/books\.db: .*full.*\n$/ }]
    : []),
];

describe.each(SERVING)('%s', (_, file) => {
  test.each<[string, Record<string, string>, string, (home: string) => void, RegExp]>([
    ['the data folder is a file', { data: 'x' }, 'sqlite:data/books.db', () => undefined, /a part of its path is a file, not a folder/],
    ['the file is a folder', {}, 'sqlite:books.db', (home) => mkdirSync(join(home, 'books.db')), /it cannot be opened/],
    [
      'the file is no database',
      { 'books.db': 'something else, long enough to be read'.repeat(30) },
      'sqlite:books.db',
      () => undefined,
      /is not an SQLite database/,
    ],
    [
      'a newer release has used it',
      {},
      'sqlite:books.db',
      (home) => olderOrNewerSchema(home),
      /schema is version 999, newer than the \d+ this release knows/,
    ],
    ['no PostgreSQL there', {}, 'postgres://u:pg-secret@127.0.0.1:9/x', () => undefined, /127\.0\.0\.1:9/],
  ])('the database: %s: one line, exit code 1', async (_, files, database, prepare, expected) => {
    const home = folder({ ...files, 'estafet.yaml': file(`database: '${database}'`) });
    prepare(home);
    const run = estafet(['serve'], ENV, home);
    expect(await run.exit).toBe(1);
    expect(run.stderr.trim().split('\n')).toEqual([expect.stringMatching(/^estafet: (the database|PostgreSQL)/)]);
    expect(run.stderr).toMatch(expected);
    expect(run.stderr + run.stdout).not.toContain('secret');
    expect(run.stdout).not.toMatch(/listens on/);
  });

  test.each<Place>(PLACES)('$what: one line, exit code 1', async ({ by, modes = [0o755, 0o755], books, says }) => {
    const home = folder({ 'estafet.yaml': file("database: 'sqlite:data/books.db'") });
    const data = join(home, 'data');
    chmodSync(home, 0o755);
    mkdirSync(data);
    if (books !== undefined) olderOrNewerSchema(data, 1);
    if (books === 'unreadable') chmodSync(join(data, 'books.db'), ROOT ? 0o600 : 0o000);
    chmodSync(data, modes[ROOT ? 0 : 1]);
    const run = estafet(['serve'], ENV, home, { by });
    expect(await run.exit).toBe(1);
    // So that it can be cleared away.
    chmodSync(data, 0o755);
    expect(run.stderr).toMatch(says);
    expect(run.stdout).not.toMatch(/listens on/);
  });
});

test('a configuration this user may not read: one line, exit code 1', async () => {
  const home = folder({});
  chmodSync(home, 0o755);
  writeFileSync(join(home, 'estafet.yaml'), FILE(''), { mode: ROOT ? 0o600 : 0o000 });
  const run = estafet(['serve'], ENV, home, { by: NOBODY });
  expect(await run.exit).toBe(1);
  expect(run.stderr).toMatch(/estafet\.yaml/);
  expect(run.stderr).not.toMatch(/\n\s+at /);
});

test.each([1, 2])(
  'a Redis that is asked for TLS and speaks none, %i at work: it serves, refuses keys with limits by a typed 503, is unready, and the log says so',
  async (workers) => {
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
      folder({
        'estafet.yaml': FILE(`database: 'sqlite:books.db'\nredis: 'rediss://:redis-secret@127.0.0.1:${port}'`, `, workers: ${workers}`),
      }),
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
  },
);
