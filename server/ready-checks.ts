import type { Backend } from '../config/config.ts';
import type { Books } from '../relay/ledger/books.ts';
import type { BackendHealth } from '../relay/routing/backend-health.ts';
import type { Check } from './readiness.ts';

/** What has to be there for requests to be served. @param redis null where none is configured */
export function readyChecks(
  books: Pick<Books, 'ping'>,
  health: Pick<BackendHealth, 'isOut'>,
  backends: () => readonly Backend[],
  redis: Check | null,
): Record<string, Check> {
  return {
    database: () => books.ping(),
    backends: async () => {
      const all = backends();
      if (all.length === 0) throw new Error('no backend is configured');
      if (all.every((backend) => health.isOut(backend))) throw new Error('every backend is out');
    },
    ...(redis === null ? {} : { redis }),
  };
}
