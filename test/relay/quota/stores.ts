import { MemoryStore, type StoreOptions } from '../../../relay/quota/memory-store.ts';
import { RedisStore } from '../../../relay/quota/redis-store.ts';
import type { QuotaStore } from '../../../relay/quota/store.ts';
import { REDIS, type RedisServer, startRedis } from './redis-server.ts';

/** 2026-03-10T12:00:00Z, a Tuesday, in µs. */
export const NOON = Date.UTC(2026, 2, 10, 12) * 1000;

export class TestClock {
  us = NOON;
  pass(ms: number): void {
    this.us += ms * 1000;
  }
}

export interface Harness {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** An empty store on a clock of the test. */
  make(clock: TestClock, options?: Partial<StoreOptions>): QuotaStore;
  /** An empty store on its own clock, as several nodes. */
  nodes(count: number): QuotaStore[];
}

const DEFAULTS: StoreOptions = { keepLines: true, spent: null };

/** Every store that can be tested on this machine. */
export const storeHarnesses = (): Harness[] => [memoryHarness(), ...REDIS.map(() => redisHarness())];

export function memoryHarness(): Harness {
  return {
    name: 'memory',
    start: async () => {},
    stop: async () => {},
    make: (clock, options) => new MemoryStore({ ...DEFAULTS, ...options }, () => clock.us),
    nodes: (count) => {
      const store = new MemoryStore(DEFAULTS);
      return Array.from({ length: count }, () => store);
    },
  };
}

export function redisHarness(): Harness {
  let server: RedisServer | undefined;
  let stores = 0;
  const running = () => {
    if (server === undefined) throw new Error('Redis has not been started.');
    return server;
  };
  return {
    name: 'redis',
    start: async () => void (server = await startRedis()),
    stop: async () => server?.stop(),
    make: (clock, options) =>
      new RedisStore(running().connect(), { ...DEFAULTS, ...options, prefix: `t${++stores}:`, testClockUs: () => clock.us }),
    nodes: (count) => {
      const prefix = `t${++stores}:`;
      return Array.from({ length: count }, () => new RedisStore(running().connect(), { ...DEFAULTS, prefix }));
    },
  };
}
