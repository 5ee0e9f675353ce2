import type { Backend } from '../../config/config.ts';
import { ERRORS, type ErrorName, OpenAIError } from '../../openai/errors.ts';
import type { BackendHealth, BreakerEvent } from './backend-health.ts';

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

/** Of one breaker, as Redis holds it. No message: it may quote what a vendor said. */
interface Written {
  /** By the clock of Redis, ms since the epoch. */
  readonly until: number;
  readonly kind: ErrorName;
}

/**
 * Carries openings and closings of breakers between nodes by one small hash a backend. Lazily, off the path of requests: what is late or
 * lost costs one more failure at one node. While Redis is gone each node knows what it finds itself. Each node sends a probe of its own.
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
    const key = keyOf(backend);
    try {
      if (state === 'closed') await redis.hdel(key, at);
      if (state !== 'open' || error === null) return;
      const written: Written = { until: Math.ceil(now() + this.#offsetMs + openMs), kind: error.kind };
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
      const [[seconds, micros], ...hashes] = await Promise.all([redis.time(), ...backends.map(({ name }) => redis.hgetall(keyOf(name)))]);
      const redisMs = Number(seconds) * 1000 + Number(micros) / 1000;
      this.#offsetMs = redisMs - this.#options.now();
      for (const [index, backend] of backends.entries()) this.#take(backend, hashes[index] ?? {}, redisMs);
    } catch (fault) {
      onFault(fault);
    } finally {
      this.#reading = false;
    }
  }

  #take(backend: Backend, hash: Readonly<Record<string, string>>, redisMs: number): void {
    const { health, redis, onFault } = this.#options;
    const places = new Set(Object.keys(hash));
    for (const at of this.#seen.get(backend.name) ?? []) if (!places.has(at)) health.drop(backend, at);
    this.#seen.set(backend.name, places);
    for (const [at, text] of Object.entries(hash)) {
      const written = read(text);
      if (written === null) continue;
      const leftMs = written.until - redisMs;
      if (leftMs > 0) health.adopt(backend, at, leftMs, failureOf(written.kind));
      // Of a node that is gone: whoever closes a breaker also takes it out.
      else if (leftMs < -KEPT_MS) redis.hdel(keyOf(backend.name), at).catch(onFault);
    }
  }
}

const keyOf = (backend: string): string => `estafet:breakers:{${backend}}`;

/** Another release may write otherwise: what is not understood is left alone. */
function read(text: string): Written | null {
  try {
    const { until, kind } = JSON.parse(text) as { readonly until?: unknown; readonly kind?: unknown };
    return typeof until === 'number' && typeof kind === 'string' && Object.hasOwn(ERRORS, kind) ? { until, kind: kind as ErrorName } : null;
  } catch {
    return null;
  }
}

const failureOf = (kind: ErrorName): OpenAIError =>
  new OpenAIError(kind, 'The backend is not asked at the moment: another process of this relay has found that it fails.', {
    fallback: true,
    limit: kind.startsWith('upstream_rate_limit_') ? 'upstream' : undefined,
  });
