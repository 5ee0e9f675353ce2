import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { redisAddress } from '../../config/redis-address.ts';
import { RedisStore } from '../../relay/quota/redis-store.ts';
import { SqliteThread } from '../../server/database/sqlite-thread.ts';
import { type RedisConnection, redisConnection } from '../../server/redis-connection.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { ask, rpd, slots } from '../relay/quota/limits.ts';
import { type RedisCluster, startCluster } from '../relay/quota/redis-topologies.ts';
import { cleanUp, estafet, folder } from '../server/process.ts';
import { written } from './redis-rig.ts';

const TEAMS = ['a', 'b', 'c', 'd', 'e', 'f'];

let cluster: RedisCluster;
let simulator: Simulator;
let connection: RedisConnection;
let place: string;
/** Teams whose levels lie on the first node. */
let lost: string[];

beforeAll(async () => {
  [cluster, simulator] = await Promise.all([startCluster({ replicas: false }), startSimulator()]);
  const config = written(simulator, cluster.address, Object.fromEntries(TEAMS.map((team) => [team, {}])));
  place = folder({ 'estafet.yaml': JSON.stringify({ ...JSON.parse(config), database: 'sqlite:books.db' }) });
  const books = new SqliteThread({ path: join(place, 'books.db') });
  await books.open();
  await books.close();
  const address = redisAddress(cluster.address);
  if ('fault' in address) throw new Error(address.fault);
  connection = redisConnection(address, () => {});
  connection.start();
  const store = new RedisStore(connection.client, { keepLines: 'expired', spent: null });
  for (const team of TEAMS) await store.reserve({ ...ask('one', [rpd(10), 1], [slots(10), 1]), owner: `team/${team}` });
  const masters = await Promise.all(TEAMS.map((team) => cluster.masterOf(`estafet:{team/${team}}:levels`)));
  lost = TEAMS.filter((_, index) => masters[index] === cluster.masters[2]);
}, 60_000);
afterAll(async () => {
  await cleanUp();
  connection?.close();
  await Promise.all([simulator?.close(), cluster?.stop()]);
});

async function audit(...args: string[]) {
  const run = estafet(['audit', '--listen', '0ms', ...args], { SIMULATED: simulator.vendors.qwen?.key ?? '' }, place);
  return { code: await run.exit, out: run.stdout, err: run.stderr };
}

test('with a node gone the teams on the others are audited, and those on it are named', { timeout: 120_000 }, async () => {
  expect(lost.length).toBeGreaterThan(0);
  expect(lost.length).toBeLessThan(TEAMS.length);
  expect(await audit()).toMatchObject({ code: 0, out: expect.stringContaining('12 levels of 6 teams in Redis') });
  await cluster.masters[2]?.stop();
  const { code, out, err } = await audit('--json');
  expect([code, err]).toEqual([1, '']);
  const report = JSON.parse(out) as { ok: boolean; buckets: number; drifts: unknown[]; unread: { owner: string; reason: string }[] };
  const left = TEAMS.length - lost.length;
  expect(report).toMatchObject({ ok: false, buckets: 2 * left, drifts: [] });
  expect(report.unread.map(({ owner }) => owner).filter((owner) => owner.startsWith('team/'))).toEqual(lost.map((team) => `team/${team}`));
  for (const { reason } of report.unread) expect(reason).toMatch(/^Redis cannot be reached: ./);
  const text = await audit('--team', TEAMS.find((team) => !lost.includes(team)) as string);
  expect(text).toMatchObject({ code: 0, err: '' });
  const gone = await audit('--team', lost[0] as string);
  expect([gone.code, gone.out]).toEqual([1, '']);
  expect(gone.err).toMatch(/^estafet: Redis cannot be reached: [^\n]+\n$/);
});
