import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redisAddress } from '../../config/redis-address.ts';
import { RedisStore } from '../../relay/quota/redis-store.ts';
import { redisConnection } from '../../server/redis-connection.ts';
import { REDIS } from '../relay/quota/redis-server.ts';
import { type Failover, startCluster, startSentinels } from '../relay/quota/redis-topologies.ts';
import { type Answer, ask, type RedisRig, startRedisRig, statuses } from './redis-rig.ts';

/** Two relays on a Redis that has replicas, named in the configuration alone. Teams of the Cluster lie on all of its nodes. */
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `team-${name}`);
const LIMITS = { rpd: 50, concurrency: 1000 };
const TEAMS = {
  ...Object.fromEntries(NAMES.map((name) => [name, { limits: LIMITS }])),
  moved: { limits: LIMITS },
  ...Object.fromEntries(NAMES.map((name) => [`other-${name}`, { limits: { rpd: 100_000 } }])),
  money: { limits: { budget: { amount: 5, currency: 'CNY', per: 'month' } } },
};

const PLACES: readonly (readonly [string, () => Promise<Failover>])[] = [
  ['Cluster of three with replicas', () => startCluster({ replicas: true })],
  ['master and replica with three Sentinels', startSentinels],
];
/** How many the dying master may have admitted that its replica never heard of: those under way when it died. */
const UNDER_WAY = 10;

describe.each(REDIS.length === 0 ? [] : PLACES)('%s', (name, start) => {
  let place: Failover;
  let rig: RedisRig;
  let urls: string[];
  let store: RedisStore;
  const ends: (() => unknown)[] = [];

  beforeAll(async () => {
    place = await start();
    ends.push(() => place.stop());
    rig = await startRedisRig(place.address, TEAMS);
    ends.push(() => rig.close());
    urls = [(await rig.relay()).url, (await rig.relay()).url];
    const address = redisAddress(place.address);
    if ('fault' in address) throw new Error(address.fault);
    const connection = redisConnection(address, () => {});
    ends.push(() => connection.close());
    connection.start();
    store = new RedisStore(connection.client, { keepLines: false, spent: null });
  });
  afterAll(async () => {
    for (const end of ends.reverse()) await end();
  });

  const many = (team: string, count: number): Promise<Answer[]> =>
    Promise.all(Array.from({ length: count }, (_, call) => ask(urls[call % urls.length] as string, team)));
  const levels = (team: string) => store.levels(`team/${team}`);
  /** Nothing runs any more: no reservation is open, no slot taken. */
  const nothingHeld = async (team: string) => {
    await expect.poll(async () => (await levels(team).catch(() => null))?.open.length, { timeout: 5000 }).toBe(0);
    expect((await levels(team)).buckets.get('team/concurrency') ?? { kind: 'slots', used: 0 }).toEqual({ kind: 'slots', used: 0 });
  };

  test('six teams at once, 400 calls on a limit of 50: exactly 50 each, and only they reach the vendor', async () => {
    for (const url of urls) await expect.poll(async () => (await ask(url, 'money')).status, { timeout: 5000 }).toBe(200);
    rig.reached();
    const answers = await Promise.all(NAMES.map((team, place) => many(team, place === 0 ? 400 : 70)));
    expect(answers.map(statuses)).toEqual(NAMES.map((_, place) => ({ 200: 50, 429: place === 0 ? 350 : 20 })));
    expect(rig.reached()).toBe(300);
    for (const team of NAMES) await nothingHeld(team);
  });

  test('kill -9 of the master: served again within five seconds, without a restart, at most what was under way is admitted twice', async () => {
    const dying = await place.masterOf('estafet:{team/moved}:levels');
    const elsewhere: string[] = [];
    for (const team of NAMES.map((one) => `other-${one}`))
      if ((await place.masterOf(`estafet:{team/${team}}:levels`)) !== dying) elsewhere.push(team);
    const admitted = statuses(await many('moved', 30))[200] ?? 0;
    expect(admitted).toBe(30);
    const spentBefore = await bookedBudget();
    await nothingHeld('moved');
    await place.caughtUp(dying);
    // It takes writes again: those under way may be admitted by the one that dies.
    await dying.connect().call('CLIENT', 'UNPAUSE');

    const underWay = many('moved', UNDER_WAY);
    dying.process.kill('SIGKILL');
    const killedAt = performance.now();
    let more = statuses(await underWay)[200] ?? 0;
    const other: number[] = [];
    let back: number | null = null;
    while (back === null && performance.now() - killedAt < 5000) {
      const [own, ...others] = await Promise.all([
        ask(urls[1] as string, 'moved'),
        ...elsewhere.slice(0, 1).map((team) => ask(urls[0] as string, team)),
      ]);
      other.push(...others.map(({ status }) => status));
      if (own.status === 200) {
        more++;
        back = performance.now() - killedAt;
      } else expect([own.status, own.code]).toEqual([503, 'quota_unavailable']);
      await sleep(25);
    }
    expect(back).not.toBeNull();
    // Those whose limits lie on other nodes never noticed.
    expect(other.length > 0).toBe(name.startsWith('Cluster'));
    expect(other.filter((status) => status !== 200)).toEqual([]);
    // The other relay comes back by itself too, and all that was refused has been given back.
    await expect.poll(async () => (await ask(urls[0] as string, 'moved')).status, { timeout: 5000 }).toBe(200);
    more++;
    await nothingHeld('moved');
    for (let round = 0; round < 8; round++) more += statuses(await many('moved', 5))[200] ?? 0;
    expect(admitted + more).toBeGreaterThanOrEqual(50);
    expect(admitted + more).toBeLessThanOrEqual(50 + UNDER_WAY);
    await nothingHeld('moved');
    // A budget is what it was: replicated, or rebuilt from the books.
    expect(await bookedBudget()).toBe(spentBefore);
  }, 30_000);

  async function bookedBudget(): Promise<number> {
    await nothingHeld('money');
    const [window] = [...(await levels('money')).buckets.values()];
    return window?.kind === 'window' ? window.used : Number.NaN;
  }
});
