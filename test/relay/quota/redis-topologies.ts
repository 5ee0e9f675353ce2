import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type RedisServer, startRedis } from './redis-server.ts';

const SLOTS = [
  [0, 5460],
  [5461, 10_922],
  [10_923, 16_383],
] as const;
/** One by one: Redis 6.2 takes no range. */
export const slotsFrom = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, place) => `${first + place}`);
/** A server that is silent for so long is taken for dead by the others. */
const DEAD_AFTER_MS = 500;

/** Servers of which one takes over when another dies. */
export interface Failover {
  /** For the configuration. */
  readonly address: string;
  /** The one that had a key when all began. */
  masterOf(key: string): Promise<RedisServer>;
  /** From now on the master takes no write, and all that it has taken is with its replica: it may be killed, and nothing it said is lost. */
  caughtUp(master: RedisServer): Promise<void>;
  stop(): Promise<void>;
}

export interface RedisCluster extends Failover {
  /** In the order of their slots. */
  readonly masters: readonly RedisServer[];
  readonly replicas: readonly RedisServer[];
}

/** Three masters, and with `replicas` one replica each that takes over by itself. */
export async function startCluster({ replicas }: { readonly replicas: boolean }): Promise<RedisCluster> {
  const options = ['--cluster-enabled', 'yes', '--cluster-node-timeout', `${DEAD_AFTER_MS}`, '--repl-diskless-sync-delay', '0'];
  // The teams of one node are not refused because another is gone.
  options.push('--cluster-require-full-coverage', 'no');
  const count = replicas ? 6 : 3;
  const servers = await Promise.all(Array.from({ length: count }, () => startRedis(options)));
  const clients = servers.map((server) => server.connect());
  const info = async (about: (place: number) => Promise<unknown>, wanted: readonly string[], places: readonly number[]) => {
    const told = async (place: number) => `${await about(place)}`;
    while (!(await Promise.all(places.map(told))).every((text) => wanted.every((part) => text.includes(part)))) await sleep(20);
  };
  const all = servers.map((_, place) => place);
  await Promise.all(
    SLOTS.map(async ([first, last], place) => {
      await clients[place]!.call('CLUSTER', 'ADDSLOTS', ...slotsFrom(first, last));
      await clients[place]!.call('CLUSTER', 'SET-CONFIG-EPOCH', `${place + 1}`);
    }),
  );
  for (const client of clients.slice(1)) await client.call('CLUSTER', 'MEET', '127.0.0.1', `${servers[0]!.port}`);
  await info((place) => clients[place]!.call('CLUSTER', 'INFO'), ['cluster_state:ok', `cluster_known_nodes:${count}`], all);
  if (replicas) {
    const ids = await Promise.all(clients.slice(0, 3).map((client) => client.call('CLUSTER', 'MYID')));
    await Promise.all(clients.slice(3).map((client, place) => client.call('CLUSTER', 'REPLICATE', `${ids[place]}`)));
    await info((place) => clients[place]!.info('replication'), ['role:slave', 'master_link_status:up'], all.slice(3));
    // Every node knows of every replica before one of them is needed.
    const known = async (place: number) => `${await clients[place]!.call('CLUSTER', 'NODES')}`.split('slave ').length - 1;
    while (!(await Promise.all(all.map(known))).every((slaves) => slaves === 3)) await sleep(20);
  }
  const hosts = servers.slice(0, 2).map(({ port }) => `127.0.0.1:${port}`);
  return {
    address: `redis+cluster://${hosts.join(',')}`,
    masters: servers.slice(0, 3),
    replicas: servers.slice(3),
    caughtUp: async (master) => {
      const replica = servers[3 + servers.indexOf(master)];
      if (replica === undefined) throw new Error('this cluster has no replicas');
      await passedOn(master, replica);
    },
    masterOf: async (key) => {
      const slot = Number(await clients[0]!.call('CLUSTER', 'KEYSLOT', key));
      return servers[SLOTS.findIndex(([first, last]) => first <= slot && slot <= last)]!;
    },
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

export interface RedisSentinels extends Failover {
  readonly master: RedisServer;
  readonly replica: RedisServer;
}

async function passedOn(master: RedisServer, replica: RedisServer): Promise<void> {
  const [from, to] = [master.connect(), replica.connect()];
  await from.call('CLIENT', 'PAUSE', '60000', 'WRITE');
  const offset = async (client: Redis, name: string) => new RegExp(`^${name}:(\\d+)`, 'm').exec(await client.info('replication'))?.[1];
  while ((await offset(from, 'master_repl_offset')) !== (await offset(to, 'slave_repl_offset'))) await sleep(5);
}

/** Three Sentinels, the master they watch under the name `limits`, and its replica. */
export async function startSentinels(): Promise<RedisSentinels> {
  const master = await startRedis(['--repl-diskless-sync-delay', '0']);
  const replica = await startRedis(['--replicaof', '127.0.0.1', `${master.port}`]);
  const sentinels = await Promise.all([0, 1, 2].map(() => startRedis([], undefined, 'sentinel')));
  const clients = sentinels.map((server) => server.connect());
  for (const client of clients) {
    await client.call('SENTINEL', 'MONITOR', 'limits', '127.0.0.1', `${master.port}`, '2');
    await client.call('SENTINEL', 'SET', 'limits', 'down-after-milliseconds', `${DEAD_AFTER_MS}`, 'failover-timeout', '2000');
  }
  const linked = replica.connect();
  while (!(await linked.info('replication')).includes('master_link_status:up')) await sleep(20);
  const seen = async () => {
    const masters = (await Promise.all(clients.map((client) => client.call('SENTINEL', 'MASTER', 'limits')))) as string[][];
    return masters.every((flat) => flat[flat.indexOf('num-slaves') + 1] === '1' && flat[flat.indexOf('num-other-sentinels') + 1] === '2');
  };
  while (!(await seen())) await sleep(50);
  return {
    address: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/limits`,
    master,
    replica,
    masterOf: async () => master,
    caughtUp: () => passedOn(master, replica),
    stop: async () => {
      await Promise.all([...sentinels, replica, master].map((server) => server.stop()));
    },
  };
}
