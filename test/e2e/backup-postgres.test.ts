import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { childEnv } from '../child-env.ts';
import { POSTGRES, type PostgresServer, postgresServer } from '../server/database/postgres-server.ts';
import { cleanUp, estafet, folder } from '../server/process.ts';
import { ask, keyOf, written } from './redis-rig.ts';
import { type RelayNode, startNode } from './relay-node.ts';

/** What the page on backups says, done while a relay writes; then a relay on the copy. */
const TEAMS = { apps: { limits: { budget: { amount: 100, currency: 'CNY', per: 'month' } } } };

let simulator: Simulator;
let postgres: PostgresServer | null = null;
beforeAll(async () => {
  simulator = await startSimulator();
  if (POSTGRES.length > 0) postgres = await postgresServer();
}, 60_000);
afterAll(async () => {
  await cleanUp();
  await simulator.close();
  postgres?.remove();
});

interface Place {
  readonly name: string;
  /** URLs of the books, and of the copy. */
  urls(home: string): readonly [string, string];
  copy(from: string, to: string): Promise<void>;
}
const SQLITE: Place = {
  name: 'SQLite',
  urls: (home) => [`sqlite:${join(home, 'data', 'books.db')}`, `sqlite:${join(home, 'data', 'copy.db')}`],
  // What the command `.backup` calls.
  copy: async (from, to) => {
    const database = new DatabaseSync(from.replace('sqlite:', ''), { readOnly: true });
    await backup(database, to.replace('sqlite:', ''));
    database.close();
  },
};
const PLACES: readonly Place[] = [
  SQLITE,
  ...POSTGRES.map(
    (name): Place => ({
      name,
      urls: () => [postgres?.database() ?? '', postgres?.database() ?? ''],
      copy: async (from, to) => {
        const file = join(folder({}), 'estafet.dump');
        execFileSync('pg_dump', ['--format=custom', `--file=${file}`, from]);
        execFileSync('pg_restore', [`--dbname=${to}`, '--clean', '--if-exists', file]);
      },
    }),
  ),
];

describe.each(PLACES)('$name', ({ urls, copy }) => {
  test('a copy taken while requests are booked has books, keys and teams as they were then', { timeout: 120_000 }, async () => {
    const home = folder({});
    mkdirSync(join(home, 'data'));
    const [from, to] = urls(home);
    const env = { SIMULATED: simulator.vendors['qwen']?.key ?? '', ...childEnv() };
    const { redis: _, ...config } = JSON.parse(written(simulator, 1, TEAMS)) as Record<string, unknown>;
    const place = folder({
      'estafet.yaml': JSON.stringify({ ...config, database: from }),
      'restored.yaml': JSON.stringify({ ...config, database: to }),
    });
    const start = (file: string): Promise<RelayNode> => startNode({ file, cwd: place, env });
    const node = await start('estafet.yaml');
    const made = estafet(['key', 'new', '--team', 'apps', '--name', 'made'], env, place);
    expect(await made.exit).toBe(0);
    const key = /sk-estafet-\S+/.exec(made.stdout)?.[0] ?? '';

    const booked = async ({ url }: RelayNode): Promise<number> => {
      const answer = await fetch(`${url}/v1/estafet/usage`, { headers: { authorization: `Bearer ${keyOf('apps')}` } });
      return ((await answer.json()) as { all: { requests: number } }).all.requests;
    };
    for (let calls = 0; calls < 10; calls++) expect((await ask(node.url, 'apps')).status).toBe(200);
    await expect.poll(() => booked(node), { timeout: 20_000 }).toBe(10);
    let copied = false;
    const load = (async () => {
      let calls = 0;
      while (!copied || calls < 5) if ((await ask(node.url, 'apps')).status === 200) calls++;
      return calls;
    })();
    await copy(from, to);
    copied = true;
    const calls = await load;
    await expect.poll(() => booked(node), { timeout: 20_000 }).toBe(10 + calls);
    expect(await node.end('SIGTERM')).toBe(0);

    const restored = await start('restored.yaml');
    const there = await booked(restored);
    expect(there).toBeGreaterThanOrEqual(10);
    expect(there).toBeLessThanOrEqual(10 + calls);
    const answer = await fetch(`${restored.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
    expect(answer.status).toBe(200);
    // It is written on.
    expect((await ask(restored.url, 'apps')).status).toBe(200);
    await expect.poll(() => booked(restored), { timeout: 20_000 }).toBe(there + 1);
    expect(await restored.end('SIGTERM')).toBe(0);
  });
});
