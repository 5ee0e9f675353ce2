import type { Backend } from '../../config/config.ts';
import type { BackendHealth } from './backend-health.ts';
import type { BreakerEvent } from './breaker-event.ts';
import { failureOf, openingsKey, readOpening, redisMs, type WrittenOpening } from './written-opening.ts';

/** As much of Redis as this needs. */
export interface SharedHashes {
  hset(key: string, field: string, value: string): Promise<unknown>;
  hdel(key: string, field: string): Promise<unknown>;
  pexpire(key: string, ms: number): Promise<unknown>;
  hgetall(key: string): Promise<Record<string, string>>;
  time(): Promise<readonly (string | number)[]>;
}

export interface SharedHealthOptions {
  readonly redis: SharedHashes;
  /** Of the configuration in force. */
  readonly backends: () => readonly Backend[];
  readonly health: Pick<BackendHealth, 'adopt' | 'drop'>;
  /** Milliseconds of this node, of any clock that only goes forward. */
  readonly now: () => number;
  readonly onFault: (fault: unknown) => void;
}

/** What other nodes find is known here after so long at most. */
const READ_MS = 1_000;
/** A hash that nobody writes any more goes by itself. */
const KEPT_MS = 600_000;

/**
 * Carries openings and closings of breakers between nodes by one small hash a backend. Lazily, off the path of requests: what is late or
 * lost costs one more failure at one node. While Redis is gone each node knows what it finds itself.
 */
export class SharedHealth {
  readonly #options: SharedHealthOptions;
  /** Places that Redis had at the last look, by backend. */
  readonly #seen = new Map<string, ReadonlySet<string>>();
  /** Clock of Redis minus `now`; null before the first look. */
  #offsetMs: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #reading = false;

  constructor(options: SharedHealthOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.read(), READ_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Never rejects. A model that is missing is not told: names are made up by callers, and each node finds out for itself. */
  async tell({ state, backend, cause, at, error, openMs }: BreakerEvent): Promise<void> {
    if (cause === 'model' || this.#offsetMs === null) return;
    const { redis, now, onFault } = this.#options;
    const key = openingsKey(backend);
    try {
      if (state === 'closed') await redis.hdel(key, at);
      if (state !== 'open' || error === null) return;
      const written: WrittenOpening = { until: Math.ceil(now() + this.#offsetMs + openMs), kind: error.kind };
      await Promise.all([redis.hset(key, at, JSON.stringify(written)), redis.pexpire(key, KEPT_MS)]);
    } catch (fault) {
      onFault(fault);
    }
  }

  /** One batch for all backends. Never rejects. */
  async read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    const { redis, onFault } = this.#options;
    const backends = this.#options.backends();
    try {
      const [time, ...hashes] = await Promise.all([redis.time(), ...backends.map(({ name }) => redis.hgetall(openingsKey(name)))]);
      const nowMs = redisMs(time);
      this.#offsetMs = nowMs - this.#options.now();
      for (const [index, backend] of backends.entries()) this.#take(backend, hashes[index] ?? {}, nowMs);
    } catch (fault) {
      onFault(fault);
    } finally {
      this.#reading = false;
    }
  }

  #take(backend: Backend, hash: Readonly<Record<string, string>>, nowMs: number): void {
    const { health, redis, onFault } = this.#options;
    const places = new Set(Object.keys(hash));
    for (const at of this.#seen.get(backend.name) ?? []) if (!places.has(at)) health.drop(backend, at);
    this.#seen.set(backend.name, places);
    for (const [at, text] of Object.entries(hash)) {
      const written = readOpening(text);
      if (written === null) continue;
      const leftMs = written.until - nowMs;
      if (leftMs > 0) health.adopt(backend, at, leftMs, failureOf(written));
      // Of a node that is gone: whoever closes a breaker also takes it out.
      else if (leftMs < -KEPT_MS) redis.hdel(openingsKey(backend.name), at).catch(onFault);
    }
  }
}
