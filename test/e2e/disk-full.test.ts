import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { childEnv } from '../child-env.ts';
import { freePort } from '../free-port.ts';
import { cleanUp, estafet, folder } from '../server/process.ts';
import { ask, keyOf, written } from './redis-rig.ts';
import { type RelayNode, startNode } from './relay-node.ts';

/** A file system of its own for one process and its children, gone with them: as root only. */
const OWN_DISK = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs -o size=2m none disk && exec "$@"', 'sh'];
const MOUNTS = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0 ? ['a file system of 2 MB'] : [];

const TEAMS = { free: {}, limited: { limits: { rpd: 1_000, budget: { amount: 100, currency: 'CNY', per: 'month' } } } };

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
beforeEach(() => simulator.reset());
afterAll(async () => {
  await cleanUp();
  await simulator.close();
});

const env = () => ({ SIMULATED: simulator.vendors['qwen']?.key ?? '', ...childEnv() });
const configured = (more: Record<string, unknown>): string => {
  const { redis: _, server, ...config } = JSON.parse(written(simulator, 1, TEAMS)) as { redis: unknown; server: object };
  return JSON.stringify({ ...config, server: { ...server, logLevel: 'info' }, ...more });
};

/** Takes all that is left; gives it back when told. */
function fill(path: string): () => void {
  const file = openSync(path, 'w');
  try {
    for (let size = 65_536; size >= 1; ) {
      try {
        writeSync(file, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        size >>= 1;
      }
    }
  } finally {
    closeSync(file);
  }
  return () => rmSync(path);
}

const requestsBooked = async (url: string, key: string): Promise<number> => {
  const answer = await fetch(`${url}/v1/estafet/usage`, { headers: { authorization: `Bearer ${keyOf(key)}` } });
  return answer.status === 200 ? ((await answer.json()) as { all: { requests: number } }).all.requests : -1;
};

test('a log on a full disk: every request is served, and the end is that of any other', async () => {
  const cwd = folder({ 'estafet.yaml': configured({}) });
  const full = openSync('/dev/full', 'w');
  // The line that names the port is lost with the log.
  const port = await freePort();
  const run = estafet(['serve', '--port', String(port)], env(), cwd, { stdout: full });
  closeSync(full);
  const url = `http://127.0.0.1:${port}`;
  const alive = () =>
    fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => run.child.exitCode,
    );
  await expect.poll(alive, { timeout: 20_000 }).toBe(true);
  for (let calls = 0; calls < 30; calls++) expect((await ask(url, 'limited')).status).toBe(200);
  await run.seen(/the log cannot be written \(ENOSPC\)/);
  run.child.kill('SIGTERM');
  expect(await run.exit).toBe(0);
  expect(run.stderr.match(/the log cannot be written/g)).toHaveLength(1);
});

describe.each(MOUNTS)('books on %s', () => {
  const started = async (): Promise<{ readonly node: RelayNode; readonly disk: string }> => {
    const cwd = folder({ 'estafet.yaml': configured({ database: 'sqlite:disk/books.db', server: { host: '127.0.0.1', port: 0 } }) });
    const { status } = spawnSync('mkdir', [join(cwd, 'disk')]);
    expect(status).toBe(0);
    const node = await startNode({ file: 'estafet.yaml', cwd, env: env(), by: OWN_DISK });
    // What the process sees there, and nobody else.
    return { node, disk: `/proc/${node.pid}/root${cwd}/disk` };
  };

  test('full while it runs: requests are served, lines wait, and all are in the books once there is room', async () => {
    const { node, disk } = await started();
    expect(existsSync(join(disk, 'books.db'))).toBe(true);
    for (const team of ['free', 'limited']) expect((await ask(node.url, team)).status).toBe(200);
    await expect.poll(() => requestsBooked(node.url, 'limited'), { timeout: 10_000 }).toBe(1);
    const giveBack = fill(join(disk, 'filling'));
    for (let calls = 0; calls < 40; calls++) expect((await ask(node.url, calls % 2 === 0 ? 'free' : 'limited')).status).toBe(200);
    await expect.poll(node.output, { timeout: 20_000 }).toContain('books: the database fails');
    giveBack();
    await expect.poll(() => requestsBooked(node.url, 'limited'), { timeout: 20_000 }).toBe(21);
    await expect.poll(() => requestsBooked(node.url, 'free'), { timeout: 20_000 }).toBe(21);
    expect(node.fault()).toBe('');
    expect(await node.end('SIGTERM')).toBe(0);
  });
});
