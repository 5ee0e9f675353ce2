import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { RedisStore } from '../../relay/quota/redis-store.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { freePort } from '../free-port.ts';
import { REDIS, type RedisServer, startRedis } from '../relay/quota/redis-server.ts';
import { cleanUp, estafet, folder, type Run } from '../server/process.ts';
import { ask, keyOf, type RedisPlace, statuses, stream, type Teams, written } from './redis-rig.ts';

/** Relays as processes of their own, as `estafet serve` starts them. */
const ends: (() => unknown)[] = [];
afterEach(async () => {
  await cleanUp();
  for (const end of ends.splice(0).reverse()) await end();
});

async function simulated(): Promise<Simulator> {
  const simulator = await startSimulator();
  ends.push(() => simulator.close());
  return simulator;
}

async function redisOn(port?: number): Promise<RedisServer> {
  const redis = await startRedis([], port);
  ends.push(() => redis.stop());
  return redis;
}

interface Served {
  readonly url: string;
  readonly run: Run;
}

/** Processes with one configuration, in one folder: they share its books. */
async function serve(count: number, simulator: Simulator, redis: RedisPlace, teams: Teams): Promise<Served[]> {
  const config = JSON.parse(written(simulator, redis, teams)) as Record<string, unknown> & { keys: object[] };
  const keys = config.keys.map((key) => ({ ...key, onDisconnect: 'drain' }));
  const path = folder({});
  const text = JSON.stringify({ ...config, keys, database: `sqlite:${join(path, 'books.db')}`, books: { flushTimeoutMs: 500 } });
  const home = folder({ 'estafet.yaml': text });
  const env = { SIMULATED: simulator.vendors.qwen?.key ?? '' };
  return Promise.all(
    Array.from({ length: count }, async () => {
      const run = estafet(['serve'], env, home);
      return { run, url: (await run.seen(/listens on (http:\S+)/))[1] as string };
    }),
  );
}

interface Sums {
  readonly requests: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly estimated_requests: number;
  readonly cost: Readonly<Record<string, string>>;
}

async function booked(url: string, team: string): Promise<Sums> {
  const answer = await fetch(`${url}/v1/estafet/usage`, { headers: { authorization: `Bearer ${keyOf(team)}` } });
  return ((await answer.json()) as { all: Sums }).all;
}

test.each(REDIS)('two processes, one %s: of 300 at once exactly 100 a day are served, and the books are the vendor’s count', async () => {
  const [simulator, redis] = await Promise.all([simulated(), redisOn()]);
  const limits = { rpd: 100, concurrency: 1000, budget: { amount: 100, currency: 'CNY', per: 'month' } };
  const served = await serve(2, simulator, redis.port, { many: { limits } });
  const urls = served.map(({ url }) => url);
  /** Two thirds whole, the rest streams: half of them to their end, half left by their callers after a piece. */
  const call = async (place: number): Promise<number> => {
    const url = urls[place % 2] as string;
    if (place % 6 < 4) return (await ask(url, 'many', `Number ${place}`)).status;
    try {
      const chunks = await stream(url, 'many', `Number ${place} [[sim:tokens n=20]] [[sim:slow chunkMs=5]]`);
      for await (const _ of chunks) if (place % 6 === 4) break;
      return 200;
    } catch (error) {
      return (error as { status?: number }).status ?? 0;
    }
  };
  const answers = await Promise.all(Array.from({ length: 300 }, (_, place) => call(place)));
  expect(answers.filter((status) => status === 200).length).toBe(100);
  expect(answers.filter((status) => status === 429).length).toBe(200);
  expect(simulator.journal().length).toBe(100);

  const store = new RedisStore(redis.connect(), { keepLines: false, spent: null });
  await expect.poll(async () => (await store.levels('team/many')).open.length, { timeout: 5000 }).toBe(0);
  const vendor = (field: 'promptTokens' | 'completionTokens') => simulator.usage().reduce((sum, row) => sum + row[field], 0);
  await expect
    .poll(async () => (await booked(urls[0] as string, 'many')).completion_tokens, { timeout: 5000 })
    .toBe(vendor('completionTokens'));
  const sums = await booked(urls[1] as string, 'many');
  expect(sums.prompt_tokens).toBe(vendor('promptTokens'));
  expect(sums.estimated_requests).toBe(0);
  const { buckets } = await store.levels('team/many');
  const money = [...buckets].find(([name]) => name.includes('budget'))?.[1];
  expect(money?.kind === 'window' && money.used).toBe(Math.round(Number(sums.cost['CNY']) * 1e9));
  expect(buckets.get('team/concurrency')).toEqual({ kind: 'slots', used: 0 });
});

describe.each(REDIS)('%s that is not there when the process starts', () => {
  const TEAMS = { limited: { limits: { rpd: 3 } }, free: {} };
  const refused = async (url: string) => {
    const { status, code, headers } = await ask(url, 'limited');
    return [status, code, headers.get('retry-after')];
  };

  test('it starts, refuses keys with limits and serves the others; then it serves all, within five seconds', async () => {
    const [simulator, port] = await Promise.all([simulated(), freePort()]);
    const [{ url }] = (await serve(1, simulator, port, TEAMS)) as [Served];
    expect(await refused(url)).toEqual([503, 'quota_unavailable', '1']);
    expect((await ask(url, 'free')).status).toBe(200);
    await redisOn(port);
    await expect.poll(async () => (await ask(url, 'limited')).status, { timeout: 5000 }).toBe(200);
    // What was refused before costs nothing.
    expect(statuses([await ask(url, 'limited'), await ask(url, 'limited'), await ask(url, 'limited')])).toEqual({ 200: 2, 429: 1 });
  });

  test.each([
    ['Cluster', (port: number) => `redis+cluster://127.0.0.1:${port}`],
    ['Sentinel', (port: number) => `redis+sentinel://127.0.0.1:${port}/limits`],
  ])('the same for a %s; and the process ends when it is told to, with Redis still away', async (_, textOf) => {
    const [simulator, port] = await Promise.all([simulated(), freePort()]);
    const [{ url, run }] = (await serve(1, simulator, textOf(port), TEAMS)) as [Served];
    expect(await refused(url)).toEqual([503, 'quota_unavailable', '1']);
    expect((await ask(url, 'free')).status).toBe(200);
    const toldAt = performance.now();
    run.child.kill('SIGTERM');
    expect(await run.exit).toBe(0);
    expect(performance.now() - toldAt).toBeLessThan(5000);
    expect(run.stderr).not.toContain('Unhandled');
  });
});
