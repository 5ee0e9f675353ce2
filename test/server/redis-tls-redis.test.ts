import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RedisTls } from '../../config/config.ts';
import { redisAddress } from '../../config/redis-address.ts';
import { type RedisConnection, redisConnection } from '../../server/redis-connection.ts';
import { type Certificates, makeCertificates, OPENSSL } from '../certificates.ts';
import { startTlsRedis, type TlsRedis } from '../relay/quota/redis-tls.ts';

/** What a connection to Redis over TLS fails for, and what the log then says, for each form of address. */
const FORMS = [
  ['one server', (scheme: string, login: string, port: number) => `${scheme}://${login}127.0.0.1:${port}`],
  ['Cluster', (scheme: string, login: string, port: number) => `${scheme}+cluster://${login}127.0.0.1:${port}`],
  ['Sentinel', (scheme: string, login: string, port: number) => `${scheme}+sentinel://${login}127.0.0.1:${port}/limits`],
] as const;

/** What a server alone answers once the connection stands. */
const BEHIND_TLS = { 'one server': /^PONG$/, Cluster: /cluster support disabled/, Sentinel: /unknown command/ } as const;

interface Place {
  readonly what: string;
  readonly server: 'open' | 'expired' | 'named' | 'asking' | 'foreign';
  readonly plain?: 'client' | 'server';
  readonly tls?: (made: Certificates) => RedisTls;
  readonly says: RegExp;
}

const known = ({ ca }: Certificates): RedisTls => ({ ca });
const PLACES: readonly Place[] = [
  {
    what: 'no authority is named',
    server: 'open',
    says: /its certificate is signed by an authority that is not known here \(SELF_SIGNED_CERT_IN_CHAIN\)$/,
  },
  {
    what: 'another authority is named',
    server: 'open',
    tls: ({ otherCa }) => ({ ca: otherCa }),
    says: /an authority that is not known here/,
  },
  { what: 'an expired certificate', server: 'expired', tls: known, says: /its certificate has expired \(CERT_HAS_EXPIRED\)$/ },
  {
    what: 'a certificate for another name',
    server: 'named',
    tls: known,
    says: /its certificate is for DNS:redis\.internal, not for 127\.0\.0\.1 \(ERR_TLS/,
  },
  {
    what: 'a client certificate is asked for',
    server: 'asking',
    tls: known,
    says: /it asks for a client certificate( \(ERR_SSL_TLSV13|, or)/,
  },
  {
    what: 'a client certificate that has expired',
    server: 'asking',
    tls: ({ ca, expired }) => ({ ca, ...expired }),
    says: /it refuses the client certificate, which has expired \(|or refuses the one it is shown$/,
  },
  {
    what: 'a client certificate of another authority',
    server: 'foreign',
    tls: ({ ca, client }) => ({ ca, ...client }),
    says: /it refuses the client certificate \(|or refuses the one it is shown$/,
  },
  {
    what: "a key that is not the certificate's",
    server: 'asking',
    tls: ({ ca, client, server }) => ({ ca, ...client, key: server.key }),
    says: /client certificate and key do not belong together/,
  },
  { what: 'a plain connection to a port of TLS', server: 'open', plain: 'client', says: /does this port ask for TLS \(`rediss`\)\?$/ },
  { what: 'TLS to a plain port', server: 'open', plain: 'server', tls: known, says: /does this port speak TLS\?$/ },
];

describe.each(OPENSSL)('with certificates of %s', () => {
  const ends: (() => unknown)[] = [];
  let made: Certificates;
  let servers: Record<Place['server'], TlsRedis>;

  beforeAll(async () => {
    made = makeCertificates();
    ends.push(() => made.remove());
    const start = async (options: Parameters<typeof startTlsRedis>[1]) => {
      const server = await startTlsRedis(made, options);
      ends.push(() => server.stop());
      return server;
    };
    const [open, expired, named, asking, foreign] = await Promise.all([
      start({}),
      start({ certificate: made.expired }),
      start({ certificate: made.named }),
      start({ clients: made.ca }),
      start({ clients: made.otherCa }),
    ]);
    servers = { open, expired, named, asking, foreign };
  });
  afterAll(async () => {
    for (const end of ends.reverse()) await end();
  });

  function opened(text: string, tls: RedisTls = {}): RedisConnection {
    const address = redisAddress(text);
    if ('fault' in address) throw new Error(address.fault);
    const connection = redisConnection(address, () => {}, tls);
    ends.push(() => connection.close());
    connection.start();
    return connection;
  }

  describe.each(FORMS)('%s', (form, written) => {
    test.concurrent.for(PLACES)('$what', async ({ server, plain, tls, says }, { expect }) => {
      const { port, tlsPort } = servers[server];
      const text = written(plain === 'client' ? 'redis' : 'rediss', 'app:s3cret@', plain === 'server' ? port : tlsPort);
      const { client, told } = opened(text, tls?.(made));
      let line = '';
      const said = async (): Promise<string> => (line = await client.ping().catch((fault: unknown) => told(fault)));
      await expect.poll(said, { timeout: 8000 }).toMatch(says);
      expect(line).not.toMatch(/s3cret|\n|deps\/openssl/);
    });

    test.concurrent('one name for all servers, under which their certificate is taken', async ({ expect }) => {
      const { client, told } = opened(written('rediss', '', servers.named.tlsPort), { ca: made.ca, serverName: 'redis.internal' });
      const said = (): Promise<string> => client.ping().catch((fault: unknown) => told(fault));
      // A server alone is neither a Cluster nor a Sentinel, and says so.
      await expect.poll(said, { timeout: 8000 }).toMatch(BEHIND_TLS[form]);
    });
  });

  test('a certificate that is renewed while the relay runs is shown from the next connection on', async () => {
    const { ca } = made;
    const [certificate, key] = [join(made.folder, 'shown.pem'), join(made.folder, 'shown.key')];
    const show = (one: { certificate: string; key: string }): void => {
      copyFileSync(one.certificate, certificate);
      copyFileSync(one.key, key);
    };
    show(made.expired);
    const { client, told } = opened(`rediss://127.0.0.1:${servers.asking.tlsPort}`, { ca, certificate, key });
    const said = () => client.ping().catch((fault: unknown) => told(fault));
    await expect.poll(said, { timeout: 8000 }).toMatch(/has expired/);
    copyFileSync(made.client.certificate, certificate);
    await expect.poll(said, { timeout: 8000 }).toMatch(/do not belong together/);
    show(made.client);
    await expect.poll(said, { timeout: 8000 }).toBe('PONG');
  });

  test.each([
    ['a number beyond those of the server', 99, /DB index is out of range/],
    ['one the user may not select', 1, /NOPERM .*select/],
  ])('a database that cannot be had is not exchanged for database 0: %s', async (_, database, says) => {
    const admin = servers.open.connect();
    await admin.call('ACL', 'SETUSER', 'narrow', 'on', '>p', '~*', '+@all', ...(database === 1 ? ['-select'] : []));
    const { client, told } = opened(`redis://narrow:p@127.0.0.1:${servers.open.port}/${database}`);
    const said = () => client.ping().catch((fault: unknown) => told(fault));
    await expect.poll(said, { timeout: 8000 }).toMatch(says);
    await client.set('estafet:x', '1').catch(() => {});
    expect(await admin.get('estafet:x')).toBeNull();
  });
});
