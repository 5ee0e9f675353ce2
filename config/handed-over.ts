import type { Config } from './config.ts';
import { Secret } from './secret.ts';

/**
 * A checked configuration as text for another process of the same relay, secrets included: it goes through the pipe between the two and
 * nowhere else. What that process starts with is then what is in force, whatever the file says by now.
 */
export const handOver = (config: Config): string => JSON.stringify(encoded(config));

/** The same configuration, frozen. */
export const takeOver = (text: string): Config => decoded(JSON.parse(text)) as Config;

/** Names of a configuration are anybody's, so that no mark among them is safe: every object and list is wrapped, with what it is. */
type Encoded =
  | string
  | number
  | boolean
  | null
  | readonly ['secret', string]
  | readonly ['list', readonly Encoded[]]
  | readonly ['object' | 'bare', Readonly<Record<string, Encoded>>];

function encoded(value: unknown): Encoded {
  if (value instanceof Secret) return ['secret', value.reveal()];
  if (Array.isArray(value)) return ['list', value.map(encoded)];
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    // As `parseConfig` makes them: those with names of their own in them have no prototype.
    return [Object.getPrototypeOf(value) === null ? 'bare' : 'object', bare(fields.map(([name, field]) => [name, encoded(field)]))];
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return value as Encoded;
  throw new TypeError(`a configuration holds no ${typeof value}`);
}

function decoded(value: Encoded): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const [kind, inner] = value;
  if (kind === 'secret') return new Secret(inner);
  if (kind === 'list') return Object.freeze(inner.map(decoded));
  const fields = bare(Object.entries(inner).map(([name, field]) => [name, decoded(field)]));
  return Object.freeze(kind === 'bare' ? fields : { ...fields });
}

function bare<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  const record = Object.create(null) as Record<string, T>;
  for (const [name, value] of entries) record[name] = value;
  return record;
}
