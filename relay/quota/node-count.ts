import { randomUUID } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { loadScript } from './script.ts';
import { type StoreBreaker, StoreGone } from './store-breaker.ts';

export interface NodeCountOptions {
  readonly redis: Redis | Cluster;
  /** The one of the quota store: a node that is counted can also ask it. */
  readonly breaker: StoreBreaker;
  readonly onFault: (fault: unknown) => void;
  /** Before the key. */
  readonly prefix?: string;
  readonly everyMs?: number;
}

const EVERY_MS = 5_000;
/** A node that missed so many beats is counted no more. */
const BEATS_KEPT = 4;

const script = loadScript('node-count', []);

/**
 * How many nodes share a Redis: each says regularly that it lives, and hears how many do. While Redis is gone the last count stands; a node
 * that has never heard one knows of endlessly many, so that its share of any limit is nothing.
 */
export class NodeCount {
  readonly #options: NodeCountOptions;
  readonly #node = randomUUID();
  #count = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: NodeCountOptions) {
    this.#options = options;
  }

  get nodes(): number {
    return this.#count;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.beat(), this.#options.everyMs ?? EVERY_MS).unref();
    void this.beat();
  }

  async beat(): Promise<void> {
    const { redis, breaker, everyMs = EVERY_MS, onFault } = this.#options;
    try {
      const count = await breaker.run(() => script.run(redis, [this.#key], [this.#node, everyMs * BEATS_KEPT]));
      if (!Number.isSafeInteger(count) || (count as number) < 1) throw new Error(`Redis counts ${String(count)} nodes.`);
      this.#count = count as number;
    } catch (error) {
      // Without a cause the breaker did not even ask.
      if (!(error instanceof StoreGone && error.cause === undefined)) onFault(error);
    }
  }

  /** The others need not wait until this node is missed. */
  async stop(): Promise<void> {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    const { redis, breaker } = this.#options;
    // Redis that does not answer forgets the node by itself.
    await breaker.run(() => redis.zrem(this.#key, this.#node)).catch(() => {});
  }

  get #key(): string {
    return `${this.#options.prefix ?? 'estafet:'}nodes`;
  }
}
