import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { TASKSET } from './cpu.ts';

export interface BenchRedis {
  readonly port: number;
  stop(): void;
}

/** Longest start, in ms. */
const START_MS = 5_000;

/** A Redis of its own, in memory only, beside mock and load; null where `redis-server` is not installed. It ends with this process. */
export async function startRedis(core: number | null, folder: string): Promise<BenchRedis | null> {
  if (spawnSync('redis-server', ['--version']).status !== 0) return null;
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const [command, ...rest] = [...(core === null ? [] : [TASKSET, '-c', String(core)]), 'redis-server', ...args] as [string, ...string[]];
  const child: ChildProcess = spawn(command, rest, { stdio: 'ignore' });
  const stop = (): void => void child.kill('SIGKILL');
  process.on('exit', stop);
  const client = new Redis({ port, lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 });
  client.on('error', () => {
    // Not there yet: tried again below.
  });
  try {
    for (const until = Date.now() + START_MS; Date.now() < until; await sleep(50)) {
      if (child.exitCode !== null) break;
      const there = await client.connect().then(
        () => true,
        () => false,
      );
      if (there) return { port, stop };
    }
  } finally {
    client.disconnect();
  }
  stop();
  throw new Error(`redis-server did not start on port ${port}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}
