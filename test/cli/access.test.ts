import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { keyDigest } from '../../config/secret.ts';
import { openSqlite } from '../../server/database/sqlite.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { digestOf, KEY } from '../http/desk.ts';
import { cleanUp, estafet, folder } from '../server/process.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ vendors: ['qwen'] });
});
afterEach(cleanUp);
afterAll(() => simulator.close());

const env = (): Record<string, string> => ({ BACKEND_KEY: (simulator.vendors.qwen as { key: string }).key });

/** A folder with a configuration, in which commands run. */
function home(more = ''): string {
  const { baseUrl } = simulator.vendors.qwen as { baseUrl: string };
  return folder({
    'estafet.yaml': `server: { port: 0, logLevel: info }
backends: { q: { vendor: qwen, baseUrl: '${baseUrl}', apiKey: 'env:BACKEND_KEY' } }
models: { gpt-4o: [q/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
${more}
`,
  });
}

interface Outcome {
  readonly code: number | string;
  readonly out: string;
  readonly err: string;
}

async function run(at: string, ...args: string[]): Promise<Outcome> {
  const started = estafet(args, env(), at);
  const code = await started.exit;
  return { code, out: started.stdout, err: started.stderr };
}

async function json(at: string, ...args: string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await run(at, ...args, '--json');
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as Record<string, unknown>;
}

async function status(url: string, key: string): Promise<number> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] }),
  });
  await answer.text();
  return answer.status;
}

test('from the first key to its end, beside a relay on SQLite: each change binds within a second, and the key is printed once', async () => {
  const at = home();
  // Before the relay has ever run: the command makes the database.
  const made = await json(
    at,
    'key',
    'new',
    '--team',
    't',
    '--name',
    'web',
    '--rpd',
    '3',
    '--budget',
    '500 CNY per month',
    '--model-limits',
    'gpt-4*=rpd 3',
    '--expires',
    '30d',
  );
  expect(made).toMatchObject({ id: expect.stringMatching(/^key_/), name: 'web', team: 't', source: 'database', state: 'active' });
  const limits = { rpd: 3, budget: { amount: 500, currency: 'CNY', per: 'month' }, models: { 'gpt-4*': { rpd: 3 } } };
  expect(made).toMatchObject({ limits, permit: null });
  expect([made['created'], made['expires']].map((time) => Number.isNaN(Date.parse(String(time))))).toEqual([false, false]);
  const key = String(made['key']);
  const relay = estafet(['serve'], env(), at);
  const url = (await relay.seen(/listens on (http:\S+)/))[1] as string;
  const binds = (text: string, code: number) => expect.poll(() => status(url, text), { timeout: 1_000, interval: 50 }).toBe(code);
  expect([await status(url, key), await status(url, KEY)]).toEqual([200, 200]);

  expect(await json(at, 'key', 'set', 'web', '--rpd', 'none', '--budget', 'none', '--model-limits', 'gpt-4*=rpd 1')).toMatchObject({
    limits: { models: { 'gpt-4*': { rpd: 1 } } },
    name: 'web',
  });
  await binds(key, 429);
  await run(at, 'team', 'new', 'red', '--vendors', 'qwen', '--regions', '*', '--models', 'gpt-*');
  const red = await json(at, 'key', 'new', '--team', 'red');
  await binds(String(red['key']), 200);
  expect((await run(at, 'key', 'revoke', 'web')).out).toBe(`key "web" (${made['id']}) is revoked\n`);
  await binds(key, 401);
  expect((await run(at, 'team', 'remove', 'red')).out).toBe('team "red" is removed: all its keys are refused\n');
  await binds(String(red['key']), 401);
  expect(await status(url, KEY)).toBe(200);
  relay.child.kill('SIGTERM');
  expect(await relay.exit).toBe(0);

  const shown = [
    ...(await Promise.all([
      json(at, 'key', 'list'),
      json(at, 'key', 'show', 'web'),
      json(at, 'team', 'list'),
      json(at, 'team', 'show', 'red'),
    ])),
    ...(await Promise.all([run(at, 'key', 'list'), run(at, 'key', 'show', String(made['id'])), run(at, 'team', 'list')])),
    relay.stdout,
    relay.stderr,
  ];
  for (const secret of [key, String(red['key'])].flatMap((text) => [text, keyDigest(text), keyDigest(text).slice(0, 12)])) {
    expect(JSON.stringify(shown)).not.toContain(secret);
  }
  expect(shown[0]).toMatchObject({
    keys: [
      { name: 'app', source: 'file', state: 'active' },
      { name: 'web', source: 'database', state: 'revoked' },
      { name: red['name'], state: 'no_team' },
    ],
  });
  const { db } = openSqlite({ path: join(at, 'data/estafet.db'), readOnly: true });
  const { rows } = await sql<{ digest: string }>`select * from estafet_keys order by revision`.execute(db);
  await db.destroy();
  expect(rows.map(({ digest }) => digest).sort()).toEqual([keyDigest(key), keyDigest(String(red['key']))].sort());
  expect(JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value))).not.toContain('sk-estafet-');
}, 120_000);

