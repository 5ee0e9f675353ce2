import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { RedisTls } from '../config/config.ts';

/**
 * What the client hands to each connection it makes. The files are read then: a certificate that was renewed is shown from the next
 * connection on, and one that cannot be read just then is shown as it was.
 * @param host its name is sent (SNI); absent where the servers are several
 */
export function tlsOptions({ ca, certificate, key, serverName }: RedisTls, host?: string): ConnectionOptions {
  const name = serverName ?? (host === undefined || isIP(host.replace(/^\[|\]$/g, '')) !== 0 ? undefined : host);
  const options: ConnectionOptions = name === undefined ? {} : { servername: name };
  for (const [field, path] of [
    ['ca', ca],
    ['cert', certificate],
    ['key', key],
  ] as const) {
    if (path !== undefined) Object.defineProperty(options, field, { enumerable: true, get: readAnew(path) });
  }
  return options;
}

function readAnew(path: string): () => Buffer | undefined {
  let known: Buffer | undefined;
  return () => {
    try {
      known = readFileSync(path);
    } catch {
      // Told by `estafet check` and at the start; a connection without it says what it lacks.
    }
    return known;
  };
}
