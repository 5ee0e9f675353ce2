import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditLevels } from '../../../relay/quota/audit.ts';
import { RedisStore } from '../../../relay/quota/redis-store.ts';
import { ask, rpd, slots, tpm, used } from './limits.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

/** A cluster of three: owners lie on different nodes, and each call's keys on one. */
const servers: RedisServer[] = [];
let cluster: Cluster;

beforeAll(async () => {
  servers.push(...(await Promise.all([0, 1, 2].map(() => startRedis(['--cluster-enabled', 'yes'])))));
  const clients = servers.map((server) => server.connect());
  for (const [place, client] of clients.entries()) {
    const [first, last] = [
      [0, 5460],
      [5461, 10_922],
      [10_923, 16_383],
    ][place]!;
    await client.call('CLUSTER', 'ADDSLOTSRANGE', `${first}`, `${last}`);
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', `${place + 1}`);
    if (place > 0) await client.call('CLUSTER', 'MEET', '127.0.0.1', `${servers[0]!.port}`);
  }
  const joined = async () => {
    const infos = await Promise.all(clients.map((client) => client.call('CLUSTER', 'INFO')));
    return infos.every((info) => `${info}`.includes('cluster_state:ok') && `${info}`.includes('cluster_known_nodes:3'));
  };
  while (!(await joined())) await sleep(50);
  cluster = new Cluster([{ host: '127.0.0.1', port: servers[0]!.port }], { enableAutoPipelining: true });
});
afterAll(async () => {
  cluster?.disconnect();
  await Promise.all(servers.map((server) => server.stop()));
});

test('Q1 and Q5 hold for owners on all nodes at once', async () => {
  const stores = [1, 2].map(() => new RedisStore(cluster, { keepLines: true, spent: null }));
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
  const sizes = await Promise.all(servers.map((server) => server.connect().dbsize()));
  expect(sizes.every((size) => size > 0)).toBe(true);
});
