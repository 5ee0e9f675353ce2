import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, Redis } from 'ioredis';
import { type Limit, MINUTE_MS, rateLaw, slotsLaw, windowLaw } from '../relay/quota/limits.ts';
import { RedisStore } from '../relay/quota/redis-store.ts';
import { redisConnection } from '../server/redis-connection.ts';
import { cpuOf, TASKSET } from './cpu.ts';
import { median, pairedRatio, table } from './figures.ts';
import { type Machine, pinsOf } from './report.ts';

const ROUNDS = 5;
const ROUND_MS = 2_000;
/** Calls under way at once, each a reservation and then its settlement. */
const AT_ONCE = 128;
/** Teams, so that no single hash grows into the only one. */
const OWNERS = 16;

const LIMITS: readonly (readonly [Limit, number])[] = [
  [{ name: 'rpm', bucket: 'team/rpm', measure: 'requests', law: rateLaw(1e9, MINUTE_MS) }, 1],
  [{ name: 'tpm', bucket: 'team/tpm', measure: 'tokens', law: rateLaw(1e9, MINUTE_MS) }, 900],
  [{ name: 'concurrency', bucket: 'team/concurrency', measure: 'concurrency', law: slotsLaw(1e6) }, 1],
  [{ name: 'budget', bucket: 'team/budget.month.cny', measure: 'nanoCny', law: windowLaw(1e15, 'month', 'UTC') }, 2_000_000],
];
const DEMANDS = LIMITS.map(([limit, amount]) => ({ limit, amount }));

interface Figure {
  readonly pairsPerSecond: number;
  readonly nodeMicros: number;
  readonly redisMicros: number;
}

/**
 * Reservations with their settlements, four limits each, on one Redis and one connection; beside them as many pairs of `EVALSHA` of a script
 * that does nothing, with the keys and arguments of theirs. Rounds are interleaved. Needs `redis-server`.
 */
export async function measureQuota(machine: Machine, tick: number, say: (line: string) => void): Promise<string> {
  const redis = await startRedis(machine.pinned?.target ?? null);
  const connection = redisConnection({ kind: 'alone', tls: false, url: `redis://127.0.0.1:${redis.port}` }, (fault) => say(String(fault)));
  try {
    connection.start();
    const { client } = connection;
    const ways = { bare: await bare(client), engine: engine(client) };
    const figures: Record<keyof typeof ways, Figure[]> = { bare: [], engine: [] };
    for (const way of Object.values(ways)) await round(way, redis.pid, tick, ROUND_MS / 4);
    for (let count = 1; count <= ROUNDS; count++) {
      say(`quota: round ${count} of ${ROUNDS}`);
      for (const name of ['bare', 'engine'] as const) figures[name].push(await round(ways[name], redis.pid, tick, ROUND_MS));
    }
    return report(machine, figures, /redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? 'unknown');
  } finally {
    connection.close();
    await redis.stop();
  }
}

type Pair = (id: string, owner: string) => Promise<void>;

function engine(client: Redis | Cluster): Pair {
  const store = new RedisStore(client, { keepLines: 'expired', spent: null });
  const actual = { requests: 1, tokens: 700, nanoCny: 1_500_000, nanoUsd: 0 };
  return async (id, owner) => {
    const verdict = await store.reserve({ id, owner, demands: DEMANDS, leaseMs: 60_000, about: 'bench' });
    if (!verdict.ok) throw new Error(`The limits of the bench refuse: ${verdict.kind}.`);
    await store.settle({ id, owner, actual, source: 'vendor', reason: 'done', about: '' });
  };
}

async function bare(client: Redis | Cluster): Promise<Pair> {
  const lua = 'return 0';
  await client.script('LOAD', lua);
  const sha = createHash('sha1').update(lua).digest('hex');
  const demands = JSON.stringify(LIMITS.map(([{ bucket }, amount]) => [bucket, 1, 1, amount, 1e15, 1e9, 6e7, 0]));
  return async (id, owner) => {
    const keys = ['levels', 'held', 'leases', 'closed', 'lines'].map((part) => `bare:{${owner}}:${part}`);
    await client.evalsha(sha, 5, ...keys, '', 3.6e9, 0, 3.4e10, id, 6e7, 'bench', demands);
    await client.evalsha(sha, 5, ...keys, '', 3.6e9, 0, 3.4e10, id, 'done', 'vendor', '', 1, 700, 0, 1_500_000, 0);
  };
}

let ids = 0;

async function round(pair: Pair, redisPid: number, tick: number, ms: number): Promise<Figure> {
  const [redisBefore, nodeBefore, started] = [cpuOf(redisPid, tick), process.cpuUsage(), performance.now()];
  const until = started + ms;
  let pairs = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async (_, place) => {
      for (; performance.now() < until; pairs++) await pair(`b${++ids}`, `team/t${place % OWNERS}`);
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(nodeBefore);
  return {
    pairsPerSecond: pairs / seconds,
    nodeMicros: (user + system) / pairs,
    redisMicros: (cpuOf(redisPid, tick) - redisBefore) / pairs,
  };
}

function report(machine: Machine, { bare, engine }: Record<'bare' | 'engine', readonly Figure[]>, version: string): string {
  const row = (name: string, figures: readonly Figure[]) => [
    name,
    ...(['pairsPerSecond', 'nodeMicros', 'redisMicros'] as const).map((of) => median(figures.map((figure) => figure[of])).toFixed(0)),
  ];
  const times = (of: keyof Figure) => {
    const values = (figures: readonly Figure[]) => figures.map((figure) => figure[of]);
    return pairedRatio(values(engine), values(bare)).toFixed(2);
  };
  return `Estafet bench of limits in Redis, ${machine.at}
machine  ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, Linux ${machine.kernel}; ${pinsOf(machine.pinned, 'Redis', 'Node')}
software Node ${machine.node}, Redis ${version}, commit ${machine.commit}
load     one connection, ${AT_ONCE} pairs at once, ${OWNERS} teams, ${LIMITS.length} limits each; ${ROUNDS} rounds of ${ROUND_MS} ms, interleaved

A pair is a reservation and its settlement; medians of the rounds, ratios are medians of the ratios of the rounds

${table([
  ['', 'pairs/s', 'Node µs/pair', 'Redis µs/pair'],
  row('bare EVALSHA', bare),
  row('reserve + settle', engine),
  ['÷ bare', times('pairsPerSecond'), times('nodeMicros'), times('redisMicros')],
])}
`;
}

/** A Redis of the bench's own, that keeps nothing. @throws Error in one line when there is none to start */
async function startRedis(core: number | null): Promise<{ port: number; pid: number; stop(): Promise<void> }> {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
  } catch {
    throw new Error('redis-server is missing: apt-get install redis-server');
  }
  const port = await freePort();
  const pin = core === null ? [] : [TASKSET, '-c', String(core)];
  const [command, ...args] = [...pin, 'redis-server', '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child: ChildProcess = spawn(command as string, args, { stdio: 'ignore' });
  process.on('exit', () => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  await Promise.race([sleep(500), exited]);
  if (child.pid === undefined || child.exitCode !== null) throw new Error(`redis-server ended at once on port ${port}.`);
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return { port, pid: child.pid, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
