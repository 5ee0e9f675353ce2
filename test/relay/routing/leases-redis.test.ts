import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RedisAddress, redisAddress } from '../../../config/redis-address.ts';
import { ProbeLeases } from '../../../relay/routing/probe-leases.ts';
import { openingsKey } from '../../../relay/routing/written-opening.ts';
import { type RedisConnection, redisConnection } from '../../../server/redis-connection.ts';
import { REDIS, startRedis } from '../quota/redis-server.ts';
import { startCluster } from '../quota/redis-topologies.ts';

interface Topology {
  readonly address: string;
  stop(): Promise<void>;
}

const alone = async (): Promise<Topology> => {
  const { port, stop } = await startRedis();
  return { address: `redis://127.0.0.1:${port}`, stop };
};

const TOPOLOGIES = REDIS.flatMap((): [string, () => Promise<Topology>][] => [
  ['one Redis', alone],
  ['a Cluster of three', () => startCluster({ replicas: false })],
]);

describe.each(TOPOLOGIES)('%s', (_, start) => {
  let topology: Topology;
  const connections: RedisConnection[] = [];
  const faults: unknown[] = [];
  const connect = () => {
    const connection = redisConnection(redisAddress(topology.address) as RedisAddress, (fault) => faults.push(fault));
    connections.push(connection);
    connection.start();
    return connection.client;
  };
  const node = () => new ProbeLeases(connect(), (fault) => faults.push(fault));

  beforeAll(async () => {
    topology = await start();
  });
  afterAll(async () => {
    for (const connection of connections) connection.close();
    await topology?.stop();
  });

  /** Two nodes and what Redis holds for one backend. */
  async function stage(backend: string) {
    const redis = connect();
    const lease = `estafet:probe:{${backend}}:failure`;
    await expect.poll(() => redis.ping().catch(() => null)).toBe('PONG');
    const [one, other] = [node(), node()];
    // Until both are connected each would be granted its own.
    for (const leases of [one, other]) {
      const claimed = async () => {
        faults.length = 0;
        const claim = await leases.claim(`${backend}-warm`, 'x');
        await leases.giveBack(`${backend}-warm`, 'x');
        return claim.kind === 'granted' && faults.length === 0;
      };
      await expect.poll(claimed).toBe(true);
    }
    const claim = async (leases: ProbeLeases) => (await leases.claim(backend, 'failure')).kind;
    /** The time of the lease passes while its node stands still. */
    const runOut = () => redis.del(lease);
    return { redis, one, other, claim, lease, runOut, holder: () => redis.get(lease), leftMs: () => redis.pttl(lease) };
  }

  test('of two nodes one holds it, for five seconds, and longer while it renews; then the other may', async () => {
    const { redis, one, other, claim, lease, holder, leftMs } = await stage('b1');
    expect([await claim(one), await claim(other)]).toEqual(['granted', 'taken']);
    await redis.pexpire(lease, 1_000);
    await one.renew();
    expect(await leftMs()).toBeGreaterThan(4_000);
    expect(await leftMs()).toBeLessThanOrEqual(5_000);
    await one.giveBack('b1', 'failure');
    expect(await holder()).toBeNull();
    expect(await claim(other)).toBe('granted');
  });

  test('a node that stood still for longer does not renew the lease of another', async () => {
    const { redis, one, other, claim, lease, runOut, leftMs } = await stage('b2');
    await claim(one);
    await runOut();
    expect(await claim(other)).toBe('granted');
    await redis.pexpire(lease, 1_000);
    await one.renew();
    expect(await leftMs()).toBeLessThanOrEqual(1_000);
    await other.renew();
    expect(await leftMs()).toBeGreaterThan(4_000);
  });

  test('nor ends it', async () => {
    const { one, other, claim, runOut, holder } = await stage('b3');
    await claim(one);
    await runOut();
    await claim(other);
    const held = await holder();
    await one.giveBack('b3', 'failure');
    expect(await holder()).toBe(held);
    expect(await claim(one)).toBe('taken');
    await other.giveBack('b3', 'failure');
    expect(await claim(one)).toBe('granted');
  });

  test('one that has run out is not taken anew by renewing', async () => {
    const { one, claim, runOut, holder } = await stage('b4');
    await claim(one);
    await runOut();
    await one.renew();
    expect(await holder()).toBeNull();
  });

  test('a claim that finds the breaker open gives back its own lease', async () => {
    const { redis, one, claim, holder } = await stage('b5');
    await redis.hset(openingsKey('b5'), 'failure', JSON.stringify({ until: Date.now() + 60_000, kind: 'upstream_timeout' }));
    expect(await claim(one)).toBe('open');
    await expect.poll(holder).toBeNull();
  });

  test('a Redis that has lost its scripts gets them again', async () => {
    const { redis, one, claim, holder } = await stage('b6');
    await claim(one);
    if ('nodes' in redis) await Promise.all(redis.nodes('master').map((master) => master.script('FLUSH')));
    else await redis.script('FLUSH');
    await one.giveBack('b6', 'failure');
    expect(await holder()).toBeNull();
    expect(faults).toEqual([]);
  });
});