test('for people: the key once, then a table', async () => {
  const at = home();
  const { code, out, err } = await run(at, 'key', 'new', '--team', 't', '--name', '网站', '--rpm', '5', '--models', 'glm-*', '--strict');
  expect([code, err]).toEqual([0, 'Copy the key now: it is shown only once, and the database keeps only its digest.\n']);
  expect(out).toMatch(/^key {11}sk-estafet-\S{43}\nid {12}key_\w+\nname {10}网站\n[\s\S]*\nlimits {8}rpm 5\npermit {8}models glm-\*\n$/);
  const list = await run(at, 'key', 'list');
  expect(list.out.split('\n')).toEqual([
    expect.stringMatching(/^name {2}id {24}team {2}source {4}state {3}expires {2}limits$/),
    expect.stringMatching(/^app {3}- {25}t {5}file {6}active {2}-$/),
    expect.stringMatching(/^网站 {2}key_\w{20} {2}t {5}database {2}active {2}- {8}\[rpm 5\]$/),
    '',
  ]);
}, 30_000);

test('a name that came into the file later: the file wins, and both the relay and the list say so', async () => {
  const at = home();
  const other = home(`database: 'sqlite:${at}/data/estafet.db'`).concat('/estafet.yaml');
  // Made under a configuration that does not know the name.
  const without = folder({
    'estafet.yaml': `backends: { q: { vendor: qwen, apiKey: 'env:BACKEND_KEY' } }
teams: { t: {} }
database: 'sqlite:${at}/data/estafet.db'
`,
  });
  const { key } = await json(without, 'key', 'new', '--team', 't', '--name', 'app');
  const { err } = await run(at, 'key', 'list', '-c', other);
  expect(err).toBe('warning: the file also defines a key "app", and takes precedence: the one in the database is refused\n');
  const relay = estafet(['serve', '-c', other], env(), at);
  const url = (await relay.seen(/listens on (http:\S+)/))[1] as string;
  await relay.seen(/the file also defines a key of this name, and takes precedence/);
  expect([await status(url, KEY), await status(url, String(key))]).toEqual([200, 401]);
  const revoked = await run(at, 'key', 'revoke', 'app', '-c', other);
  expect(revoked).toMatchObject({ code: 0, out: expect.stringMatching(/^key "app" \(key_\w+\) is revoked\n$/) });
  expect(revoked.err).toBe(`warning: ${other} also defines a key "app", which stays valid: remove it from the file\n`);
  expect(await status(url, KEY)).toBe(200);
}, 30_000);

test('showing makes no file, and knows the keys of the file', async () => {
  const at = home();
  expect(await json(at, 'key', 'list')).toMatchObject({ keys: [{ id: null, name: 'app', source: 'file', state: 'active' }] });
  expect(readdirSync(at)).toEqual(['estafet.yaml']);
});

test.each([
  [1, 'estafet: there is no team "none", neither in estafet.yaml nor in the database\n', '', ['key', 'new', '--team', 'none']],
  [1, 'estafet: --rpm: must be at least 1\n', '', ['key', 'new', '--team', 't', '--rpm', '0']],
  [1, 'estafet: key "app" is defined in estafet.yaml: change it there\n', '', ['key', 'revoke', 'app']],
  [1, 'estafet: there is no key "key_0"\n', '', ['key', 'show', 'key_0']],
  [1, 'estafet: there is no team "x"\n', '', ['team', 'show', 'x']],
  [1, /^estafet: the database of this configuration is in the memory of the relay .*\n$/, "database: 'memory:'", ['key', 'list']],
  [1, 'estafet: PostgreSQL at 127.0.0.1:1/d: nothing listens there\n', "database: 'postgres://u:s3cret@127.0.0.1:1/d'", ['team', 'list']],
  [2, /^error: nothing to change/, '', ['key', 'set', 'app']],
  [2, /^error: required option '--team <name>' not specified/, '', ['key', 'new']],
  [2, /^error: unknown command 'frob'/, '', ['key', 'frob']],
  [2, /^error: missing required argument 'id'/, '', ['key', 'revoke']],
] as const)(
  'exit code %i: %s',
  async (code, message, more, args) => {
    const outcome = await run(home(more), ...args);
    expect(outcome).toEqual({ code, out: '', err: typeof message === 'string' ? message : expect.stringMatching(message) });
  },
  20_000,
);
