import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cleanUp, estafet, folder, type Run } from '../server/process.ts';
import { fileOf, type Place, place, serve } from './workers-rig.ts';

const TEAMS = { a: {} };
let here: Place;
const servers: Server[] = [];
beforeEach(async () => {
  here = await place();
});
afterEach(async () => {
  await cleanUp();
  for (const server of servers.splice(0)) server.close();
  await here.close();
});

const start = (text: string, args: readonly string[] = [], env: Record<string, string> = {}): Run =>
  estafet(['serve', ...args], { SIMULATED: 'k', ...env }, folder({ 'estafet.yaml': text }));

async function taken(): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

/** One line, and the exit code. */
async function refused(run: Run): Promise<unknown> {
  return [await run.exit, run.stderr, run.stdout];
}
const line = (pattern: RegExp): unknown => [1, expect.stringMatching(new RegExp(`^${pattern.source}\\n$`)), ''];

describe('what is wrong at the start is one line and exit code 1, as with one process', () => {
  test('a taken port, of the apps or of the metrics', async () => {
    const port = await taken();
    expect(await refused(start(fileOf(here, TEAMS, { port })))).toEqual(
      line(/estafet: cannot listen on 127\.0\.0\.1:\d+: the port is in use\. Choose another with --port or PORT\./),
    );
    expect(await refused(start(fileOf(here, TEAMS, { metrics: { port } })))).toEqual(
      line(/estafet: cannot listen on 127\.0\.0\.1:\d+: the port is in use\. Set another server\.metrics\.port\./),
    );
  });

  test('a database that is not there, or that a newer release has used', async () => {
    const gone = { database: 'postgres://u:pass-word@127.0.0.1:9/x' };
    expect(await refused(start(fileOf(here, TEAMS, {}, gone)))).toEqual(
      line(/estafet: PostgreSQL at 127\.0\.0\.1:9\/x: nothing listens there/),
    );
    const file = join(folder({}), 'newer.db');
    const database = new DatabaseSync(file);
    database.exec('create table estafet_schema (version bigint not null primary key, applied_at_ms bigint not null)');
    database.exec('insert into estafet_schema values (99, 0)');
    database.close();
    const newer = fileOf(here, TEAMS, {}, { database: `sqlite:${file}` });
    expect(await refused(start(newer))).toEqual(line(/estafet: the database's schema is version 99, newer than [^\n]*/));
  });

  test('a key that cannot sign', async () => {
    const backends = { q: { vendor: 'qwen', apiKey: 'env:SIMULATED' }, glm: { vendor: 'glm', apiKey: 'env:SIMULATED', auth: 'jwt' } };
    expect(await refused(start(fileOf(here, TEAMS, {}, { backends, models: {} })))).toEqual(
      line(/estafet: cannot start: [^\n]*id\.secret[^\n]*/),
    );
  });
});

test('workers that die and cannot start again: the fifth short life of each is the last, one line says why, exit code 1', async () => {
  const home = folder({});
  mkdirSync(join(home, 'data'));
  const text = fileOf(here, TEAMS, {}, { database: `sqlite:${join(home, 'data/books.db')}` });
  const { run, url, log, pids } = await serve(here, text);
  // Those that serve keep their open files; their successors find none.
  renameSync(join(home, 'data'), join(home, 'away'));
  writeFileSync(join(home, 'data'), 'a file');
  for (const pid of pids().values()) process.kill(pid, 'SIGKILL');
  expect(await run.exit).toBe(1);
  const why = /the database \S+books\.db: a part of its path is a file, not a folder/;
  const last = /no worker is left: the last 10 ended soon after their start/;
  expect(run.stderr).toMatch(new RegExp(`^estafet: ${last.source} \\(${why.source}\\)\\.\\n$`));
  const failed = log().filter(({ type }) => type === 'worker-not-started');
  // The two that were killed may have had a short life, too.
  expect(failed.length).toBeGreaterThanOrEqual(8);
  expect(failed.length).toBeLessThanOrEqual(10);
  for (const { fault } of failed) expect(fault).toMatch(why);
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
});

describe('how many', () => {
  const alone = (workers: unknown): string => {
    const { redis: _, ...file } = JSON.parse(fileOf(here, TEAMS, { workers })) as Record<string, unknown>;
    return JSON.stringify(file);
  };

  test('a number without redis is refused; `auto` serves with one process and says so', async () => {
    const run = start(alone(2));
    expect(await run.exit).toBe(1);
    expect(run.stderr).toMatch(/server\.workers: cannot be 2: redis is not set/);
    const one = start(alone('auto'));
    await one.seen(/^Estafet listens on \S+ \(configuration: estafet\.yaml\)\.$/m);
    expect(one.stderr).toMatch(/^estafet: server\.workers is auto, but only ONE process serves: redis is not set[^\n]*\n$/);
    one.child.kill('SIGTERM');
    expect(await one.exit).toBe(0);
  });

  test.each<[string[], Record<string, string>, RegExp]>([
    [['--workers', '2'], {}, /^estafet: cannot run 2 workers: redis is not set[^\n]*\n$/],
    [[], { WORKERS: '3' }, /^estafet: cannot run 3 workers: redis is not set[^\n]*\n$/],
    [[], { WORKERS: 'many' }, /^estafet: the environment variable WORKERS must be auto or a whole number from 1 to 256, not "many"\.\n$/],
    [[], { WORKERS: '' }, /^estafet: the environment variable WORKERS must be/],
  ])('%j and %j without redis', async (args, env, wanted) => {
    const run = start(alone(1), args, env);
    expect([await run.exit, run.stderr]).toEqual([1, expect.stringMatching(wanted)]);
  });

  test('options before environment before file', async () => {
    for (const [args, env, said] of [
      [['-w', '1'], { WORKERS: '3' }, 'estafet.yaml'],
      [[], { WORKERS: '3' }, 'estafet.yaml, 3 workers'],
    ] as const) {
      const run = start(fileOf(here, TEAMS), args, env);
      expect((await run.seen(/listens on \S+ \(configuration: (.*)\)\.$/m))[1]).toBe(said);
      run.child.kill('SIGTERM');
      expect(await run.exit).toBe(0);
    }
    expect(await start(fileOf(here, TEAMS), ['--workers', '0']).exit).toBe(2);
  });
});
