import type { Config } from '../config/config.ts';
import { type RedisAddress, redisAddress } from '../config/redis-address.ts';
import type { Books } from '../relay/ledger/books.ts';
import type { BookGuesses } from '../relay/quota/expired-lines.ts';
import { GuardedQuota } from '../relay/quota/guarded-quota.ts';
import type { Limit } from '../relay/quota/limits.ts';
import { MemoryStore, type StoreOptions } from '../relay/quota/memory-store.ts';
import { NodeCount } from '../relay/quota/node-count.ts';
import { RedisStore, type RedisStoreOptions } from '../relay/quota/redis-store.ts';
import { askOnce } from '../relay/quota/spent-cache.ts';
import type { SpentReader } from '../relay/quota/store.ts';
import { StoreBreaker, StoreGone } from '../relay/quota/store-breaker.ts';
import { Sweeper } from '../relay/quota/sweeper.ts';
import type { LeaseStore } from '../relay/routing/probe-leases.ts';
import type { SharedHashes } from '../relay/routing/shared-health.ts';
import { type RedisConnection, redisConnection } from './redis-connection.ts';

/** What the limits ask of the books. */
type Spendings = Pick<Books, 'usage' | 'spent'>;

export interface OpenQuota {
  readonly quota: GuardedQuota;
  /** What the books know of a window. */
  readonly spent: SpentReader;
  /** Connects and begins what runs regularly. A Redis that is not there is tried again until it is. */
  start(): void;
  /** Asks Redis whether it answers; null when limits live in this process. */
  readonly ping: (() => Promise<unknown>) | null;
  /** The same Redis, for what else nodes tell each other; null when there is none. */
  readonly redis: (SharedHashes & LeaseStore) | null;
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;
/** Redis slower than `timeoutMs` counts as gone; from then on one call each `pauseMs` tries. */
const BREAKER = { timeoutMs: 1_000, pauseMs: 500 } as const;
/** Between attempts to send a settlement again. */
const RETRY_MS = 500;
/** A sum of the books that came too late for those who asked serves those who come so long after it. */
const SPENT_KEPT_MS = 1_000;
/** Books slower than this refuse the requests that need them. */
const SPENT_TIMEOUT_MS = 1_000;
const LOCAL_RETAIN_MS = 5_000;

/**
 * Where limits are kept: in Redis when the configuration names one, else in this process. Money windows that the store does not have (a
 * fresh process, an empty Redis) begin with what the books say.
 *
 * @param owners every team there is now, those that were, and every backend: as the stores name them
 * @param leaseMs what a dead node had reserved is settled and booked after so long, or up to twice as long where its team is silent
 * @param onRedis told of every script that Redis was asked to run
 * @param onFault told of every fault of Redis and of the books; requests are served again by themselves when they are back
 */
export function openQuotaStore(
  { redis, redisTls }: Pick<Config, 'redis' | 'redisTls'>,
  owners: () => readonly string[],
  books: Pick<Books, 'usage' | 'spent' | 'book'>,
  leaseMs: number,
  onFault: (fault: unknown, waiting?: number) => void,
  onRedis: NonNullable<RedisStoreOptions['onRun']> = () => {},
): OpenQuota {
  const spent = withinTime(askOnce(spentOf(books), SPENT_KEPT_MS, SPENT_TIMEOUT_MS), SPENT_TIMEOUT_MS);
  // Living nodes write the books themselves, one line a request: Redis keeps only the lines of reservations whose node died.
  const options: StoreOptions = { keepLines: 'expired', spent };
  const local = new MemoryStore({ keepLines: false, spent: null });
  // A fault of the store is told with the number of settlements that wait for it.
  let quota: GuardedQuota | undefined;
  let connection: RedisConnection | undefined;
  const onFailure = (error: unknown): void => {
    // Without a cause the breaker did not even ask.
    if (error instanceof StoreGone && error.cause === undefined) return;
    const fault = error instanceof StoreGone ? error.cause : error;
    onFault(connection === undefined ? fault : connection.told(fault), quota?.unsent);
  };
  const guard = { local, retryMs: RETRY_MS, onFailure };
  const book: BookGuesses = (guesses) => books.book(guesses);
  const sweeping = { owners, everyMs: leaseMs, book, onFault: onFailure };
  if (redis === undefined) {
    // Nothing on the way to it can be lost or late: a closed id is remembered only for the repetitions of one request.
    const store = new MemoryStore({ keepLines: false, spent, retainMs: LOCAL_RETAIN_MS });
    quota = new GuardedQuota({ ...guard, store, nodes: () => 1 });
    const sweeper = new Sweeper({ ...sweeping, stores: [store] });
    return { quota, spent, start: () => sweeper.start(), ping: null, redis: null, close: async () => sweeper.stop() };
  }
  const address = redisAddress(redis.reveal());
  if ('fault' in address) throw new Error(`redis ${address.fault}`);
  const { client, ...opened } = redisConnection(address, onFailure, redisTls);
  connection = { client, ...opened };
  const breakerOf = breakers(address.kind);
  const store = new RedisStore(client, { ...options, breakerOf, onRun: onRedis });
  const count = new NodeCount({ redis: client, breaker: breakerOf('nodes'), onFault: onFailure });
  const sweeper = new Sweeper({ ...sweeping, stores: [store, local] });
  quota = new GuardedQuota({ ...guard, store, nodes: () => count.nodes });
  return {
    quota,
    spent,
    start: () => {
      opened.start();
      count.start();
      sweeper.start();
    },
    ping: () => client.ping(),
    redis: client,
    close: async () => {
      sweeper.stop();
      await count.stop();
      opened.close();
    },
  };
}

/** One for all, since one server answers all; in a Cluster one per owner, since others may lie on servers that do answer. */
function breakers(kind: RedisAddress['kind']): (owner: string) => StoreBreaker {
  const one = new StoreBreaker(BREAKER);
  if (kind !== 'cluster') return () => one;
  const own = new Map<string, StoreBreaker>();
  return (owner) => {
    let breaker = own.get(owner);
    if (breaker === undefined) own.set(owner, (breaker = new StoreBreaker(BREAKER)));
    return breaker;
  };
}

/**
 * What the books know of a money window. Their sums are by the hour: a window that begins within one counts it whole. Of a limit on models
 * the lines are asked, which know the name that was asked for.
 * @throws RangeError for a sum that is no longer exact as a number
 */
export function spentOf(books: Spendings): SpentReader {
  return async (owner, limit, startMs) => {
    const { bucket, measure, covers } = limit;
    const currency = measure === 'nanoUsd' ? 'USD' : 'CNY';
    const fromMs = Math.floor(startMs / HOUR_MS) * HOUR_MS;
    const whose = { fromMs, team: owner.slice('team/'.length), key: keyOf(limit) };
    let nano: bigint;
    if (covers === undefined) {
      const [sum] = await books.usage({ by: null, toMs: null, ...whose });
      nano = sum?.costNano[currency] ?? 0n;
    } else {
      const rows = await books.spent({ currency, ...whose });
      nano = rows.reduce((sum, row) => (covers(row.askedModel) ? sum + row.nano : sum), 0n);
    }
    const exact = Number(nano);
    if (!Number.isSafeInteger(exact)) throw new RangeError(`The books' sum for ${bucket} is too large to be counted exactly: ${nano}.`);
    return exact;
  };
}

/** A slow answer is left to the next request that asks. */
function withinTime(spent: SpentReader, timeoutMs: number): SpentReader {
  return async (...window) => {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`The books did not say within ${timeoutMs} ms what was spent.`)), timeoutMs);
    try {
      return await Promise.race([spent(...window), late]);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** The key of a key's own limit, null for a team's. */
function keyOf({ bucket }: Limit): string | null {
  const [scope, name] = bucket.split('/');
  return scope === 'key' && name !== undefined ? decodeURIComponent(name) : null;
}
