import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisStore } from '../../relay/quota/redis-store.ts';
import { REDIS, type RedisServer, startRedis } from '../relay/quota/redis-server.ts';
import { ask, type RedisRig, startRedisRig, statuses, stream } from './redis-rig.ts';

/** Relays with different files on one Redis: what an admin changes while another process still has the old file. */
const OLD = {
  tightened: { limits: { rpd: 20, models: { 'gpt-4*': { rpd: 20 } } } },
  widened: { limits: { rpd: 4 } },
  entries: { limits: { models: { 'gpt-4*': { rpd: 20 } } } },
  slots: { limits: { concurrency: 4 } },
};
const NEW = {
  tightened: { limits: { rpd: 8, models: { 'gpt-4*': { rpd: 20 } } } },
  widened: { limits: { rpd: 6 } },
  entries: { limits: { models: { 'gpt-4*': { rpd: 8 } } } },
  slots: { limits: { concurrency: 2 } },
};

let redis: RedisServer;
let rig: RedisRig;
let before: string;
let after: string;

beforeAll(async () => {
  if (REDIS.length === 0) return;
  redis = await startRedis();
  rig = await startRedisRig(redis.port, OLD);
  before = (await rig.relay()).url;
  after = (await rig.relay(NEW)).url;
});
afterAll(async () => {
  await rig?.close();
  await redis?.stop();
});

const times = async (count: number, url: string, team: string) => {
  const answers = [];
  for (let place = 0; place < count; place++) answers.push(await ask(url, team));
  return answers;
};

describe.each(REDIS)('%s: a changed limit', () => {
  test.each([
    ['tightened', 'team.rpd'],
    ['entries', 'team.model.rpd'],
  ])('%s: binds with the next request that brings it, and what was used stays used', async (team, limit) => {
    expect(statuses(await times(6, before, team))).toEqual({ 200: 6 });
    const answers = await times(5, after, team);
    expect(statuses(answers)).toEqual({ 200: 2, 429: 3 });
    expect(answers.at(-1)?.headers.get('x-estafet-limit')).toBe(limit);
  });

  test('widened: the difference is granted, once', async () => {
    expect(statuses(await times(5, before, 'widened'))).toEqual({ 200: 4, 429: 1 });
    expect(statuses(await times(4, after, 'widened'))).toEqual({ 200: 2, 429: 2 });
    // However often files of both kinds take turns.
    expect(statuses([...(await times(2, before, 'widened')), ...(await times(2, after, 'widened'))])).toEqual({ 429: 4 });
  });

  test('fewer slots than are taken: none is given before enough have ended', async () => {
    const running = await Promise.all([1, 2, 3].map(() => stream(before, 'slots', '[[sim:stall after=1]]')));
    expect((await ask(after, 'slots')).status).toBe(429);
    expect((await ask(before, 'slots')).status).toBe(200);
    running[0]?.controller.abort();
    running[1]?.controller.abort();
    await expect.poll(async () => (await ask(after, 'slots')).status, { timeout: 5000 }).toBe(200);
    running[2]?.controller.abort();
  });
});

describe.each(REDIS)('%s: the limits of a backend', () => {
  test('are one for all relays and teams; of 40 at once as many reach the vendor as it allows', async () => {
    const teams = { red: {}, blue: { limits: { rpd: 100 } } };
    const urls = [(await rig.relay(teams, { rpd: 15 })).url, (await rig.relay(teams, { rpd: 15 })).url];
    rig.reached();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, place) => ask(urls[place % 2] as string, place % 4 < 2 ? 'red' : 'blue')),
    );
    expect(statuses(answers)).toEqual({ 200: 15, 429: 25 });
    expect(rig.reached()).toBe(15);
    const limits = answers.flatMap(({ status, headers }) => (status === 429 ? [headers.get('x-estafet-limit')] : []));
    expect(new Set(limits)).toEqual(new Set(['backend.rpd']));
    const store = new RedisStore(redis.connect(), { keepLines: false, spent: null });
    const open = async (owner: string) => (await store.levels(owner)).open.length;
    await expect.poll(async () => [await open('backend/qwen'), await open('team/blue')]).toEqual([0, 0]);
    const used = (await store.levels('team/blue')).buckets.get('team/rpd');
    const blue = answers.filter(({ status }, place) => place % 4 >= 2 && status === 200).length;
    expect(used?.kind === 'rate' ? Math.round((used.burst - used.level) / 1e6) : null).toBe(blue);
  });
});
