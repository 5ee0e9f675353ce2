import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../config/config.ts';
import type { AccessStore } from '../../relay/keys/access-store.ts';
import type { UsageRow } from '../../relay/ledger/usage.ts';
import { AccessDesk } from '../../server/access/access-desk.ts';
import { accessStore } from '../../server/database/open-access.ts';
import { ledgerReader } from '../../server/database/open-ledger.ts';
import { type RunningRelay, startRelay } from '../../server/main.ts';
import { createLogger } from '../../server/telemetry/logger.ts';
import { build } from '../../server/wiring.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { VENDORS } from '../../translators/registry.ts';
import { configOf, digestOf, KEY } from '../http/desk.ts';
import { REDIS, type RedisServer, startRedis } from '../relay/quota/redis-server.ts';
import { POSTGRES, type PostgresServer, postgresServer } from '../server/database/postgres-server.ts';

/** Two relays on one PostgreSQL and one Redis. */
const BOTH = REDIS.length > 0 ? POSTGRES : [];

let postgres: PostgresServer;
let redis: RedisServer;
let simulator: Simulator;
let config: Config;
let store: AccessStore;
let desk: AccessDesk;
const relays: RunningRelay[] = [];
const log: Record<string, unknown>[] = [];

beforeAll(async () => {
  if (BOTH.length === 0) return;
  [postgres, redis, simulator] = await Promise.all([postgresServer(), startRedis(), startSimulator({ vendors: ['qwen'] })]);
  const { baseUrl, key } = simulator.vendors.qwen as { baseUrl: string; key: string };
  config = configOf(
    `server: { port: 0 }
backends: { q: { vendor: qwen, baseUrl: '${baseUrl}', apiKey: 'env:K' } }
models: { gpt-4o: [q/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
redis: 'redis://127.0.0.1:${redis.port}'
database: '${postgres.database()}'
`,
    { K: key },
  );
  for (let node = 0; node < 2; node++) relays.push(await startRelay(config, built()));
  store = accessStore(config.database);
  await store.open();
  desk = new AccessDesk(store, config, VENDORS);
}, 60_000);
afterAll(async () => {
  for (const relay of relays) await relay.stop();
  await store?.close();
  await simulator?.close();
  await redis?.stop();
  postgres?.remove();
});

function built() {
  const logger = createLogger('info', { write: (line) => void log.push(JSON.parse(line) as Record<string, unknown>) });
  return build(config, { logger });
}

function request(relay: RunningRelay, key: string, more: Record<string, unknown> = {}): Promise<Response> {
  return fetch(`${relay.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 2, ...more }),
  });
}

/** Requests that were answered, by key. */
const answered = new Map<string, number>();

async function ask(relay: RunningRelay, key: string): Promise<Pick<Response, 'status' | 'headers'>> {
  const response = await request(relay, key);
  await response.text();
  if (response.status === 200) answered.set(key, (answered.get(key) ?? 0) + 1);
  return response;
}

/** On every relay, within a second of the change. */
const binds = (key: string, status: number) =>
  expect
    .poll(async () => (await Promise.all(relays.map((relay) => ask(relay, key)))).map((answer) => answer.status), {
      timeout: 1_000,
      interval: 50,
    })
    .toEqual(relays.map(() => status));

describe.each(BOTH)('%s and Redis: two relays', () => {
  test('a new key works on both within a second', async () => {
    const { key } = await desk.newKey('new', 't', {});
    await binds(key, 200);
  });

  test('limits that tighten, and widen again, never forget what was used', async () => {
    const { key } = await desk.newKey('tight', 't', { limits: { rpd: 1_000 } });
    await binds(key, 200);
    for (let asked = 0; asked < 10; asked++) expect((await ask(relays[asked % 2] as RunningRelay, key)).status).toBe(200);
    await desk.setKey('tight', { limits: { rpd: 8 } });
    await binds(key, 429);
    expect((await ask(relays[0] as RunningRelay, key)).headers.get('x-estafet-limit')).toBe('key.rpd');
    await desk.setKey('tight', { limits: { rpd: 1_000 } });
    await binds(key, 200);
    const used = answered.get(key) as number;
    const left = Number((await ask(relays[0] as RunningRelay, key)).headers.get('x-ratelimit-remaining-requests'));
    // A thousand a day give one back in 86 s.
    expect(used).toBeGreaterThan(10);
    expect(left).toBe(1_000 - used - 1);
  });

  test('a team of the database: its limit and its permit bind all its keys; removed, none of them is known', async () => {
    await desk.newTeam('red', { permit: { vendors: ['qwen'], regions: ['*'] } });
    const { key } = await desk.newKey('red-1', 'red', {});
    await binds(key, 200);
    await desk.setTeam('red', { limits: { rpd: 1 } });
    await binds(key, 429);
    await desk.setTeam('red', { limits: { rpd: null }, permit: { models: ['qwen-*'] } });
    await binds(key, 404);
    await desk.removeTeam('red');
    await binds(key, 401);
  });

  test('what runs goes on when its key is revoked, and is in the books', async () => {
    const { key } = await desk.newKey('running', 't', { limits: { concurrency: 5 } });
    await binds(key, 200);
    const messages = [{ role: 'user', content: '[[sim:tokens n=40]] [[sim:slow chunkMs=50]]' }];
    const response = await request(relays[0] as RunningRelay, key, { stream: true, messages, max_tokens: 100 });
    expect(response.status).toBe(200);
    await desk.revokeKey('running');
    await binds(key, 401);
    expect((await response.text()).endsWith('data: [DONE]\n\n')).toBe(true);
    await expect.poll(async () => (await usage('running'))?.completionTokens, { timeout: 5_000 }).toBeGreaterThanOrEqual(40);
  });

  test('without Redis: new keys come, revoked ones go within a second on both, and the file’s stay', async () => {
    const { key } = await desk.newKey('revoked', 't', {});
    await binds(key, 200);
    redis.process.kill('SIGSTOP');
    try {
      await desk.revokeKey('revoked');
      await binds(key, 401);
      await binds((await desk.newKey('later', 't', {})).key, 200);
      await binds(KEY, 200);
    } finally {
      redis.process.kill('SIGCONT');
    }
  });

  test('without the database the last known keys stay in force, said once a relay; back again, what was missed binds; no start without it', async () => {
    const { key } = await desk.newKey('kept', 't', {});
    await binds(key, 200);
    log.length = 0;
    postgres.stop();
    const told = (type: string) => log.filter((line) => line['type'] === type && String(line['msg']).startsWith('keys:')).length;
    try {
      await expect.poll(() => told('store-down'), { timeout: 5_000 }).toBe(2);
      await binds(key, 200);
      await binds(KEY, 200);
      await expect(startRelay(config, built())).rejects.toMatchObject({ name: 'LedgerFault' });
    } finally {
      postgres.start();
    }
    await desk.revokeKey('kept');
    await expect.poll(() => told('store-back'), { timeout: 5_000 }).toBe(2);
    await binds(key, 401);
    expect(told('store-down')).toBe(2);
  }, 30_000);

  test('no log line holds a key or a digest', async () => {
    const keys = await store.keysAfter(0, 100);
    expect(keys.length).toBeGreaterThan(5);
    const text = JSON.stringify(log);
    for (const { digest } of keys) expect(text).not.toContain(digest);
    expect(text).not.toContain('sk-estafet-');
  });
});

async function usage(key: string): Promise<UsageRow | undefined> {
  const books = ledgerReader(config.database);
  try {
    return (await books.usage({ by: null, fromMs: null, toMs: null, team: null, key }))[0];
  } finally {
    await books.close();
  }
}
