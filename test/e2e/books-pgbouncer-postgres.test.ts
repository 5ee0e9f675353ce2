import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { freePort, portOpen } from '../free-port.ts';
import { type PostgresServer, postgresServer } from '../server/database/postgres-server.ts';
import { cleanUp, estafet, folder, type Run } from '../server/process.ts';
import { pgbouncer } from '../services.ts';
import { booked } from './booked.ts';
import { ask, written } from './redis-rig.ts';

/** Books behind PgBouncer, which hands each transaction to any of two connections: nothing may live longer than a transaction. */
const BINARY = pgbouncer();

describe.each(BINARY === null ? [] : [BINARY])('%s in transaction mode', (binary) => {
  let postgres: PostgresServer;
  let simulator: Simulator;
  let bouncer: ChildProcess;
  let direct: string;
  let database: string;

  beforeAll(async () => {
    [postgres, simulator] = await Promise.all([postgresServer(), startSimulator()]);
    direct = postgres.database();
    const port = await freePort();
    const { pathname } = new URL(direct);
    const place = folder({
      'pgbouncer.ini': `[databases]
* = host=127.0.0.1 port=${postgres.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
server_login_retry = 0.1
logfile = pgbouncer.log
`.replace('* = host', `${pathname.slice(1)} = user=estafet host`),
    });
    chmodSync(place, 0o755);
    // It refuses to run as root.
    const user = process.getuid?.() === 0 ? postgresUser() : null;
    if (user !== null) chownSync(place, user.uid, user.gid);
    bouncer = spawn(binary, ['-q', join(place, 'pgbouncer.ini')], { stdio: 'ignore', cwd: place, ...(user ?? {}) });
    while (!(await portOpen(port))) {
      if (bouncer.exitCode !== null) throw new Error('pgbouncer does not start');
      await sleep(20);
    }
    database = `postgres://estafet@127.0.0.1:${port}${pathname}`;
  });
  afterAll(async () => {
    await cleanUp();
    if (bouncer !== undefined && bouncer.exitCode === null) {
      bouncer.kill('SIGKILL');
      await once(bouncer, 'exit');
    }
    await simulator?.close();
    postgres?.remove();
  });

  async function serve(): Promise<{
    run: Run;
    url: string;
    command: (...args: string[]) => Promise<readonly [code: number | string, stderr: string]>;
  }> {
    const { redis: _, ...config } = JSON.parse(
      written(simulator, 1, { t: { limits: { budget: { amount: 100, currency: 'CNY', per: 'month' } } } }),
    );
    const home = folder({ 'estafet.yaml': JSON.stringify({ ...config, database, server: { ...config.server, logLevel: 'error' } }) });
    const env = { SIMULATED: simulator.vendors['qwen']?.key ?? '' };
    const run = estafet(['serve'], env, home);
    const url = (await run.seen(/listens on (http:\S+)/))[1] as string;
    const command = async (...args: string[]): Promise<readonly [code: number | string, stderr: string]> => {
      const done = estafet(args, env, home);
      return [await done.exit, done.stderr] as const;
    };
    return { run, url, command };
  }

  test('schema, books, keys made by command and the audit work; PostgreSQL that restarts meanwhile loses no line', {
    timeout: 60_000,
  }, async () => {
    const { run, url, command } = await serve();
    const served = async (count: number): Promise<number> =>
      (await Promise.all(Array.from({ length: count }, () => ask(url, 't')))).filter(({ status }) => status === 200).length;
    expect(await served(40)).toBe(40);
    expect(await command('key', 'new', '--team', 't', '--name', 'made')).toEqual([0, expect.not.stringMatching(/estafet: /)]);
    postgres.stop();
    expect(await served(20)).toBe(20);
    postgres.start();
    expect(await served(20)).toBe(20);
    await expect.poll(async () => (await fetch(`${url}/readyz`)).status, { timeout: 10_000 }).toBe(200);
    expect(await command('audit', '--listen', '10ms')).toEqual([0, expect.not.stringMatching(/estafet: /)]);
    run.child.kill('SIGTERM');
    expect(await run.exit).toBe(0);
    expect((await booked(direct)).lines).toEqual({ done: 80 });
    expect(run.stdout + run.stderr).not.toMatch(/prepared statement|does not exist/);
  });
});

function postgresUser(): { uid: number; gid: number } {
  const [, uid, gid] = /^postgres:[^:]*:(\d+):(\d+)/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}
