import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { handOver, takeOver } from '../../config/handed-over.ts';
import { withoutRestart } from '../../server/reload/fixed-settings.ts';
import { type Certificates, makeCertificates, OPENSSL } from '../certificates.ts';
import { accepted, GOOD, problemsOf } from './setup.ts';

describe.each(OPENSSL)('redisTls, with certificates of %s', () => {
  let made: Certificates;
  beforeAll(() => {
    made = makeCertificates();
  });
  afterAll(() => made.remove());

  const written = (tls: Readonly<Record<string, string>>, redis = 'rediss://h'): string =>
    `${GOOD}${redis === '' ? '' : `redis: "${redis}"\n`}redisTls: ${JSON.stringify(tls)}\n`;
  /** As if the configuration lay in the folder of the certificates. */
  const nearby = (path: string): Uint8Array => readFileSync(join(made.folder, path.split('/').at(-1) as string));

  test.each(['rediss://h', 'rediss+cluster://h', 'rediss+sentinel://h/m'])('%s: full paths, and a name', (redis) => {
    const { config, warnings } = accepted(
      written({ ca: 'ca.pem', certificate: 'client.pem', key: 'client.key', serverName: 'r' }, redis),
      nearby,
    );
    const at = (name: string): string => join(process.cwd(), name);
    expect(config.redisTls).toEqual({ serverName: 'r', ca: at('ca.pem'), certificate: at('client.pem'), key: at('client.key') });
    expect(warnings).toEqual([]);
    expect(takeOver(handOver(config))).toEqual(config);
  });

  test.each<[what: string, tls: Record<string, string>, redis: string, problems: RegExp[]]>([
    ['an address without TLS', { ca: 'ca.pem' }, 'redis://h', [/redisTls: needs `redis` with a `rediss` address/]],
    ['no Redis', { ca: 'ca.pem' }, '', [/redisTls: needs `redis` with a `rediss` address/]],
    ['a wrong address: only that', { ca: 'ca.pem' }, 'nonsense', [/redis: must be an address/]],
    ['a file that is not there', { ca: 'none.pem' }, 'rediss://h', [/redisTls\.ca: .*none\.pem cannot be read: no such file$/]],
    ['no certificate', { ca: 'ca.key' }, 'rediss://h', [/redisTls\.ca: .*ca\.key has no certificate in PEM format$/]],
    ['no key', { certificate: 'client.pem', key: 'ca.pem' }, 'rediss://h', [/redisTls\.key: .*ca\.pem has no private key in PEM format$/]],
    [
      'another key',
      { certificate: 'client.pem', key: 'ca.key' },
      'rediss://h',
      [/redisTls\.key: .*ca\.key is not the key of the certificate$/],
    ],
    [
      'a certificate alone',
      { certificate: 'client.pem' },
      'rediss://h',
      [/redisTls\.certificate: `certificate` and `key` must be set together$/],
    ],
    ['a key alone', { key: 'client.key' }, 'rediss://h', [/redisTls\.key: `certificate` and `key` must be set together$/]],
    ['an unknown key', { cert: 'client.pem' }, 'rediss://h', [/redisTls\.cert: unknown key/]],
    [
      'all at once',
      { ca: 'none.pem', key: 'ca.pem' },
      'redis://h',
      [/needs `redis`/, /none\.pem/, /must be set together/, /has no private key/],
    ],
  ])('%s', (_, tls, redis, expected) => {
    const problems = problemsOf(written(tls, redis), nearby);
    for (const one of expected) expect(problems).toContainEqual(expect.stringMatching(one));
    expect(problems).toHaveLength(expected.length);
  });

  test('an encrypted key is refused', () => {
    const encrypted = Buffer.from('-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAo=\n-----END ENCRYPTED PRIVATE KEY-----\n');
    const readFile = (path: string): Uint8Array => (path.endsWith('.key') ? encrypted : nearby(path));
    expect(problemsOf(written({ certificate: 'client.pem', key: 'client.key' }), readFile)[0]).toMatch(
      /client\.key is encrypted; decrypt it$/,
    );
  });

  test('a certificate of its own that has expired is told', () => {
    const { warnings } = accepted(written({ certificate: 'expired.pem', key: 'expired.key' }), nearby);
    expect(warnings).toEqual([expect.stringMatching(/redisTls\.certificate: .*expired\.pem has expired: \d{4}-/)]);
  });

  test('another file needs a restart, and says so', () => {
    const { config: old } = accepted(written({ ca: 'ca.pem' }), nearby);
    const { config: wanted } = accepted(written({ ca: 'other-ca.pem' }), nearby);
    const { config, restart } = withoutRestart(old, wanted);
    expect(config.redisTls).toEqual(old.redisTls);
    expect(restart.map(({ text }) => text)).toEqual(['redisTls needs a restart; the old value stays in force']);
  });
});
