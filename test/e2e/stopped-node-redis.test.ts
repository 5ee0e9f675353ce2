import { once } from 'node:events';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisStore } from '../../relay/quota/redis-store.ts';
import { openSqlite } from '../../server/database/sqlite.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { REDIS, type RedisServer, startRedis } from '../relay/quota/redis-server.ts';
import { cleanUp, estafet, folder } from '../server/process.ts';
import { ask, stream, written } from './redis-rig.ts';
import { type RelayNode, startNode } from './relay-node.ts';

const LEASE_MS = 1_500;
const STREAMS = 12;
/** Every slot is taken by the streams of one node. */
const TEAMS = { busy: { limits: { concurrency: STREAMS, rpd: 1_000, budget: { amount: 100, currency: 'CNY', per: 'month' } } } };

let redis: RedisServer;
let simulator: Simulator;
let place: string;
const nodes: RelayNode[] = [];

beforeAll(async () => {
  if (REDIS.length === 0) return;
  redis = await startRedis();
  simulator = await startSimulator();
  const config = JSON.parse(written(simulator, redis.port, TEAMS)) as object;
  place = folder({ 'estafet.yaml': JSON.stringify({ ...config, database: 'sqlite:books.db' }) });
});
afterAll(async () => {
  for (const { child } of nodes) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await cleanUp();
  await simulator?.close();
  await redis?.stop();
});

const env = () => ({ SIMULATED: simulator.vendors['qwen']?.key ?? '' });
const node = async (): Promise<RelayNode> => {
  const started = await startNode({ file: 'estafet.yaml', cwd: place, env: env(), leaseMs: LEASE_MS });
  nodes.push(started);
  return started;
};

const SOON = { timeout: 20_000, interval: 20 };

describe.each(REDIS)('with limits in %s', () => {
  test('a node that stands still for longer than its lease loses what it held, and settles nothing twice when it goes on', {
    timeout: 120_000,
  }, async () => {
    const [halted, other] = await Promise.all([node(), node()]);
    const store = new RedisStore(redis.connect(), { keepLines: false, spent: null });
    const slots = async () => (await store.levels('team/busy')).buckets.get('team/concurrency') ?? { kind: 'slots', used: 0 };
    const answers = await Promise.all(
      Array.from({ length: STREAMS }, (_, index) => stream(halted.url, 'busy', `[[sim:tokens n=60]] [[sim:slow chunkMs=80]] ${index}`)),
    );
    const ends = Promise.all(
      answers.map(async (chunks) => {
        let finish: string | null = null;
        for await (const { choices } of chunks) finish = choices[0]?.finish_reason ?? finish;
        return finish;
      }),
    );
    // Told below; until then nobody waits for it.
    ends.catch(() => {});
    expect(await slots()).toEqual({ kind: 'slots', used: STREAMS });
    expect((await ask(other.url, 'busy')).status).toBe(429);

    halted.child.kill('SIGSTOP');
    // Nobody can tell a node that stands still from one that is dead: the others sweep up after it, and serve again.
    await expect.poll(slots, SOON).toEqual({ kind: 'slots', used: 0 });
    expect((await ask(other.url, 'busy')).status).toBe(200);
    // All the vendor had to say waits in front of the node.
    await expect.poll(() => simulator.journal().filter(({ done }) => done).length, SOON).toBe(STREAMS + 1);

    halted.child.kill('SIGCONT');
    expect(await ends).toEqual(Array(STREAMS).fill('stop'));
    // Late truth beats the guess, and no slot is given back a second time.
    await expect.poll(async () => (await ask(halted.url, 'busy')).status, SOON).toBe(200);
    await expect.poll(slots, SOON).toEqual({ kind: 'slots', used: 0 });
    const vendor = simulator.usage().reduce((sum, { completionTokens }) => sum + completionTokens, 0);
    const booked = async () => {
      const { db } = openSqlite({ path: join(place, 'books.db') });
      try {
        const { rows } = await sql<{ lines: bigint; tokens: bigint }>`select count(*) as lines, sum(completion_tokens) as tokens
          from estafet_requests where refused_by is null`.execute(db);
        return { lines: Number(rows[0]?.lines), tokens: Number(rows[0]?.tokens) };
      } finally {
        await db.destroy();
      }
    };
    // One line for each request, with what the vendor counted.
    await expect.poll(booked, SOON).toEqual({ lines: STREAMS + 2, tokens: vendor });
    const audit = estafet(['audit', '--listen', '500ms'], env(), place);
    expect([await audit.exit, audit.stderr]).toEqual([0, '']);
    expect(audit.stdout).toMatch(/^no drift: /);
    expect(await Promise.all([halted.end('SIGTERM'), other.end('SIGTERM')])).toEqual([0, 0]);
  });
});
