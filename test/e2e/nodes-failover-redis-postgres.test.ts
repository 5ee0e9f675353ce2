import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { redisAddress } from '../../config/redis-address.ts';
import { RedisStore } from '../../relay/quota/redis-store.ts';
import { redisConnection } from '../../server/redis-connection.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { REDIS, type RedisServer } from '../relay/quota/redis-server.ts';
import { type Failover, startCluster, startSentinels } from '../relay/quota/redis-topologies.ts';
import { POSTGRES, type PostgresServer, postgresServer } from '../server/database/postgres-server.ts';
import { cleanUp, estafet } from '../server/process.ts';
import { booked } from './booked.ts';
import { ask } from './redis-rig.ts';
import { type Outcome, startCallers } from './sdk-callers.ts';
import { fileOf, type Served, serve } from './workers-rig.ts';

const CLUSTER = fileURLToPath(new URL('./mortal-cluster.ts', import.meta.url));
const LEASE_MS = 1_500;
const SOON = { timeout: 20_000, interval: 50 };
/** So many answers the one team whose limit is small ever gets. */
const FEW = 40;
const MANY = ['a', 'b', 'c', 'd', 'e', 'f'];
const budget = { amount: 100, currency: 'CNY', per: 'month' };
const TEAMS = {
  ...Object.fromEntries(MANY.map((team) => [team, { limits: { rpd: 100_000, concurrency: 1000, budget } }])),
  few: { limits: { rpd: FEW, concurrency: 1000, budget } },
};
const NAMES = Object.keys(TEAMS);

interface Loss {
  readonly what: string;
  readonly on: string;
  start(): Promise<Failover>;
  lose(redis: Failover, master: RedisServer): Promise<void>;
  /** Once its teams have been refused by both nodes; another server has taken over by itself where this is absent. */
  comeBack?(master: RedisServer): void;
}
/** What the master had answered is with its replica: what a fail-over may give away otherwise, `limits-redis-failover.test.ts` counts. */
const killed = async (redis: Failover, master: RedisServer): Promise<void> => {
  await redis.caughtUp(master);
  master.process.kill('SIGKILL');
};
const LOSSES: readonly Loss[] = [
  { what: 'kill -9 of a master', on: 'a Cluster of three with replicas', start: () => startCluster({ replicas: true }), lose: killed },
  { what: 'kill -9 of the master', on: 'a replica behind three Sentinels', start: startSentinels, lose: killed },
  {
    what: 'a node that stands still, and takes what it had been asked once it goes on',
    on: 'a Cluster of three without replicas',
    start: () => startCluster({ replicas: false }),
    lose: async (_, master) => void master.process.kill('SIGSTOP'),
    comeBack: (master) => void master.process.kill('SIGCONT'),
  },
];

