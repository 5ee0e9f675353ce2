import type { OpenAIError } from '../../openai/errors.ts';
import { StoreBreaker } from '../quota/store-breaker.ts';
import { failureOf, openingsKey, readOpening, redisMs } from './written-opening.ts';

/** As much of Redis as this needs. */
export interface LeaseStore {
  set(key: string, value: string, unit: 'PX', ms: number, when: 'NX'): Promise<unknown>;
  pexpire(key: string, ms: number): Promise<unknown>;
  del(key: string): Promise<unknown>;
  hget(key: string, field: string): Promise<string | null>;
  time(): Promise<readonly (string | number)[]>;
}

/** May this process probe? `open`: another one has probed since, and it still fails. */
export type Claim =
  | { readonly kind: 'granted' }
  | { readonly kind: 'taken' }
  | { readonly kind: 'open'; readonly openMs: number; readonly error: OpenAIError };

/** A node that died while it probed keeps the others from it for so long. */
export const LEASE_MS = 5_000;
const RENEW_MS = 1_000;
/** A Redis that is slower than this does not keep a request longer: this process probes, as it would without Redis. */
const PATIENCE = { timeoutMs: 250, pauseMs: 500 } as const;

/**
 * One probe at a time among the processes on one Redis. Asked only by the request that is about to probe; a lease is renewed while its probe is
 * under way and ends with it. It is advice, as all that is shared of breakers: without Redis each process sends a probe of its own, and so may
 * one that has stood still for longer than its lease.
 */
export class ProbeLeases {
  readonly #redis: LeaseStore;
  readonly #onFault: (fault: unknown) => void;
  readonly #store = new StoreBreaker(PATIENCE);
  readonly #held = new Set<string>();
  #timer: NodeJS.Timeout | null = null;

  constructor(redis: LeaseStore, onFault: (fault: unknown) => void) {
    this.#redis = redis;
    this.#onFault = onFault;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.renew(), RENEW_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Never rejects. What is granted must be given back. */
  async claim(backend: string, place: string): Promise<Claim> {
    const lease = leaseKey(backend, place);
    try {
      const claim = await this.#store.run(() => this.#ask(lease, backend, place));
      if (claim === GRANTED) this.#held.add(lease);
      return claim;
    } catch (fault) {
      this.#onFault(fault);
      return WITHOUT_REDIS;
    }
  }

  /** What came of the probe must have been told before: who claims next looks for it. */
  giveBack(backend: string, place: string): void {
    const lease = leaseKey(backend, place);
    if (this.#held.delete(lease)) this.#redis.del(lease).catch(this.#onFault);
  }

  renew(): void {
    for (const lease of this.#held) this.#redis.pexpire(lease, LEASE_MS).catch(this.#onFault);
  }

  /** In this order: what the last holder found was written before its lease ended. */
  async #ask(lease: string, backend: string, place: string): Promise<Claim> {
    const [set, text, time] = await Promise.all([
      this.#redis.set(lease, '1', 'PX', LEASE_MS, 'NX'),
      this.#redis.hget(openingsKey(backend), place),
      this.#redis.time(),
    ]);
    if (set === null) return { kind: 'taken' };
    const opening = text === null ? null : readOpening(text);
    const openMs = opening === null ? 0 : opening.until - redisMs(time);
    if (opening === null || openMs <= 0) return GRANTED;
    this.#redis.del(lease).catch(this.#onFault);
    return { kind: 'open', openMs, error: failureOf(opening) };
  }
}

const GRANTED: Claim = { kind: 'granted' };
const WITHOUT_REDIS: Claim = { kind: 'granted' };

/** On the slot of the openings, so that both are asked in one batch of a Cluster. */
const leaseKey = (backend: string, place: string): string => `estafet:probe:{${backend}}:${place}`;
