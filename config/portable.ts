import { createHmac } from 'node:crypto';
import type { Config } from './config.ts';
import { Secret } from './secret.ts';

/** Names the value in JSON as the fingerprint of a secret. No section of the file has names of its own choice with text behind them. */
const MARK = '$secret';

/**
 * A configuration as JSON that may leave the process: each secret and each digest of a caller's key is a fingerprint, by which it can be told
 * from another one, and which is worth nothing without the salt of this one answer. A weak secret can be guessed at by whoever has both.
 */
export const portable = (config: Config, salt: string): unknown => ({
  ...(masked(config, salt) as object),
  keys: config.keys.map((key) => ({ ...(masked(key, salt) as object), digest: printOf(key.digest, salt) })),
});

/** What `portable` made, with fingerprints in the places of secrets. Two of the same salt can be compared, and nothing else is of use. */
export function restored(json: unknown): Config {
  return JSON.parse(JSON.stringify(json), (_name, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const secret = Object.hasOwn(value, MARK) ? (value as Readonly<Record<string, unknown>>)[MARK] : undefined;
    // Records have no prototype, so that names of models and teams can be any.
    return typeof secret === 'string' ? new Secret(secret) : Object.setPrototypeOf(value, null);
  }) as Config;
}

function masked(value: unknown, salt: string): unknown {
  if (value instanceof Secret) return { [MARK]: printOf(value.reveal(), salt) };
  if (Array.isArray(value)) return value.map((item) => masked(item, salt));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, masked(inner, salt)]));
}

const printOf = (secret: string, salt: string): string => createHmac('sha256', salt).update(secret).digest('hex').slice(0, 16);
