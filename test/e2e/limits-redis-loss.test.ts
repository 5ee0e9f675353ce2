import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RedisStore } from '../../relay/quota/redis-store.ts';
import type { RunningRelay } from '../../server/main.ts';
import { freePort } from '../free-port.ts';
import { REDIS, type RedisServer, startRedis } from '../relay/quota/redis-server.ts';
import { ask, type RedisRig, startRedisRig, statuses, stream } from './redis-rig.ts';

/** What becomes of requests and their limits while Redis stands still, dies, or forgets. Each team is used by one test. */
const TEAMS = {
  refuses: { limits: { rpd: 1000 } },
  admits: { limits: { rpd: 5 }, onStoreLoss: 'admit' },
  shares: { limits: { rpd: 20 }, onStoreLoss: 'local' },
  alone: { limits: { rpd: 20 }, onStoreLoss: 'local' },
  streams: { limits: { concurrency: 5, tpm: 1_000_000 } },
  killed: { limits: { rpd: 3 } },
  budget: { limits: { budget: { amount: 5, currency: 'CNY', per: 'month' } } },
  spent: { limits: { budget: { amount: 0.0001, currency: 'CNY', per: 'month' } } },
  full: { limits: { rpd: 3 } },
  demoted: { limits: { rpd: 3, concurrency: 5 } },
  free: {},
};

let redis: RedisServer;
let rig: RedisRig;
let one: RunningRelay;
let two: RunningRelay;

beforeAll(async () => {
  if (REDIS.length === 0) return;
  redis = await startRedis();
  rig = await startRedisRig(redis.port, TEAMS);
  one = await rig.relay();
  two = await rig.relay();
});
afterEach(() => {
  redis?.process.kill('SIGCONT');
});
afterAll(async () => {
  await rig?.close();
  await redis?.stop();
});

const storeOf = (server: RedisServer) => new RedisStore(server.connect(), { keepLines: false, spent: null });
const recovers = (url: string, team: string) =>
  expect.poll(async () => (await ask(url, team)).status, { timeout: 5000, interval: 50 }).toBe(200);

/** The one bucket of a team. */
async function bucketOf(server: RedisServer, team: string) {
  const { buckets, open } = await storeOf(server).levels(`team/${team}`);
  const [bucket] = [...buckets.values()];
  return { bucket, open };
}

/** The relay gives up well within a second; the rest is for a machine that is busy with other tests. Waiting for Redis would have no end. */
const SOON_MS = 10_000;

describe.each(REDIS)('a %s that stands still', () => {
  test('refuse: 503 instead of a wait without end, no vendor is asked, keys without limits go on; back within five seconds', async () => {
    await recovers(one.url, 'refuses');
    rig.reached();
    redis.process.kill('SIGSTOP');
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(one.url, 'refuses')));
    const later = await ask(one.url, 'refuses');
    for (const { status, code, headers, ms } of [...answers, later]) {
      expect([status, code]).toEqual([503, 'quota_unavailable']);
      expect(Number(headers.get('retry-after'))).toBe(1);
      expect(ms).toBeLessThan(SOON_MS);
    }
    expect(rig.reached()).toBe(0);
    expect((await ask(one.url, 'free')).status).toBe(200);
    redis.process.kill('SIGCONT');
    await recovers(one.url, 'refuses');
    // What the stalled Redis took after all has been given back: only answered requests count.
    await expect.poll(async () => (await bucketOf(redis, 'refuses')).open.length, { timeout: 5000 }).toBe(0);
    const probe = await ask(one.url, 'refuses');
    expect(Number(probe.headers.get('x-ratelimit-remaining-requests'))).toBeGreaterThanOrEqual(1000 - 10);
  });

  test('admit: every request is served, without limit headers; back again the limit holds', async () => {
    redis.process.kill('SIGSTOP');
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(two.url, 'admits')));
    expect(statuses(answers)).toEqual({ 200: 12 });
    expect(answers[0]?.headers.get('x-ratelimit-limit-requests')).toBeNull();
    redis.process.kill('SIGCONT');
    // What was sent to the stalled Redis before it was missed may have been taken there after all: it was used, and counts.
    const after: string[] = [];
    const counted = async () => {
      const { status, headers } = await ask(two.url, 'admits');
      if (headers.get('x-ratelimit-limit-requests') !== null) after.push(`${status}`);
      return status;
    };
    await expect.poll(counted, { timeout: 5000, interval: 20 }).toBe(429);
    expect(after.filter((status) => status === '200').length).toBeLessThanOrEqual(5);
    expect(statuses(await Promise.all(Array.from({ length: 10 }, () => ask(two.url, 'admits'))))).toEqual({ 429: 10 });
  });

  test('local: each of two counts its half', async () => {
    const client = redis.connect();
    const seen = () =>
      client.zrange('estafet:nodes', '0', '-1', 'WITHSCORES').then((flat) => flat.filter((_, place) => place % 2 === 1).map(Number));
    await expect.poll(async () => (await seen()).length, { timeout: 10_000 }).toBe(2);
    // Both have heard of two once each has called again after the younger one came.
    const younger = Math.max(...(await seen()));
    await expect.poll(async () => Math.min(...(await seen())) > younger, { timeout: 10_000 }).toBe(true);
    redis.process.kill('SIGSTOP');
    for (const { url } of [one, two]) {
      const answers = await Promise.all(Array.from({ length: 15 }, () => ask(url, 'shares')));
      expect(statuses(answers)).toEqual({ 200: 10, 429: 5 });
    }
  }, 30_000);

  test('streams that run go on to their end, and are settled when it is back', async () => {
    await recovers(one.url, 'free');
    const open = () => stream(one.url, 'streams', '[[sim:slow chunkMs=60]] [[sim:tokens n=25]]');
    await expect.poll(async () => (await ask(one.url, 'streams')).status, { timeout: 5000 }).toBe(200);
    const running = await Promise.all([open(), open(), open()]);
    await expect.poll(async () => (await bucketOf(redis, 'streams')).open.length).toBe(3);
    redis.process.kill('SIGSTOP');
    const ends = await Promise.all(
      running.map(async (chunks) => {
        let finish: string | null = null;
        for await (const { choices } of chunks) finish = choices[0]?.finish_reason ?? finish;
        return finish;
      }),
    );
    expect(ends).toEqual(['stop', 'stop', 'stop']);
    redis.process.kill('SIGCONT');
    await expect.poll(async () => (await bucketOf(redis, 'streams')).open.length, { timeout: 5000 }).toBe(0);
    const { buckets } = await storeOf(redis).levels('team/streams');
    expect(buckets.get('team/concurrency')).toEqual({ kind: 'slots', used: 0 });
  });
});

