import { setTimeout as sleep } from 'node:timers/promises';
import type { Certificate, Certificates } from '../../certificates.ts';
import { freePort } from '../../free-port.ts';
import { type RedisServer, startRedis } from './redis-server.ts';
import { slotsFrom } from './redis-topologies.ts';

/** A Redis that speaks TLS on one port, and on another what tests use to look into it. */
export interface TlsRedis extends RedisServer {
  readonly tlsPort: number;
}

interface TlsRedisOptions {
  /** Shown to clients; one for 127.0.0.1 unless told. */
  readonly certificate?: Certificate;
  /** Authority whose clients are let in; absent: any, also without a certificate. */
  readonly clients?: string;
  readonly extra?: readonly string[];
  readonly as?: 'redis' | 'sentinel';
}

export async function startTlsRedis(certificates: Certificates, options: TlsRedisOptions = {}): Promise<TlsRedis> {
  const { certificate = certificates.server, clients, extra = [], as } = options;
  const tlsPort = await freePort();
  const shown = ['--tls-cert-file', certificate.certificate, '--tls-key-file', certificate.key];
  const taken = ['--tls-ca-cert-file', clients ?? certificates.ca, '--tls-auth-clients', clients === undefined ? 'no' : 'yes'];
  const server = await startRedis(['--tls-port', `${tlsPort}`, ...shown, ...taken, ...extra], undefined, as);
  return { ...server, tlsPort };
}

/** What a relay is given to find it, and what ends it. */
export interface TlsPlace {
  readonly address: string;
  stop(): Promise<void>;
}

/** All of them ask for a client certificate, also of each other. */
export const TLS_PLACES: readonly (readonly [string, (certificates: Certificates) => Promise<TlsPlace>])[] = [
  ['one server', alone],
  ['a master with a Sentinel', sentinel],
  ['a Cluster of three', cluster],
];

async function alone(certificates: Certificates): Promise<TlsPlace> {
  const server = await startTlsRedis(certificates, { clients: certificates.ca });
  return { address: `rediss://localhost:${server.tlsPort}`, stop: () => server.stop() };
}

async function sentinel(certificates: Certificates): Promise<TlsPlace> {
  const clients = certificates.ca;
  const master = await startTlsRedis(certificates, { clients, extra: ['--tls-replication', 'yes'] });
  const watching = await startTlsRedis(certificates, { clients, extra: ['--tls-replication', 'yes'], as: 'sentinel' });
  const watcher = watching.connect();
  await watcher.call('SENTINEL', 'MONITOR', 'limits', '127.0.0.1', `${master.tlsPort}`, '1');
  while (!`${await watcher.call('SENTINEL', 'MASTER', 'limits')}`.includes(',flags,master,')) await sleep(20);
  return {
    address: `rediss+sentinel://localhost:${watching.tlsPort}/limits`,
    stop: async () => {
      await Promise.all([watching.stop(), master.stop()]);
    },
  };
}

async function cluster(certificates: Certificates): Promise<TlsPlace> {
  const extra = ['--cluster-enabled', 'yes', '--tls-cluster', 'yes'];
  const servers = await Promise.all([0, 1, 2].map(() => startTlsRedis(certificates, { clients: certificates.ca, extra })));
  const clients = servers.map((server) => server.connect());
  const bounds = [0, 5461, 10_923, 16_384];
  for (const [place, client] of clients.entries()) {
    await client.call('CLUSTER', 'ADDSLOTS', ...slotsFrom(bounds[place] as number, (bounds[place + 1] as number) - 1));
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', `${place + 1}`);
  }
  for (const client of clients.slice(1)) await client.call('CLUSTER', 'MEET', '127.0.0.1', `${servers[0]?.tlsPort}`);
  for (const client of clients) while (!`${await client.call('CLUSTER', 'INFO')}`.includes('cluster_state:ok')) await sleep(20);
  return {
    address: `rediss+cluster://localhost:${servers[0]?.tlsPort}`,
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}
