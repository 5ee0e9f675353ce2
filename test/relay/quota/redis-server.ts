import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

const BINARY = '/usr/bin/redis-server';

export interface RedisServer {
  readonly port: number;
  readonly process: ChildProcess;
  /** A new connection, closed with the server. */
  connect(): Redis;
  stop(): Promise<void>;
}

/** A Redis of the test's own, on a free port of 127.0.0.1, that keeps nothing. */
export async function startRedis(extra: readonly string[] = []): Promise<RedisServer> {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: apt-get install -y redis-server`);
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'estafet-redis-'));
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder, ...extra];
  const process = spawn(BINARY, options, { stdio: 'ignore' });
  const exited = once(process, 'exit');
  const clients: Redis[] = [];
  const connect = () => {
    const client = new Redis({ port, host: '127.0.0.1', enableAutoPipelining: true, retryStrategy: (tries) => (tries > 200 ? null : 25) });
    // Refused until the server listens; commands wait for the connection and report what goes wrong themselves.
    client.on('error', () => {});
    clients.push(client);
    return client;
  };
  await connect().ping();
  return {
    port,
    process,
    connect,
    stop: async () => {
      for (const client of clients) client.disconnect();
      process.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port.');
  return address.port;
}