describe.each(REDIS)('a %s that forgets', () => {
  test('a budget begins again with what the books say', async () => {
    const settled = async (server: RedisServer) => {
      await expect.poll(async () => (await bucketOf(server, 'budget')).open.length, { timeout: 5000 }).toBe(0);
      const { bucket } = await bucketOf(server, 'budget');
      return bucket?.kind === 'window' ? bucket.used : Number.NaN;
    };
    await recovers(one.url, 'budget');
    const each = await settled(redis);
    for (let count = 0; count < 2; count++) expect((await ask(one.url, 'budget')).status).toBe(200);
    expect(await settled(redis)).toBe(3 * each);
    await redis.connect().flushall();
    expect((await ask(one.url, 'budget')).status).toBe(200);
    expect(await settled(redis)).toBe(4 * each);
  });
});

test.each(REDIS)('a %s without memory: 503, nothing is taken; with memory again served', async () => {
  const admin = redis.connect();
  await recovers(one.url, 'full');
  await admin.config('SET', 'maxmemory', '1');
  rig.reached();
  for (let count = 0; count < 5; count++) expect((await ask(one.url, 'full')).code).toBe('quota_unavailable');
  expect(rig.reached()).toBe(0);
  await admin.config('SET', 'maxmemory', '0');
  const after: Record<number, number> = {};
  const served = async () => {
    const { status } = await ask(one.url, 'full');
    after[status] = (after[status] ?? 0) + 1;
    return status;
  };
  await expect.poll(served, { timeout: 5000, interval: 20 }).toBe(429);
  expect(after[200]).toBe(2);
});

test.each(REDIS)('a %s that has become a read-only replica: 503, nothing is taken; a master again, served', async () => {
  const admin = redis.connect();
  await recovers(one.url, 'demoted');
  await expect.poll(async () => (await bucketOf(redis, 'demoted')).open.length, { timeout: 5000 }).toBe(0);
  await admin.replicaof('127.0.0.1', await freePort());
  rig.reached();
  const answers = await Promise.all(Array.from({ length: 10 }, () => ask(one.url, 'demoted')));
  expect(answers.map(({ status, code }) => [status, code])).toEqual(answers.map(() => [503, 'quota_unavailable']));
  expect(rig.reached()).toBe(0);
  await admin.replicaof('NO', 'ONE');
  await recovers(one.url, 'demoted');
  expect((await ask(two.url, 'demoted')).status).toBe(200);
  expect((await ask(two.url, 'demoted')).status).toBe(429);
});

test.each(REDIS)('after all of that %s holds nothing for anybody', async () => {
  for (const team of Object.keys(TEAMS)) {
    const store = storeOf(redis);
    await expect.poll(async () => (await store.levels(`team/${team}`)).open, { timeout: 5000 }).toEqual([]);
    const slots = (await store.levels(`team/${team}`)).buckets.get('team/concurrency');
    expect(slots ?? { kind: 'slots', used: 0 }).toEqual({ kind: 'slots', used: 0 });
  }
});

describe.each(REDIS)('a %s that dies', () => {
  let server: RedisServer;
  let url: string;
  let own: RedisRig;
  afterEach(async () => {
    await own?.close();
    await server?.stop();
  });

  test('killed: 503; started again empty: served within five seconds, a spent budget stays spent', async () => {
    server = await startRedis();
    own = await startRedisRig(server.port, TEAMS);
    ({ url } = await own.relay());
    await recovers(url, 'killed');
    let last = await ask(url, 'spent');
    for (let count = 0; count < 200 && last.status === 200; count++) last = await ask(url, 'spent');
    expect([last.status, last.code]).toEqual([429, 'insufficient_quota']);
    await server.stop();
    own.reached();
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(url, 'killed')));
    expect(statuses(answers)).toEqual({ 503: 10 });
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(SOON_MS);
    expect(own.reached()).toBe(0);
    server = await startRedis([], server.port);
    await recovers(url, 'killed');
    await expect.poll(async () => (await ask(url, 'spent')).code, { timeout: 5000 }).toBe('insufficient_quota');
  });

  test('not there at the start: 503, also for local, since nobody knows how many nodes there are; then served', async () => {
    const port = await freePort();
    own = await startRedisRig(port, TEAMS);
    ({ url } = await own.relay());
    expect((await ask(url, 'killed')).code).toBe('quota_unavailable');
    expect((await ask(url, 'alone')).code).toBe('quota_unavailable');
    expect((await ask(url, 'admits')).status).toBe(200);
    server = await startRedis([], port);
    await recovers(url, 'killed');
    await recovers(url, 'alone');
  });
});
