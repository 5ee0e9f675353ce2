import type { Config } from './config.ts';
import { databaseAddress } from './database-address.ts';

type Shared = Pick<Config, 'redis' | 'database'>;

/** Why several processes cannot serve with this configuration; null when they can. */
export function workersFault({ redis, database }: Shared): string | null {
  if (redis === undefined) return 'redis is not set, so each process would allow the full limits on its own';
  const address = databaseAddress(database?.reveal());
  if ('kind' in address && address.kind === 'memory') return '`database: memory:` belongs to one process, so each would have its own books';
  return null;
}
