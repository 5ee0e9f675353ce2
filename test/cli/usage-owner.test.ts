import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { SqliteThread } from '../../server/database/sqlite-thread.ts';
import { digestOf, KEY } from '../http/desk.ts';
import { entry, HOUR, TEN, UNANSWERED } from '../relay/ledger/entries.ts';
import { cleanUp, estafet } from '../server/process.ts';

const CONFIG = `database: 'sqlite:books.db'
backends: { q: { vendor: qwen, apiKey: 'env:BACKEND_KEY' } }
teams: { blue: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: app, team: blue, key: '${digestOf(KEY)}' }]
`;
const WITHOUT_REDIS = { open: null, open_unknown: 'redis is not configured: only the relay itself knows' };

let folder: string;
let id: string;
const run = async (...args: string[]) => {
  const done = estafet([...args], { BACKEND_KEY: 'x' }, folder);
  return { code: await done.exit, out: done.stdout, err: done.stderr };
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'estafet-usage-'));
  writeFileSync(join(folder, 'estafet.yaml'), CONFIG);
  writeFileSync(join(folder, 'gone.yaml'), `${CONFIG}redis: redis://127.0.0.1:1\n`);
  const books = new SqliteThread({ path: join(folder, 'books.db') });
  await books.open();
  const refused = { ...UNANSWERED, status: 429, reason: 'refused' } as const;
  await books.write([
    entry('1'),
    entry('2', { costNano: 7, currency: 'USD' }),
    entry('3', { ...refused, refusedBy: 'team.rpm', atMs: TEN + 30 * HOUR }),
    entry('4', { key: 'made' }),
    entry('5', { ...refused, key: 'made', refusedBy: 'key.tpm' }),
    entry('6', { ...refused, key: 'made', refusedBy: 'key.tpm' }),
    entry('7', { key: 'long-gone' }),
  ]);
  await books.close();
  const made = await run('key', 'new', '--name', 'made', '--team', 'blue', '--json');
  id = (JSON.parse(made.out) as { id: string }).id;
}, 90_000);
afterEach(cleanUp);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const json = async (...args: string[]): Promise<unknown> => {
  const { code, out, err } = await run('usage', '--json', ...args);
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out);
};

test('a key: its sum, its refusals by limit, and why nothing is known of what runs', async () => {
  expect(await json('--key', 'app')).toEqual({
    key: 'app',
    id: null,
    team: 'blue',
    requests: 3,
    tokens: 30,
    cost: { CNY: '1.00', USD: '0.000000007' },
    ...WITHOUT_REDIS,
    refusals: { 'team.rpm': 1 },
    by: 'team',
    rows: [expect.objectContaining({ team: 'blue', requests: 3 })],
  });
  expect(await json('--key', 'app', '--to', '2026-11-02')).toMatchObject({ requests: 2, refusals: {} });
}, 90_000);

test('a key of the database by its id as by its name', async () => {
  const byId = await json('--key', id);
  expect(byId).toMatchObject({ key: 'made', id, team: 'blue', requests: 3, refusals: { 'key.tpm': 2 } });
  expect(await json('--key', 'made')).toEqual(byId);
  expect(await run('usage', '--key', 'key_0000')).toEqual({ code: 1, out: '', err: 'estafet: there is no key "key_0000"\n' });
}, 90_000);

test('a team has the sum of its keys; a key that is gone still has its books', async () => {
  expect(await json('--team', 'blue')).toMatchObject({ team: 'blue', requests: 7, refusals: { 'key.tpm': 2, 'team.rpm': 1 } });
  expect(await json('--key', 'long-gone')).toMatchObject({ key: 'long-gone', team: null, requests: 1, refusals: {} });
}, 90_000);

test.each([
  ['--key', 'typo', 'key "typo"'],
  ['--team', 'typo', 'team "typo"'],
])(
  '%s of a name that neither the file, the database nor the books know is refused, not told as nothing',
  async (option, name, what) => {
    const err = `estafet: there is no ${what}, and the books have no lines of it in that time\n`;
    for (const more of [[], ['--json']]) expect(await run('usage', option, name, ...more)).toEqual({ code: 1, out: '', err });
  },
  90_000,
);

test('a Redis that is gone is the reason, and no failure', async () => {
  const reason = { open: null, open_unknown: 'Redis cannot be reached: nothing listens there' };
  expect(await json('-c', 'gone.yaml', '--team', 'blue')).toMatchObject({ requests: 7, ...reason });
}, 90_000);

test('--json is --format json, and not both', async () => {
  expect((await run('usage', '--json')).out).toBe((await run('usage', '--format', 'json')).out);
  expect(await run('usage', '--json', '--format', 'csv')).toMatchObject({ code: 2, out: '' });
}, 90_000);
