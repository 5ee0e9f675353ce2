import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { REDIS } from '../relay/quota/redis-server.ts';
import { POSTGRES, type PostgresServer, postgresServer } from '../server/database/postgres-server.ts';
import { cleanUp, estafet } from '../server/process.ts';
import { keyOf } from './redis-rig.ts';
import { fileOf, type Place, place, type Served, serve } from './workers-rig.ts';

const TEAMS = { a: {}, b: {} };
/** What the documentation promises of a key that is revoked. */
const PROMISED = { timeout: 1_000, interval: 25 };

/** A connection that stays with the worker it came to. */
interface Way {
  readonly worker: string;
  status(key: string): Promise<number>;
  /** The answer to a chat: status and request id. */
  chat(key: string): Promise<readonly [status: number, id: string]>;
}

let here: Place;
let postgres: PostgresServer;
const clients: Client[] = [];
beforeEach(async () => {
  [here, postgres] = await Promise.all([place(), postgresServer()]);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.destroy()));
  await cleanUp();
  await here.close();
  postgres.remove();
});

/** One connection to each worker, and which it is. */
async function ways({ url, log }: Served, node: number): Promise<Way[]> {
  return Promise.all(
    [1, 2].map(async () => {
      const client = new Client(url);
      clients.push(client);
      const ask = async (key: string, path: string, body?: string) => {
        const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
        const answer = await client.request({ path, method: body === undefined ? 'GET' : 'POST', headers, body: body ?? null });
        await answer.body.dump();
        return [answer.statusCode, String(answer.headers['x-request-id'])] as const;
      };
      const chat = (key: string) =>
        ask(key, '/v1/chat/completions', JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'x' }] }));
      const [status, id] = await chat(keyOf('a'));
      expect(status).toBe(200);
      const line = () => log().find((one) => one['msg'] === 'request' && one['id'] === id);
      await expect.poll(line).toBeDefined();
      return { worker: `${node}.${line()?.['worker']}`, chat, status: async (key: string) => (await ask(key, '/v1/models'))[0] };
    }),
  );
}

describe.each(REDIS.length > 0 ? POSTGRES : [])('two nodes of two workers on %s and Redis', () => {
  let nodes: readonly Served[];
  let all: Way[];
  let file: string;
  const statuses = async (key: string) =>
    Object.fromEntries(await Promise.all(all.map(async (way) => [way.worker, await way.status(key)])));
  const each = (status: number) => ({ '1.1': status, '1.2': status, '2.1': status, '2.2': status });
  const command = async (...args: string[]): Promise<string> => {
    const run = estafet([...args, '--config', 'estafet.yaml'], { SIMULATED: 'x' }, nodes[0]?.home);
    expect([await run.exit, run.stderr]).toEqual([0, expect.not.stringContaining('estafet:')]);
    return run.stdout;
  };
  beforeEach(async () => {
    file = fileOf(here, TEAMS, {}, { database: postgres.database() });
    nodes = await Promise.all([serve(here, file), serve(here, file)]);
    all = (await Promise.all(nodes.map((node, index) => ways(node, index + 1)))).flat();
  });
  afterEach(async () => {
    for (const { run } of nodes) run.child.kill('SIGTERM');
    expect(await Promise.all(nodes.map(({ run }) => run.exit))).toEqual([0, 0]);
  });

  test('a key that a command makes serves at every worker, and revoked by command is refused by each within a second', async () => {
    const { key } = JSON.parse(await command('key', 'new', '--name', 'shop', '--team', 'a', '--json')) as { key: string };
    await expect.poll(() => statuses(key), PROMISED).toEqual(each(200));
    await command('key', 'revoke', 'shop');
    await expect.poll(() => statuses(key), PROMISED).toEqual(each(401));
    expect((await Promise.all(all.map((way) => way.chat(key)))).map(([status]) => status)).toEqual([401, 401, 401, 401]);
    expect(await statuses(keyOf('a'))).toEqual(each(200));
  });

  test('SIGHUP to the process that was started reaches each of its workers, on connections that were open before', async () => {
    const { keys, ...rest } = JSON.parse(file) as { keys: { name: string }[] };
    const next = JSON.stringify({ ...rest, keys: keys.filter(({ name }) => name !== 'b') });
    expect(await statuses(keyOf('b'))).toEqual(each(200));
    for (const [index, { run, home }] of nodes.entries()) {
      writeFileSync(join(home, 'estafet.yaml'), next);
      run.child.kill('SIGHUP');
      await run.seen(/the changes are in force/);
      // What is said is so; and the other node has a file of its own.
      expect(await statuses(keyOf('b'))).toEqual(index === 0 ? { ...each(200), '1.1': 401, '1.2': 401 } : each(401));
    }
    expect(await statuses(keyOf('a'))).toEqual(each(200));
  });
});
