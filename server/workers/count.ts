import { availableParallelism } from 'node:os';
import { workersFault } from '../../config/check-workers.ts';
import type { Config } from '../../config/config.ts';

/** How many processes serve, and what an operator must hear about that; null: nothing. `auto` counts the cores this process may use. */
export function workerCount(config: Config, cores = availableParallelism()): { readonly count: number; readonly note: string | null } {
  const { workers } = config.server;
  if (workers !== 'auto') return { count: workers, note: null };
  const fault = workersFault(config);
  if (fault === null) return { count: cores, note: null };
  return { count: 1, note: `server.workers is auto, but only ONE process serves: ${fault}.` };
}
