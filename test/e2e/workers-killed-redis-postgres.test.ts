import { once as event } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RedisStore } from '../../relay/quota/redis-store.ts';
import { freePort } from '../free-port.ts';
import { type PostgresServer, postgresServer } from '../server/database/postgres-server.ts';
import { cleanUp, estafet, folder } from '../server/process.ts';
import { totalOf } from '../server/telemetry/exposition.ts';
import { chat, fileOf, once, type Place, place, type Reply, serve } from './workers-rig.ts';

const CLUSTER = fileURLToPath(new URL('./mortal-cluster.ts', import.meta.url));
const TEAMS = { many: { limits: { rpd: 10_000, concurrency: 1000, budget: { amount: 100, currency: 'CNY', per: 'month' } } } };

let here: Place;
let postgres: PostgresServer;
beforeEach(async () => {
  [here, postgres] = await Promise.all([place(), postgresServer()]);
});
afterEach(async () => {
  await cleanUp();
  await here.close();
  postgres.remove();
});

test('kill -9 of a worker under load: the other’s requests end whole, a successor serves, limits and books agree', async () => {
  const text = fileOf(here, TEAMS, {}, { database: postgres.database() });
  const { run, url, home, log, pids, metrics } = await serve(here, text, CLUSTER, { LEASE_MS: '1000' });
  const before = pids();
  const calls: Promise<Reply | null>[] = [];
  const call = (content: string): void => {
    const reply = chat(url, 'many', content, { stream: true, stream_options: { include_usage: true } });
    calls.push(
      reply.then(
        (whole) => (whole.text.endsWith('data: [DONE]\n\n') ? whole : null),
        () => null,
      ),
    );
  };
  // Streams of about two seconds, which both workers hold when one dies; the load goes on while its successor starts.
  for (let index = 0; index < 30; index++) call(`Number ${index} [[sim:tokens n=40]] [[sim:slow chunkMs=50]]`);
  await expect.poll(async () => totalOf(await metrics(), 'estafet_requests_in_flight', { kind: 'stream' }), { timeout: 15_000 }).toBe(30);
  process.kill(before.get(1) as number, 'SIGKILL');
  await run.seen(/"type":"worker-ended","worker":1,.*"how":"SIGKILL"/);
  for (let index = 0; index < 10; index++) call(`Later ${index} [[sim:tokens n=5]]`);
  const replies = await Promise.all(calls);
  await expect.poll(() => pids().get(1), { timeout: 20_000 }).not.toBe(before.get(1));
  // Whatever was asked after the death is answered, and of what was asked before exactly the dead one's part is lost.
  expect(replies.slice(30).filter((reply) => reply === null)).toEqual([]);
  const lost = replies.slice(0, 30).filter((reply) => reply === null).length;
  expect(lost).toBeGreaterThan(0);
  expect(lost).toBeLessThan(30);
  const requests = (): number => log().filter(({ msg }) => msg === 'request').length;
  await expect.poll(requests).toBe(40 - lost);

  // The dead one's reservations are settled when their lease has run out, and booked.
  const store = new RedisStore(here.redis.connect(), { keepLines: false, spent: null });
  await expect.poll(async () => (await store.levels('team/many')).open.length, { timeout: 15_000 }).toBe(0);
  // A sweep takes away slots of which none is taken.
  expect([undefined, { kind: 'slots', used: 0 }]).toContainEqual((await store.levels('team/many')).buckets.get('team/concurrency'));
  const booked = async () => JSON.parse((await once(`${url}/v1/estafet/usage`, 'many')).text) as { all: { requests: number } };
  await expect.poll(async () => (await booked()).all.requests, { timeout: 15_000 }).toBe(40);
  const audit = estafet(['audit', '--config', 'estafet.yaml'], { SIMULATED: 'x' }, home);
  expect([await audit.exit, audit.stdout]).toEqual([0, expect.any(String)]);

  expect((await chat(url, 'many')).status).toBe(200);
  expect((await chat(url, 'many')).status).toBe(200);
  run.child.kill('SIGTERM');
  expect(await run.exit).toBe(0);
});

test.each([
  ['idle', 0],
  ['that connections are on their way to', 4],
])('while no worker lives, each of them %s, the port is closed, and the next one opens it again', async (_, connections) => {
  const port = await freePort();
  const hold = join(folder({}), 'hold');
  const { run, url, pids } = await serve(here, fileOf(here, TEAMS, { port }), CLUSTER, { LEASE_MS: '1000', HOLD: hold });
  const answered = (): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => {
        socket.destroy();
        resolve('open');
      });
      socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? ''));
    });
  expect(await answered()).toBe('open');
  writeFileSync(hold, '');
  const sockets = Array.from({ length: connections }, () => connect(port, '127.0.0.1').on('error', () => {}));
  if (connections > 0) {
    // They stand still, and take nothing of what they are handed.
    for (const pid of pids().values()) process.kill(pid, 'SIGSTOP');
    await Promise.all(sockets.map((socket) => event(socket, 'connect')));
  }
  const closed = sockets.map((socket) => event(socket, 'close'));
  for (const pid of pids().values()) process.kill(pid, 'SIGKILL');
  await Promise.all([1, 2].map((number) => run.seen(new RegExp(`"type":"worker-ended","worker":${number},`))));
  await Promise.all(closed);
  await expect.poll(answered).toBe('ECONNREFUSED');
  rmSync(hold);
  await expect.poll(answered, { timeout: 20_000 }).toBe('open');
  expect((await chat(url, 'many')).status).toBe(200);
  run.child.kill('SIGTERM');
  expect(await run.exit).toBe(0);
});
