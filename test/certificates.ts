import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openssl } from './services.ts';

const BINARY = openssl();

/** A table of one row for tests that need certificates, and of none where there is no program to make them. */
export const OPENSSL: readonly string[] = BINARY === null ? [] : ['OpenSSL'];

/** Paths of a certificate and of its key, both PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** An authority of the test's own, which no machine knows, and what it has signed. */
export interface Certificates {
  readonly folder: string;
  /** Path of the authority's own certificate. */
  readonly ca: string;
  /** Of another authority, which has signed nothing here. */
  readonly otherCa: string;
  /** For 127.0.0.1 and localhost. */
  readonly server: Certificate;
  /** For the same, and over since yesterday. */
  readonly expired: Certificate;
  /** For `redis.internal` alone. */
  readonly named: Certificate;
  /** Of a client, whose name (CN) is `estafet`. */
  readonly client: Certificate;
  remove(): void;
}

const HERE = 'DNS:localhost,IP:127.0.0.1';

/** Made anew for each test: none lies in the project to run out one day. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'estafet-certificates-'));
  // Servers that run as users of their own read them too.
  chmodSync(folder, 0o755);
  const at = (name: string): string => join(folder, name);
  const authority = (name: string): string => {
    run('req', '-x509', ...NEW_KEY, '-days', '2', '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`));
    return at(`${name}.pem`);
  };
  const ca = authority('ca');
  const signed = (name: string, subject: string, names: string | null, days = 2): Certificate => {
    const [request, extensions] = [at(`${name}.csr`), at(`${name}.ext`)];
    const made = { certificate: at(`${name}.pem`), key: at(`${name}.key`) };
    run('req', ...NEW_KEY, '-subj', `/CN=${subject}`, '-keyout', made.key, '-out', request);
    writeFileSync(extensions, names === null ? 'basicConstraints=CA:FALSE\n' : `subjectAltName=${names}\n`);
    const signer = ['-CA', ca, '-CAkey', at('ca.key'), '-CAcreateserial', '-days', String(days), '-extfile', extensions];
    run('x509', '-req', '-in', request, ...signer, '-out', made.certificate);
    chmodSync(made.key, 0o644);
    return made;
  };
  return {
    folder,
    ca,
    otherCa: authority('other-ca'),
    server: signed('server', 'localhost', HERE),
    expired: signed('expired', 'localhost', HERE, -1),
    named: signed('named', 'redis.internal', 'DNS:redis.internal'),
    client: signed('client', 'estafet', null),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function run(...args: readonly string[]): void {
  if (BINARY === null) throw new Error('openssl is missing: apt-get install -y openssl');
  execFileSync(BINARY, args, { stdio: 'ignore' });
}
