import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSqlite } from '../../server/database/sqlite.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { REDIS, type RedisServer, startRedis } from '../relay/quota/redis-server.ts';
import { cleanUp, estafet, folder } from '../server/process.ts';
import { stream, written } from './redis-rig.ts';
import { type RelayNode, startNode } from './relay-node.ts';

/** The same at full scale, and by the clock: `npm run bench -- restart`. */
const CALLERS = 16;
const TEAMS = { apps: { limits: { concurrency: 100, tpm: 100_000_000, budget: { amount: 100, currency: 'CNY', per: 'month' } } } };

let redis: RedisServer;
let simulator: Simulator;
let place: string;
const nodes = new Set<RelayNode>();

beforeAll(async () => {
  if (REDIS.length === 0) return;
  redis = await startRedis();
  simulator = await startSimulator();
  const config = JSON.parse(written(simulator, redis.port, TEAMS)) as object;
  place = folder({ 'estafet.yaml': JSON.stringify({ ...config, database: 'sqlite:books.db' }) });
});
afterAll(async () => {
  for (const node of nodes) await node.end('SIGKILL');
  await cleanUp();
  await simulator?.close();
  await redis?.stop();
});

const env = () => ({ SIMULATED: simulator.vendors['qwen']?.key ?? '' });
const started = async (): Promise<RelayNode> => {
  const node = await startNode({ file: 'estafet.yaml', cwd: place, env: env() });
  nodes.add(node);
  return node;
};

describe.each(REDIS)('two nodes on %s and one SQLite file', () => {
  test('restarted one after the other under streams: none is cut, none refused, each is booked once', { timeout: 120_000 }, async () => {
    /** Those in use, as a load balancer sees them. */
    const used = [await started(), await started()];
    /** Calls on their way to a node, and streams that run there. */
    const calling = new Map<RelayNode, number>();
    const running = new Map<RelayNode, number>();
    const count = (counts: Map<RelayNode, number>, node: RelayNode, change: 1 | -1) =>
      void counts.set(node, (counts.get(node) ?? 0) + change);
    const finishes: (string | null)[] = [];
    let ending = false;
    let turn = 0;
    const reader = async (): Promise<void> => {
      while (!ending) {
        const node = used[turn++ % used.length] as RelayNode;
        count(calling, node, 1);
        const chunks = await stream(node.url, 'apps', `[[sim:tokens n=12]] [[sim:slow chunkMs=100]] ${turn}`);
        count(calling, node, -1);
        count(running, node, 1);
        let finish: string | null = null;
        for await (const { choices } of chunks) finish = choices[0]?.finish_reason ?? finish;
        count(running, node, -1);
        finishes.push(finish);
      }
    };
    const load = Promise.all(Array.from({ length: CALLERS }, reader));
    load.catch(() => {});
    for (const leaving of [...used]) {
      await expect.poll(() => running.get(leaving) ?? 0, { timeout: 30_000, interval: 5 }).toBeGreaterThan(2);
      used.splice(used.indexOf(leaving), 1);
      await expect.poll(() => calling.get(leaving), { timeout: 30_000, interval: 5 }).toBe(0);
      expect(running.get(leaving)).toBeGreaterThan(0);
      expect(await leaving.end('SIGTERM')).toBe(0);
      nodes.delete(leaving);
      expect(leaving.fault()).toBe('');
      used.push(await started());
    }
    ending = true;
    await load;
    expect(finishes.filter((finish) => finish !== 'stop')).toEqual([]);
    expect(finishes.length).toBe(simulator.journal().length);
    for (const node of used) expect(await node.end('SIGTERM')).toBe(0);
    nodes.clear();
    const { db } = openSqlite({ path: join(place, 'books.db') });
    const { rows } = await sql<{ lines: bigint; tokens: bigint }>`select count(*) as lines, sum(completion_tokens) as tokens
      from estafet_requests where reason = 'done'`.execute(db);
    await db.destroy();
    const vendor = simulator.usage().reduce((sum, { completionTokens }) => sum + completionTokens, 0);
    expect([Number(rows[0]?.lines), Number(rows[0]?.tokens)]).toEqual([finishes.length, vendor]);
    const audit = estafet(['audit', '--listen', '100ms'], env(), place);
    expect([await audit.exit, audit.stdout]).toEqual([0, expect.stringMatching(/^no drift: /)]);
  });
});
