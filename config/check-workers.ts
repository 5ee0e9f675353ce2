import type { Config } from './config.ts';
import { databaseAddress } from './database-address.ts';

type Shared = Pick<Config, 'redis' | 'database'>;

/** Why several processes cannot serve with this configuration; null when they can. */
export function workersFault({ redis, database }: Shared): string | null {
  if (redis === undefined) return 'redis is not set, and limits that live in each process would admit so many times as much';
  const address = databaseAddress(database?.reveal());
  if ('kind' in address && address.kind === 'memory') return '`database: memory:` lives in one process, and the books would fall apart';
  return null;
}
