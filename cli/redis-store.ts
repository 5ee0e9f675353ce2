import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { redisAddress } from '../config/redis-address.ts';
import type { Secret } from '../config/secret.ts';
import { RedisStore } from '../relay/quota/redis-store.ts';
import { StoreBreaker, StoreGone } from '../relay/quota/store-breaker.ts';
import { redisConnection } from '../server/redis-connection.ts';

/** A Redis slower than this is of no use to a command. */
const TIMEOUT_MS = 5_000;
/** One server that did not answer is not asked again by the same command. */
const NEVER_AGAIN_MS = 3_600_000;
const CONNECT_MS = 3_000;

/** Of a configuration that has a Redis. */
export interface RedisPlace extends Pick<Config, 'redisTls'> {
  readonly redis: Secret;
}

/** The limits in Redis, for a command beside relays that may be running. @throws StoreGone when it cannot be reached; what `work` throws */
export async function withRedisStore<T>({ redis, redisTls }: RedisPlace, work: (store: RedisStore) => Promise<T>): Promise<T> {
  const address = redisAddress(redis.reveal());
  if ('fault' in address) throw new Error(`redis ${address.fault}`);
  let fault: unknown = null;
  const { client, start, close, told } = redisConnection(
    address,
    (error) => {
      fault = error;
    },
    redisTls,
  );
  try {
    start();
    const until = performance.now() + CONNECT_MS;
    while (client.status !== 'ready' && performance.now() < until) await sleep(10);
    if (client.status !== 'ready')
      throw new StoreGone(0, fault === null ? new Error('it does not answer') : new Error(told(fault), { cause: fault }));
    const one = new StoreBreaker({ timeoutMs: TIMEOUT_MS, pauseMs: NEVER_AGAIN_MS });
    // In a Cluster other owners may lie on nodes that do answer.
    const breakerOf = () => (address.kind === 'cluster' ? new StoreBreaker({ timeoutMs: TIMEOUT_MS, pauseMs: 0 }) : one);
    return await work(new RedisStore(client, { keepLines: 'expired', spent: null, breakerOf }));
  } finally {
    close();
  }
}

/** Why Redis could not be asked, in one line. */
export function unreachable({ cause }: StoreGone): string {
  if (cause === undefined) return 'Redis cannot be reached: it has stopped answering';
  const { code } = ((cause instanceof Error ? cause.cause : null) ?? cause ?? {}) as { code?: string };
  return `Redis cannot be reached: ${code === 'ECONNREFUSED' ? 'nothing listens there' : cause instanceof Error ? cause.message : String(cause)}`;
}
