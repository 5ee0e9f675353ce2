import type { Cluster, Redis } from 'ioredis';
import { checkIds, checkLease, checkListening, checkReserve, checkSettlement } from './check-input.ts';
import type { Line } from './lines.ts';
import { IDLE_US, KEEP_WINDOW_US } from './memory-owner.ts';
import { RETAIN_MS, type StoreOptions } from './memory-store.ts';
import { type PlannedDemand, reserveBySteps } from './plan.ts';
import { integers, lineOf, snapshotOf } from './redis-reply.ts';
import { loadScript, type Script } from './script.ts';
import type { QuotaStore, ReserveRequest, Settled, Settlement, Snapshot, Verdict } from './store.ts';
import type { StoreBreaker } from './store-breaker.ts';

export interface RedisStoreOptions extends StoreOptions {
  /** Before every key. */
  readonly prefix?: string;
  /** Every call of an owner goes through its breaker; absent: calls wait as long as the client lets them. */
  readonly breakerOf?: (owner: string) => StoreBreaker;
  /** Told how long a script took, whether or not it was carried out; not told of calls that an open breaker kept back. */
  readonly onRun?: (script: string, ms: number, ok: boolean) => void;
  /** Tests only: µs that stand in for the server's clock. */
  readonly testClockUs?: () => number;
}

/**
 * An owner nobody used for so long is forgotten: longer than any window but `never`, which comes back from the books. Each write starts it
 * anew, so Redis holds five keys per owner in use.
 */
const KEYS_LIVE_MS = 400 * 86_400_000;
const KINDS = { rate: 1, slots: 2, window: 3 } as const;
const SETTLED: readonly Settled[] = ['settled', 'corrected', 'already', 'unknown'];

const reserveScript = loadScript('reserve', ['laws', 'sweeping'], 'integers');
const settleScript = loadScript('settle', ['laws'], 'integers');
const dropScript = loadScript('drop', ['laws']);
const renewScript = loadScript('renew', ['laws']);
const sweepScript = loadScript('sweep', ['laws', 'sweeping']);
const levelsScript = loadScript('levels', ['laws']);

/**
 * Limits shared by every node on one Redis (6.2 or later, or Valkey; alone, with Sentinel, or a Cluster). One round trip for each
 * operation; time is the server's. Throws what the client throws when the server cannot be reached (with a breaker: StoreGone); nothing is
 * taken twice by asking again.
 */
export class RedisStore implements QuotaStore {
  readonly #redis: Redis | Cluster;
  readonly #options: RedisStoreOptions;
  /** Teams and backends of the configuration and the database: a bounded number. */
  readonly #keysOf = new Map<string, readonly string[]>();
  /** How far the server's clock is ahead of ours, learned from its answers: only to guess the calendar window, which the server checks. */
  #aheadMs = 0;

  constructor(redis: Redis | Cluster, options: RedisStoreOptions) {
    this.#redis = redis;
    this.#options = options;
  }

  inDoubt(owner: string): boolean {
    return this.#options.breakerOf?.(owner).open === true;
  }

  async reserve(request: ReserveRequest): Promise<Verdict> {
    checkReserve(request);
    const { id, owner, leaseMs, about } = request;
    const keys = this.#keys(owner);
    return reserveBySteps(request, this.#options.spent, Date.now() + this.#aheadMs, async (demands) => {
      const reply = integers(await this.#run(owner, reserveScript, keys, this.#args(id, leaseMs * 1000, about, wireOf(demands))));
      this.#aheadMs = Math.floor(reply[1]! / 1000) - Date.now();
      return reply;
    });
  }

  async settle(settlement: Settlement): Promise<Settled> {
    checkSettlement(settlement);
    const { id, owner, actual, reason, source, about } = settlement;
    const { requests, tokens, nanoCny, nanoUsd } = actual;
    return this.#settle(owner, this.#args(id, reason, source, about, requests, tokens, 0, nanoCny, nanoUsd));
  }

  async release(owner: string, id: string): Promise<Settled> {
    checkIds(owner, [id]);
    return this.#settle(owner, this.#args(id, 'released', '', '', 0, 0, 0, 0, 0));
  }

