import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import type { RequestRecord } from '../../relay/records/request-record.ts';
import { type RunningRelay, startRelay } from '../../server/main.ts';
import { build } from '../../server/wiring.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { configOf, digestOf } from '../http/desk.ts';
import { type RedisServer, startRedis } from '../relay/quota/redis-server.ts';
import { folder } from '../server/process.ts';
import { TcpProxy } from '../tcp-proxy.ts';
import { keyOf } from './redis-rig.ts';

/** By what becomes of them while Redis is gone; the last one's callers that leave are drained. */
export const TEAMS = ['refuse', 'local', 'admit', 'drain'] as const;
/** Nobody dies here, so what comes back must not come by a lease. */
const LEASE_MS = 3_600_000;

export interface ChaosNode {
  /** Between it and Redis. */
  readonly proxy: TcpProxy;
  relay: RunningRelay;
  /** No new callers: it ends, or is not up again yet. */
  leaving: boolean;
}

export interface ChaosPlace {
  readonly simulator: Simulator;
  readonly nodes: readonly ChaosNode[];
  readonly records: readonly RequestRecord[];
  /** Path of the books. */
  readonly books: string;
  redis(): RedisServer;
  /** kill -9, and another one on its port that knows nothing. */
  emptyRedis(between: () => Promise<void>): Promise<void>;
  /** As SIGTERM does, and once more. */
  restart(node: ChaosNode): Promise<void>;
  /** Another configuration for all nodes. */
  change(tight: boolean, without: 'ernie' | null): Promise<void>;
  close(): Promise<void>;
}

export async function chaosPlace(chance: () => number): Promise<ChaosPlace> {
  let [redis, simulator] = await Promise.all([startRedis(), startSimulator({ journalLimit: 100_000 })]);
  const books = join(folder({}), 'books.db');
  const records: RequestRecord[] = [];
  let inForce = { tight: false, without: null as 'ernie' | null };
  const config = (proxy: TcpProxy): Config => configOf(fileOf(simulator, proxy.port, books, inForce), secretsOf(simulator));
  const started = (proxy: TcpProxy): Promise<RunningRelay> => {
    const own = config(proxy);
    return startRelay(own, build(own, { random: chance, leaseMs: LEASE_MS, onSettled: (record) => void records.push(record) }));
  };
  const nodes: ChaosNode[] = [];
  for (let count = 0; count < 2; count++) {
    const proxy = await new TcpProxy(redis.port).open();
    nodes.push({ proxy, relay: await started(proxy), leaving: false });
  }
  return {
    simulator,
    nodes,
    records,
    books,
    redis: () => redis,
    emptyRedis: async (between) => {
      redis.process.kill('SIGKILL');
      await between();
      const { port } = redis;
      await redis.stop();
      redis = await startRedis([], port);
    },
    restart: async (node) => {
      node.leaving = true;
      await node.relay.stop();
      node.relay = await started(node.proxy);
      node.leaving = false;
    },
    change: async (tight, without) => {
      inForce = { tight, without };
      for (const { relay, proxy, leaving } of nodes) if (!leaving) await relay.apply(config(proxy));
    },
    close: async () => {
      await Promise.all(nodes.map(({ relay }) => relay.stop()));
      await Promise.all(nodes.map(({ proxy }) => proxy.close()));
      await simulator.close();
      await redis.stop();
    },
  };
}

const secretsOf = ({ vendors }: Simulator): Record<string, string> =>
  Object.fromEntries(Object.entries(vendors).map(([name, { key }]) => [name.toUpperCase(), key]));

function fileOf(
  { vendors }: Simulator,
  redisPort: number,
  books: string,
  { tight, without }: { readonly tight: boolean; readonly without: string | null },
): string {
  const timeouts = { firstByteMs: 700, wholeMs: 1_000, idleMs: 700 };
  const common = { retries: 1, timeouts, breaker: { failures: 10, windowMs: 5_000, openMs: 200 }, probe: {} };
  const limited = { concurrency: tight ? 2 : 5, tpm: 100_000_000, queue: { max: 20, waitMs: 2_000 } };
  const backends = Object.entries(vendors).filter(([name]) => name !== without);
  const limits = { rpm: 100_000, tpm: 1_000_000_000, concurrency: tight ? 4 : 20, budget: { amount: 100, currency: 'CNY', per: 'month' } };
  const glm = { to: 'glm/glm-4.6', thinking: 'off' };
  return JSON.stringify({
    server: { port: 0, logLevel: 'silent', maxLagMs: 0, drainTimeoutMs: 3_000, totalDeadlineMs: 10_000 },
    database: `sqlite:${books}`,
    redis: `redis://127.0.0.1:${redisPort}`,
    backends: Object.fromEntries(
      backends.map(([vendor, { baseUrl }]) => [
        vendor,
        { vendor, baseUrl, apiKey: `env:${vendor.toUpperCase()}`, ...common, ...(vendor === 'glm' ? {} : limited) },
      ]),
    ),
    models: {
      m: [
        { to: 'qwen/qwen-plus', weight: 1 },
        ...(without === 'ernie' ? [] : [{ to: 'ernie/ernie-4.5-turbo-128k', weight: 1 }]),
        { ...glm, weight: 1 },
      ],
      hedged: { to: ['qwen/qwen-plus', glm], hedge: { after: 150, mostPercent: 60 } },
    },
    teams: Object.fromEntries(
      TEAMS.map((name) => [
        name,
        {
          permit: { vendors: ['qwen', 'ernie', 'glm'], regions: ['*'] },
          limits,
          ...(name === 'drain' ? {} : { onStoreLoss: name }),
        },
      ]),
    ),
    keys: TEAMS.map((name) => ({
      name,
      team: name,
      key: digestOf(keyOf(name)),
      ...(name === 'drain' ? { onDisconnect: 'drain' } : {}),
    })),
  });
}
