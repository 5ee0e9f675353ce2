import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { CheckContext } from './check-context.ts';
import type { RedisTls } from './config.ts';
import { type RedisAddress, redisAddress } from './redis-address.ts';
import { readFault, type Secret } from './secret.ts';

/** `redis`; null when it is no address. */
export function checkRedis(redis: Secret, { problems }: CheckContext): RedisAddress | null {
  const address = redisAddress(redis.reveal());
  if (!('fault' in address)) return address;
  problems.add(['redis'], address.fault);
  return null;
}

/**
 * `redisTls`, with full paths. The files are read again for each connection: here they are read so that what is wrong with one is told before a
 * Redis is asked.
 * @param written of `redis`, if any
 * @param address null when there is none, or it is wrong: that is told already
 */
export function checkRedisTls(tls: RedisTls, written: string | undefined, address: RedisAddress | null, context: CheckContext): RedisTls {
  const { problems } = context;
  if (written === undefined || address?.tls === false) {
    problems.add(['redisTls'], 'needs `redis` with a `rediss` address; without it nothing is encrypted', { at: 'key' });
  }
  if ((tls.certificate === undefined) !== (tls.key === undefined)) {
    problems.add(['redisTls', tls.key === undefined ? 'certificate' : 'key'], '`certificate` and `key` must be set together', {
      at: 'key',
    });
  }
  const ca = tls.ca === undefined ? {} : { ca: pathOf(tls.ca, context) };
  const certificate = tls.certificate === undefined ? {} : { certificate: pathOf(tls.certificate, context) };
  const key = tls.key === undefined ? {} : { key: pathOf(tls.key, context) };
  checkCertificate('ca', ca.ca, context);
  const shown = checkCertificate('certificate', certificate.certificate, context);
  const own = key.key === undefined ? null : keyIn(key.key, context);
  if (shown !== null && own !== null && !shown.checkPrivateKey(own)) {
    problems.add(['redisTls', 'key'], `${key.key} is not the key of the certificate`);
  }
  return { ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }), ...ca, ...certificate, ...key };
}

const pathOf = (written: string, { secrets }: CheckContext): string => resolve(dirname(secrets.file), written);

/** The first certificate of the file; null when that is wrong and told, or there is none. */
function checkCertificate(name: 'ca' | 'certificate', path: string | undefined, context: CheckContext): X509Certificate | null {
  const bytes = path === undefined ? null : bytesOf(name, path, context);
  if (bytes === null) return null;
  let first: X509Certificate;
  try {
    first = new X509Certificate(bytes);
  } catch {
    context.problems.add(['redisTls', name], `${path} has no certificate in PEM format`);
    return null;
  }
  // A file of authorities may hold old ones beside the one that counts.
  if (name === 'certificate' && first.validToDate.getTime() < Date.now()) {
    context.warnings.add(['redisTls', name], `${path} has expired: ${first.validToDate.toISOString()}`);
  }
  return first;
}

function keyIn(path: string, context: CheckContext): KeyObject | null {
  const bytes = bytesOf('key', path, context);
  if (bytes === null) return null;
  try {
    return createPrivateKey(Buffer.from(bytes));
  } catch {
    const encrypted = Buffer.from(bytes).includes('ENCRYPTED');
    context.problems.add(['redisTls', 'key'], `${path} ${encrypted ? 'is encrypted; decrypt it' : 'has no private key in PEM format'}`);
    return null;
  }
}

function bytesOf(name: 'ca' | 'certificate' | 'key', path: string, { problems, secrets }: CheckContext): Uint8Array | null {
  try {
    return secrets.readFile(path);
  } catch (error) {
    problems.add(['redisTls', name], `${path} cannot be read: ${readFault(error)}`);
    return null;
  }
}