  async renew(owner: string, ids: readonly string[], leaseMs: number): Promise<readonly string[]> {
    checkIds(owner, ids);
    checkLease(leaseMs);
    const leases = this.#keys(owner)[2]!;
    const lost = integers(await this.#run(owner, renewScript, [leases], [this.#now(), KEYS_LIVE_MS, leaseMs * 1000, ...ids]));
    return lost.map((place) => ids[place - 1]!);
  }

  async sweep(owner: string): Promise<number> {
    checkIds(owner, []);
    return Number(await this.#run(owner, sweepScript, this.#keys(owner), this.#args(KEEP_WINDOW_US, IDLE_US)));
  }

  async levels(owner: string): Promise<Snapshot> {
    checkIds(owner, []);
    return this.#levels(owner, '');
  }

  async listen(owner: string, ms: number): Promise<Snapshot> {
    checkIds(owner, []);
    checkListening(ms);
    return this.#levels(owner, ms * 1000);
  }

  async lines(owner: string, count: number, after?: string): Promise<readonly Line[]> {
    checkIds(owner, []);
    const from = after === undefined ? '-' : `(${after}`;
    const entries = await this.#guarded(owner, () => this.#redis.xrange(this.#keys(owner)[4]!, from, '+', 'COUNT', count));
    return entries.map(([line, fields]) => lineOf(line, fields));
  }

  async dropLines(owner: string, ids: readonly string[]): Promise<void> {
    checkIds(owner, []);
    const [levels, , , , lines] = this.#keys(owner) as readonly [string, string, string, string, string];
    if (ids.length > 0) await this.#run(owner, dropScript, [levels, lines], [this.#now(), ...ids]);
  }

  async #levels(owner: string, listenUs: number | ''): Promise<Snapshot> {
    return snapshotOf(await this.#run(owner, levelsScript, this.#keys(owner).slice(0, 3), [this.#now(), listenUs, KEYS_LIVE_MS]));
  }

  async #settle(owner: string, args: (string | number)[]): Promise<Settled> {
    const [code] = integers([await this.#run(owner, settleScript, this.#keys(owner), args)]);
    return SETTLED[code!]!;
  }

  #run(owner: string, script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.#guarded(owner, () => this.#timed(script, keys, args));
  }

  #timed({ name, run }: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const { onRun } = this.#options;
    if (onRun === undefined) return run(this.#redis, keys, args);
    const startedAt = performance.now();
    return run(this.#redis, keys, args).then(
      (reply) => {
        onRun(name, performance.now() - startedAt, true);
        return reply;
      },
      (error: unknown) => {
        onRun(name, performance.now() - startedAt, false);
        throw error;
      },
    );
  }

  #guarded<T>(owner: string, call: () => Promise<T>): Promise<T> {
    const { breakerOf } = this.#options;
    return breakerOf === undefined ? call() : breakerOf(owner).run(call);
  }

  /** What every script but the smallest begins with. */
  #args(...own: (string | number)[]): (string | number)[] {
    const { retainMs = RETAIN_MS, keepLines } = this.#options;
    return [this.#now(), retainMs * 1000, keepLines === 'expired' ? 1 : keepLines ? 2 : 0, KEYS_LIVE_MS, ...own];
  }

  #now(): string | number {
    return this.#options.testClockUs?.() ?? '';
  }

  /** One hash slot per owner, whose characters are checked: none of them ends the tag. */
  #keys(owner: string): readonly string[] {
    const known = this.#keysOf.get(owner);
    if (known !== undefined) return known;
    const { prefix = 'estafet:' } = this.#options;
    const keys = ['levels', 'held', 'leases', 'closed', 'lines'].map((part) => `${prefix}{${owner}}:${part}`);
    this.#keysOf.set(owner, keys);
    return keys;
  }
}

/** Demands as reserve.lua reads them: JSON of `[bucket, kind, measure, amount, a, b, c, seed]` each. */
function wireOf(demands: readonly PlannedDemand[]): string {
  let text = '[';
  for (const { bucket, kind, measure, amount, a, b, c, seed } of demands) {
    if (text !== '[') text += ',';
    text += `[${JSON.stringify(bucket)},${KINDS[kind]},${measure},${amount},${a},${b},${c},${seed}]`;
  }
  return `${text}]`;
}
