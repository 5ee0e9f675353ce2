import { Redis } from 'ioredis';
import type { Secret } from '../config/secret.ts';
import type { Books } from '../relay/ledger/books.ts';
import type { Limit } from '../relay/quota/limits.ts';
import { MemoryStore } from '../relay/quota/memory-store.ts';
import { RedisStore } from '../relay/quota/redis-store.ts';
import type { QuotaStore, SpentReader } from '../relay/quota/store.ts';

export interface OpenStore {
  readonly store: QuotaStore;
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;

/**
 * Where limits are kept: in Redis when the configuration names one, else in this process. Money windows that the store does not have (a
 * fresh process, an empty Redis) begin with what the books say.
 *
 * @param onFault told of the connection's errors; requests are refused meanwhile, and served again when it is back
 */
export function openQuotaStore(redis: Secret | undefined, books: Books, onFault: (fault: unknown) => void): OpenStore {
  const options = { keepLines: false, spent: spentOf(books) };
  if (redis === undefined) return { store: new MemoryStore(options), close: async () => {} };
  const client = new Redis(redis.reveal(), {
    enableAutoPipelining: true,
    maxRetriesPerRequest: 1,
    commandTimeout: 500,
    retryStrategy: (times) => Math.min(100 * times, 2_000),
  });
  client.on('error', onFault);
  return {
    store: new RedisStore(client, options),
    close: async () => {
      client.disconnect();
    },
  };
}

/** What the books know of a money window. Their sums are by the hour: a window that begins within one counts it whole. */
function spentOf(books: Books): SpentReader {
  return async (owner, limit, startMs) => {
    const [sum] = await books.usage({
      by: null,
      fromMs: Math.floor(startMs / HOUR_MS) * HOUR_MS,
      toMs: null,
      team: owner.slice('team/'.length),
      key: keyOf(limit),
    });
    return Number(sum?.costNano[limit.measure === 'nanoUsd' ? 'USD' : 'CNY'] ?? 0n);
  };
}

/** The key of a key's own limit, null for a team's. */
function keyOf({ bucket }: Limit): string | null {
  const [scope, name] = bucket.split('/');
  return scope === 'key' && name !== undefined ? decodeURIComponent(name) : null;
}
