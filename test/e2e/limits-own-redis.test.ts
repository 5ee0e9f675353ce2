import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REDIS, type RedisServer, startRedis } from '../relay/quota/redis-server.ts';
import { ask, keyOf, type RedisRig, startRedisRig, stream } from './redis-rig.ts';

const TEAMS = { blue: { limits: { rpd: 100, tpd: 1_000_000, concurrency: 5 } }, red: { limits: { rpd: 7 } } };

let redis: RedisServer;
let rig: RedisRig;
beforeAll(async () => {
  if (REDIS.length === 0) return;
  redis = await startRedis();
  rig = await startRedisRig(redis.port, TEAMS);
});
afterAll(async () => {
  await rig?.close();
  await redis?.stop();
});

const told = async (url: string, team: string) => {
  const answer = await fetch(`${url}/v1/estafet/limits`, { headers: { authorization: `Bearer ${keyOf(team)}` } });
  const body = (await answer.json()) as { limits?: { name: string; remaining: number }[]; open?: object; error?: object };
  const left = Object.fromEntries((body.limits ?? []).map(({ name, remaining }) => [name, remaining]));
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), left, ...body };
};

describe.each(REDIS)('%s: a key sees its own limits', () => {
  test('on every relay the same, and what runs on another one', { timeout: 30_000 }, async () => {
    const [one, other] = [await rig.relay(), await rig.relay()];
    await expect.poll(async () => (await ask(one.url, 'blue')).status).toBe(200);
    const running = await stream(one.url, 'blue', '[[sim:tokens n=40]] [[sim:slow chunkMs=50]]');
    for (const { url } of [one, other]) {
      const { status, left, open } = await told(url, 'blue');
      expect([status, left['team.concurrency'], open]).toMatchObject([200, 4, { requests: 1, cost: {} }]);
    }
    for await (const _ of running);
    await expect.poll(async () => (await told(other.url, 'blue')).open).toEqual({ requests: 0, tokens: 0, cost: {} });
    const { limits } = await told(other.url, 'red');
    expect(limits?.map(({ name, remaining }) => [name, remaining])).toEqual([['team.rpd', 7]]);
  });

  test('without Redis nobody can say: 503', { timeout: 30_000 }, async () => {
    const { url } = await rig.relay();
    await expect.poll(async () => (await told(url, 'blue')).status).toBe(200);
    await redis.stop();
    await expect
      .poll(() => told(url, 'blue'))
      .toMatchObject({
        status: 503,
        retryAfter: '1',
        error: { type: 'server_error', code: 'quota_unavailable', param: null },
      });
  });
});
