import { createHash } from 'node:crypto';
import type { Backend } from '../../config/config.ts';
import type { Secret } from '../../config/secret.ts';

/** The keys of a backend, in the order of the configuration; none for one that needs none. */
export const keysOf = ({ apiKey, apiKeys }: Pick<Backend, 'apiKey' | 'apiKeys'>): readonly Secret[] =>
  apiKeys ?? (apiKey === undefined ? [] : [apiKey]);

type Addressed = Pick<Backend, 'region' | 'baseUrl' | 'apiKey' | 'apiKeys'>;

/** Short names that other nodes make too: 8 hex digits of a digest, of which no key can be found again. */
interface Prints {
  /** Of where the backend is: another region or base URL is another one, of which nothing is known. */
  readonly address: string;
  /** Of each key as it is sent there; one for a backend without a key. */
  readonly keys: readonly string[];
}

const known = new WeakMap<object, Prints>();

function printsOf(backend: Addressed): Prints {
  let prints = known.get(backend);
  if (prints === undefined) {
    const where = `${backend.region} ${backend.baseUrl}`;
    const keys = keysOf(backend).map((key) => key.reveal());
    prints = { address: printOf(where), keys: (keys.length === 0 ? [''] : keys).map((key) => printOf(`${where} ${key}`)) };
    known.set(backend, prints);
  }
  return prints;
}

export const addressPrintOf = (backend: Addressed): string => printsOf(backend).address;

export const keyPrintsOf = (backend: Addressed): readonly string[] => printsOf(backend).keys;

const printOf = (text: string): string => createHash('sha256').update(`estafet ${text}`).digest('hex').slice(0, 8);
