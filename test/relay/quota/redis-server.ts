import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../../free-port.ts';
import { otherRedis, redisServer } from '../../services.ts';

const BINARY = redisServer();

/** A table of one row for tests that need a Redis, and of none where there is no program to start. */
export const REDIS: readonly string[] = BINARY === null ? [] : ['Redis'];

/** Names and programs of what the relay is to work with: the system's own, the oldest that is promised, and its fork. */
export const REDIS_KINDS: readonly (readonly [string, string])[] = [
  ...(BINARY === null ? [] : [['Redis', BINARY] as const]),
  ...Object.entries(otherRedis() ?? {}),
];

export interface RedisServer {
  readonly port: number;
  readonly process: ChildProcess;
  /** A new connection, closed with the server. */
  connect(): Redis;
  stop(): Promise<void>;
}

/** A Redis of the test's own, on a free port of 127.0.0.1 unless told which, that keeps nothing; or a Sentinel that watches nothing yet. */
export async function startRedis(
  extra: readonly string[] = [],
  onPort?: number,
  as: 'redis' | 'sentinel' = 'redis',
  binary = BINARY,
): Promise<RedisServer> {
  if (binary === null) throw new Error('redis-server is missing: apt-get install -y redis-server');
  for (let tries = 0; tries < 3; tries++) {
    const server = await tryToStart(binary, as, extra, onPort ?? (await freePort()));
    if (server !== null) return server;
  }
  throw new Error('redis-server does not start.');
}

/** Null when it ended at once: another process had taken the port in the meantime. */
async function tryToStart(binary: string, as: 'redis' | 'sentinel', extra: readonly string[], port: number): Promise<RedisServer | null> {
  const folder = mkdtempSync(join(tmpdir(), 'estafet-redis-'));
  const own = as === 'redis' ? ['--save', '', '--appendonly', 'no'] : ['--sentinel'];
  // A Sentinel writes down what it learns, and will not start without a file for it.
  const file = join(folder, `${as}.conf`);
  writeFileSync(file, '');
  const options = [file, '--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, ...own, ...extra];
  const process = spawn(binary, options, { stdio: 'ignore' });
  const exited = once(process, 'exit');
  const clients: Redis[] = [];
  const connect = () => {
    const client = new Redis({ port, host: '127.0.0.1', enableAutoPipelining: true, retryStrategy: (tries) => (tries > 200 ? null : 25) });
    // Refused until the server listens; commands wait for the connection and report what goes wrong themselves.
    client.on('error', () => {});
    clients.push(client);
    return client;
  };
  const stop = async () => {
    for (const client of clients) client.disconnect();
    process.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  // Asked until it answers: on a busy machine it needs its time to come up.
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  while (!ended) {
    const probe = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: null });
    probe.on('error', () => {});
    const up = await probe.ping().then(
      () => true,
      () => false,
    );
    probe.disconnect();
    if (up) return { port, process, connect, stop };
    await sleep(20);
  }
  await stop();
  return null;
}