describe.each(REDIS.length === 0 || POSTGRES.length === 0 ? [] : LOSSES)(
  'two nodes of two workers on $on',
  ({ what, on, start, lose, comeBack }) => {
    let redis: Failover;
    let simulator: Simulator;
    let postgres: PostgresServer;
    beforeEach(async () => {
      [redis, simulator, postgres] = await Promise.all([start(), startSimulator({ vendors: ['qwen'] }), postgresServer()]);
    });
    afterEach(async () => {
      await cleanUp();
      await Promise.all([redis.stop(), simulator.close()]);
      postgres.remove();
    });

    test(`${what} under callers with the SDK: right answers or a typed 503, no limit given twice, and all is as it should be after`, async () => {
      const database = postgres.database();
      // The pauses of a busy machine are none of the relay's.
      const text = fileOf({ simulator, redis: { port: redis.address } }, TEAMS, { maxLagMs: 0 }, { database });
      const nodes: readonly Served[] = await Promise.all(
        [0, 1].map(() => serve({ simulator }, text, CLUSTER, { LEASE_MS: `${LEASE_MS}` })),
      );
      const urls = nodes.map(({ url }) => url);
      const masters = new Map<string, RedisServer>();
      for (const team of NAMES) masters.set(team, await redis.masterOf(`estafet:{team/${team}}:levels`));
      const dying = masters.get('few') as RedisServer;
      const hit = NAMES.filter((team) => masters.get(team) === dying);

      const callers = startCallers({ urls, teams: { ...Object.fromEntries(MANY.map((team) => [team, 2])), few: 2 }, chunkMs: 40 });
      const right = ({ result }: Outcome): boolean => result === 'right';
      const answered = (team: string, since: number): number =>
        new Set(callers.outcomes.filter((one) => one.team === team && one.call >= since && right(one)).map(({ url }) => url)).size;
      // Every team has been answered by both nodes, and asks on.
      await expect.poll(() => MANY.filter((team) => answered(team, 0) < urls.length), SOON).toEqual([]);
      await lose(redis, dying);
      if (comeBack !== undefined) {
        const refusing = () => new Set(callers.outcomes.flatMap(({ url, result }) => (result.startsWith('503') ? [url] : []))).size;
        await expect.poll(refusing, SOON).toBe(urls.length);
        comeBack(dying);
      }
      const since = callers.begun();
      // Both nodes serve every team again, by themselves.
      await expect.poll(() => MANY.filter((team) => answered(team, since) < urls.length), SOON).toEqual([]);
      await callers.end();

      const others = callers.outcomes.filter((one) => !right(one));
      const refused = others.filter(({ result }) => result === '503 server_error quota_unavailable');
      const spent = others.filter(({ team, result }) => team === 'few' && result === '429 requests rate_limit_exceeded');
      expect(others.filter((one) => !refused.includes(one) && !spent.includes(one))).toEqual([]);
      expect(refused.length).toBeGreaterThan(0);
      // Those whose limits lie on other nodes never noticed; in a Cluster there are such.
      expect(refused.filter(({ team }) => !hit.includes(team))).toEqual([]);
      expect(hit.length < NAMES.length).toBe(on.includes('Cluster'));
      await nothingHeld(redis.address);
      // What was refused by a 503 has cost nothing, whatever the servers made of it: the rest of the small limit is there, and no more.
      const few = callers.outcomes.filter((one) => one.team === 'few' && right(one)).length;
      const later: number[] = [];
      while (later.at(-1) !== 429) later.push((await ask(urls[later.length % urls.length] as string, 'few')).status);
      const more = later.filter((status) => status === 200).length;
      expect(few + more).toBe(FEW);

      const answers = callers.outcomes.filter(right).length + more;
      const vendor = simulator.usage().reduce((sum, { completionTokens }) => sum + completionTokens, 0);
      const lines = { done: answers, refused: refused.length + spent.length + later.length - more };
      await expect.poll(() => booked(database), SOON).toEqual({ lines, tokens: vendor });
      const audit = estafet(['audit', '--listen', '500ms'], { SIMULATED: 'x' }, nodes[0]?.home);
      expect([await audit.exit, audit.stderr, audit.stdout]).toEqual([0, '', expect.stringMatching(/^no drift: /)]);
      for (const { run } of nodes) {
        run.child.kill('SIGTERM');
        expect(await run.exit).toBe(0);
      }
    });
  },
);

/** No reservation is open, and no slot taken. */
async function nothingHeld(at: string): Promise<void> {
  const address = redisAddress(at);
  if ('fault' in address) throw new Error(address.fault);
  const connection = redisConnection(address, () => {});
  try {
    connection.start();
    const store = new RedisStore(connection.client, { keepLines: false, spent: null });
    const held = async (): Promise<string[]> => {
      const all = await Promise.all(NAMES.map(async (team) => [team, await store.levels(`team/${team}`)] as const));
      return all.flatMap(([team, { open, buckets }]) => {
        const slots = buckets.get('team/concurrency') ?? { kind: 'slots', used: 0 };
        return open.length > 0 || slots.kind !== 'slots' || slots.used > 0 ? [team] : [];
      });
    };
    await expect.poll(held, SOON).toEqual([]);
  } finally {
    connection.close();
  }
}
