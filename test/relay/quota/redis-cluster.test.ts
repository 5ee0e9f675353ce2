import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { redisAddress } from '../../../config/redis-address.ts';
import { auditLevels } from '../../../relay/quota/audit.ts';
import { RedisStore } from '../../../relay/quota/redis-store.ts';
import { type RedisConnection, redisConnection } from '../../../server/redis-connection.ts';
import { ask, rpd, slots, tpm, used } from './limits.ts';
import { type RedisCluster, startCluster } from './redis-topologies.ts';

/** A cluster of three: owners lie on different nodes, and each call's keys on one. */
let three: RedisCluster;
let connection: RedisConnection;

beforeAll(async () => {
  three = await startCluster({ replicas: false });
  const address = redisAddress(three.address);
  if ('fault' in address) throw new Error(address.fault);
  connection = redisConnection(address, () => {});
  connection.start();
});
afterAll(async () => {
  connection?.close();
  await three?.stop();
});

test('Q1 and Q5 hold for owners on all nodes at once', async () => {
  const stores = [1, 2].map(() => new RedisStore(connection.client, { keepLines: true, spent: null }));
  const owners = Array.from({ length: 12 }, (_, place) => `team/t${place}`);
  await Promise.all(
    owners.map(async (owner) => {
      const calls = Array.from({ length: 40 }, async (_, call) => {
        const id = `c${call}`;
        const store = stores[call % 2]!;
        const { ok } = await store.reserve({ ...ask(id, [rpd(15), 1], [slots(100), 1], [tpm(1e6), 10]), owner });
        if (ok) await store.settle({ id, owner, actual: used(7), source: 'vendor', reason: 'done', about: '' });
        return ok;
      });
      expect((await Promise.all(calls)).filter((ok) => ok).length).toBe(15);
      const snapshot = await stores[0]!.levels(owner);
      expect(snapshot.buckets.get('team/concurrency')).toEqual({ kind: 'slots', used: 0 });
      expect(auditLevels(await stores[0]!.lines(owner, 1000), snapshot)).toEqual([]);
    }),
  );
  const sizes = await Promise.all(three.masters.map((server) => server.connect().dbsize()));
  expect(sizes.every((size) => size > 0)).toBe(true);
});

test('slots that move under load: what was asked meanwhile can be asked again, none is taken twice, the new places are learned', async () => {
  const store = new RedisStore(connection.client, { keepLines: true, spent: null, prefix: 'moved:' });
  const owners = Array.from({ length: 12 }, (_, place) => `team/m${place}`);
  const call = async (owner: string, id: string) => {
    const { ok } = await store.reserve({ ...ask(id, [rpd(1000), 1], [slots(100), 1]), owner });
    return [ok, await store.settle({ id, owner, actual: used(0), source: 'vendor', reason: 'done', about: '' })];
  };
  const all = (id: string) => Promise.all(owners.map((owner) => call(owner, id)));
  expect(await all('before')).toEqual(owners.map(() => [true, 'settled']));
  const clients = three.masters.map((server) => server.connect());
  const [from, to] = clients as [Redis, Redis, Redis];
  const [fromId, toId] = [`${await from.call('CLUSTER', 'MYID')}`, `${await to.call('CLUSTER', 'MYID')}`];
  const mine = await from.keys('moved:*:levels');
  expect(mine.length).toBeGreaterThan(1);
  const meanwhile = [];
  for (const key of mine) {
    const slot = `${await from.call('CLUSTER', 'KEYSLOT', key)}`;
    await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
    const keys = (await from.call('CLUSTER', 'GETKEYSINSLOT', slot, '100')) as string[];
    await from.call('MIGRATE', '127.0.0.1', `${three.masters[1]!.port}`, '', '0', '5000', 'KEYS', ...keys);
    // Keys of a moving slot that do not exist can be asked for nowhere: those calls fail.
    meanwhile.push(Promise.allSettled(owners.map((owner) => call(owner, `moving.${slot}`))).then((outcomes) => [slot, outcomes] as const));
    for (const client of clients) await client.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
  }
  // Each in its own batch at once: their slots are gone, some to another place than others.
  expect(await all('after')).toEqual(owners.map(() => [true, 'settled']));
  for (const [slot, outcomes] of await Promise.all(meanwhile)) {
    for (const [place, { status }] of outcomes.entries()) {
      const id = `moving.${slot}`;
      const owner = owners[place]!;
      const again = await store.settle({ id, owner, actual: used(0), source: 'vendor', reason: 'done', about: '' });
      expect(status === 'fulfilled' ? ['already'] : ['settled', 'unknown', 'already']).toContain(again);
    }
  }
  for (const owner of owners) {
    const snapshot = await store.levels(owner);
    expect(snapshot.open).toEqual([]);
    expect(snapshot.buckets.get('team/concurrency')).toEqual({ kind: 'slots', used: 0 });
    expect(auditLevels(await store.lines(owner, 1000), snapshot)).toEqual([]);
  }
});
