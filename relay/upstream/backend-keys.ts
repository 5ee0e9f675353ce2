import { createHash } from 'node:crypto';
import type { Backend } from '../../config/config.ts';
import type { Secret } from '../../config/secret.ts';

/** The keys of a backend, in the order of the configuration; none for one that needs none. */
export const keysOf = ({ apiKey, apiKeys }: Pick<Backend, 'apiKey' | 'apiKeys'>): readonly Secret[] =>
  apiKeys ?? (apiKey === undefined ? [] : [apiKey]);

const known = new WeakMap<object, readonly string[]>();

/**
 * A short name of each key that other nodes make of it too: 8 hex digits of a digest, of which no key can be found again. Empty text for
 * the one place of a backend without a key.
 */
export function fingerprintsOf(backend: Pick<Backend, 'apiKey' | 'apiKeys'>): readonly string[] {
  let prints = known.get(backend);
  if (prints === undefined) {
    const keys = keysOf(backend);
    prints = keys.length === 0 ? [''] : keys.map((key) => createHash('sha256').update(`estafet ${key.reveal()}`).digest('hex').slice(0, 8));
    known.set(backend, prints);
  }
  return prints;
}
