import { randomUUID } from 'node:crypto';
import type { OpenAIError } from '../../openai/errors.ts';
import { loadScript, type ScriptClient } from '../quota/script.ts';
import { StoreBreaker } from '../quota/store-breaker.ts';
import { failureOf, openingsKey, readOpening, redisMs } from './written-opening.ts';

/** As much of Redis as this needs. */
export interface LeaseStore extends ScriptClient {
  set(key: string, value: string, unit: 'PX', ms: number, when: 'NX'): Promise<unknown>;
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

const script = loadScript('lease', [], 'text', import.meta.url);

/**
 * One probe at a time among the processes on one Redis. Asked only by the request that is about to probe; a lease is renewed while its probe is
 * under way and ends with it. It is advice, as all that is shared of breakers: without Redis each process sends a probe of its own, and so may
 * another one while the first has stood still for longer than its lease. Each claim has a value of its own: who wakes up after its time
 * neither renews nor ends what is another's by then.
 */
export class ProbeLeases {
  readonly #redis: LeaseStore;
  readonly #onFault: (fault: unknown) => void;
  readonly #store = new StoreBreaker(PATIENCE);
  /** The value of each, by the lease. */
  readonly #held = new Map<string, string>();
  #timer: NodeJS.Timeout | null = null;

  constructor(redis: LeaseStore, onFault: (fault: unknown) => void) {
    this.#redis = redis;
    this.#onFault = onFault;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.renew(), RENEW_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Never rejects. What is granted must be given back. */
  async claim(backend: string, place: string): Promise<Claim> {
    const lease = leaseKey(backend, place);
    const value = randomUUID();
    try {
      const claim = await this.#store.run(() => this.#ask(lease, value, backend, place));
      if (claim === GRANTED) this.#held.set(lease, value);
      return claim;
    } catch (fault) {
      this.#onFault(fault);
      return WITHOUT_REDIS;
    }
  }

  /** What came of the probe must have been told before: who claims next looks for it. Never rejects. */
  async giveBack(backend: string, place: string): Promise<void> {
    const lease = leaseKey(backend, place);
    const value = this.#held.get(lease);
    if (value === undefined) return;
    this.#held.delete(lease);
    await this.#end(lease, value);
  }

  /** Never rejects. */
  async renew(): Promise<void> {
    await Promise.all(Array.from(this.#held, ([lease, value]) => this.#renew(lease, value)));
  }

  async #renew(lease: string, value: string): Promise<void> {
    const kept = await script.run(this.#redis, [lease], [value, LEASE_MS]).catch(this.#onFault);
    // It has run out: a second probe may be under way, and there is nothing left to hold.
    if (kept === 0 && this.#held.get(lease) === value) this.#held.delete(lease);
  }

  async #end(lease: string, value: string): Promise<void> {
    await script.run(this.#redis, [lease], [value, 0]).catch(this.#onFault);
  }

  /** In this order: what the last holder found was written before its lease ended. */
  async #ask(lease: string, value: string, backend: string, place: string): Promise<Claim> {
    const [set, text, time] = await Promise.all([
      this.#redis.set(lease, value, 'PX', LEASE_MS, 'NX'),
      this.#redis.hget(openingsKey(backend), place),
      this.#redis.time(),
    ]);
    if (set === null) return { kind: 'taken' };
    const opening = text === null ? null : readOpening(text);
    const openMs = opening === null ? 0 : opening.until - redisMs(time);
    if (opening === null || openMs <= 0) return GRANTED;
    void this.#end(lease, value);
    return { kind: 'open', openMs, error: failureOf(opening) };
  }
}

const GRANTED: Claim = { kind: 'granted' };
const WITHOUT_REDIS: Claim = { kind: 'granted' };

/** On the slot of the openings, so that both are asked in one batch of a Cluster. */
const leaseKey = (backend: string, place: string): string => `estafet:probe:{${backend}}:${place}`;
