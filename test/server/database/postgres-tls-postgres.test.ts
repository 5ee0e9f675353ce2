import { chmodSync, chownSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPostgres } from '../../../server/database/postgres.ts';
import { type Certificate, type Certificates, makeCertificates, OPENSSL } from '../../certificates.ts';
import { cleanUp, estafet, folder } from '../process.ts';
import { type PostgresServer, postgresServer } from './postgres-server.ts';

/** PostgreSQL over TLS, with an authority of its own and a password, as its clients name both. */
const PASSWORD = `a:b@c/d?e#f%g h&i+j='"`;

describe.each(OPENSSL)('with certificates of %s', () => {
  const ends: (() => unknown)[] = [];
  let made: Certificates;
  let secure: PostgresServer;
  let expired: PostgresServer;
  let plain: PostgresServer;
  let name: string;

  /** A key that others may read is refused. */
  const own = ({ certificate, key }: Certificate, as: string): Record<string, string> => {
    const place = join(made.folder, as);
    copyFileSync(key, place);
    if (process.getuid?.() === 0) chownSync(place, ...postgresUser());
    chmodSync(place, 0o600);
    return { ssl: 'on', ssl_cert_file: certificate, ssl_key_file: place, ssl_ca_file: made.ca };
  };

  beforeAll(async () => {
    made = makeCertificates();
    ends.push(() => made.remove());
    const access = [
      'local all all trust',
      'hostssl all estafet 127.0.0.1/32 trust',
      'hostssl all app 127.0.0.1/32 scram-sha-256 clientcert=verify-ca',
    ];
    secure = await postgresServer(own(made.server, 'server-own.key'), access);
    ends.push(() => secure.remove());
    expired = await postgresServer(own(made.expired, 'expired-own.key'));
    ends.push(() => expired.remove());
    plain = await postgresServer();
    ends.push(() => plain.remove());
    name = new URL(secure.database()).pathname.slice(1);
    const { db } = openPostgres(socketOf(secure, name));
    await sql.raw(`create role app login password '${PASSWORD.replaceAll("'", "''")}'`).execute(db);
    await db.destroy();
  });
  afterAll(async () => {
    await cleanUp();
    for (const end of ends.reverse()) await end();
  });

  const socketOf = ({ folder: socket, port }: PostgresServer, database: string) =>
    `postgres://estafet@/${database}?host=${socket}&port=${port}`;
  const query = (more: Record<string, string>) => new URLSearchParams(more).toString();
  const shown = () => ({ sslcert: made.client.certificate, sslkey: made.client.key });

  async function answer(url: string): Promise<string> {
    const { db, fault } = openPostgres(url);
    try {
      const { rows } = await sql<{
        who: string;
      }>`select current_user || ' ' || coalesce((select version from pg_stat_ssl where pid = pg_backend_pid()), 'plain') as who`.execute(
        db,
      );
      return rows[0]?.who ?? '';
    } catch (error) {
      return fault(error).message;
    } finally {
      await db.destroy();
    }
  }

  test.each<[what: string, url: () => string, says: RegExp]>([
    [
      'an authority of its own',
      () => `postgres://estafet@127.0.0.1:${secure.port}/${name}?${query({ sslmode: 'verify-full', sslrootcert: made.ca })}`,
      /^estafet TLSv1\.3$/,
    ],
    [
      'sslmode=require is as strict',
      () => `postgres://estafet@127.0.0.1:${secure.port}/${name}?sslmode=require`,
      /not known here \(SELF_SIGNED_CERT_IN_CHAIN\)$/,
    ],
    [
      'a client certificate and a password',
      () =>
        `postgres://app:${encodeURIComponent(PASSWORD)}@localhost:${secure.port}/${name}?${query({ sslmode: 'verify-full', sslrootcert: made.ca, ...shown() })}`,
      /^app TLSv1\.3$/,
    ],
    ['a Unix socket', () => socketOf(secure, name), /^estafet plain$/],
    [
      'a wrong password',
      () =>
        `postgres://app:wrong-s3cret@localhost:${secure.port}/${name}?${query({ sslmode: 'verify-full', sslrootcert: made.ca, ...shown() })}`,
      /password authentication failed for user "app"$/,
    ],
    [
      'no client certificate',
      () => `postgres://app:wrong-s3cret@localhost:${secure.port}/${name}?${query({ sslmode: 'verify-full', sslrootcert: made.ca })}`,
      /: connection requires a valid client certificate$/,
    ],
    [
      'another authority',
      () => `postgres://estafet@127.0.0.1:${secure.port}/${name}?${query({ sslmode: 'verify-full', sslrootcert: made.otherCa })}`,
      /not known here/,
    ],
    [
      'an expired certificate',
      () => `postgres://estafet@127.0.0.1:${expired.port}/postgres?${query({ sslmode: 'verify-full', sslrootcert: made.ca })}`,
      /: its certificate has expired \(CERT_HAS_EXPIRED\)$/,
    ],
    [
      'a file that is not there',
      () => `postgres://estafet@127.0.0.1:${secure.port}/${name}?sslmode=verify-full&sslrootcert=/nowhere/ca.pem`,
      /: ENOENT: no such file or directory, open '\/nowhere\/ca\.pem'$/,
    ],
    [
      'TLS to a server that speaks none',
      () => `postgres://estafet@127.0.0.1:${plain.port}/postgres?sslmode=verify-full`,
      /: it speaks no TLS$/,
    ],
    [
      'no TLS to a server that wants it',
      () => `postgres://estafet@127.0.0.1:${secure.port}/${name}`,
      /: no pg_hba\.conf entry .*no encryption$/,
    ],
  ])('%s', async (_, url, says) => {
    const said = await answer(url());
    expect(said).toMatch(says);
    expect(said).not.toMatch(/s3cret|\n/);
  });

  test.each<[what: string, mode: string, env: () => Record<string, string>, expected: 0 | 1]>([
    ['a wrong authority', 'require', () => ({}), 1],
    ['NODE_EXTRA_CA_CERTS and a file with the password', 'require', () => ({ NODE_EXTRA_CA_CERTS: made.ca, PGPASSFILE: passwords() }), 0],
  ])('the whole command, %s', async (_, mode, env, expected) => {
    const url = `postgres://app@localhost:${secure.port}/${name}?${query({ sslmode: mode, ...shown() })}`;
    const home = folder({ 'estafet.yaml': `backends: { q: { vendor: qwen, apiKey: 'env:K' } }\ndatabase: '${url}'\n` });
    const run = estafet(['audit', '--listen', '10ms'], { K: 'sk-x', ...env() }, home);
    await run.exit;
    if (expected === 1) expect(run.stderr).toMatch(/^estafet: PostgreSQL at localhost:\d+\/\w+: its certificate is signed by .*\n$/);
    else expect(run.stderr).toMatch(/^estafet: the database has no books of Estafet/m);
    expect(run.stderr).not.toContain('SECURITY WARNING');
  });

  function passwords(): string {
    const file = join(made.folder, 'pgpass');
    writeFileSync(file, `localhost:${secure.port}:*:app:${PASSWORD.replaceAll(/[\\:]/g, '\\$&')}\n`, { mode: 0o600 });
    return file;
  }
});

/** As whom the server runs when the tests are root. */
function postgresUser(): [uid: number, gid: number] {
  const [, uid, gid] = /^postgres:[^:]*:(\d+):(\d+)/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? [];
  return [Number(uid), Number(gid)];
}
