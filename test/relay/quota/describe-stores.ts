import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { auditLevels, type Drift } from '../../../relay/quota/audit.ts';
import { refill } from '../../../relay/quota/bucket.ts';
import type { Use } from '../../../relay/quota/lines.ts';
import type { QuotaStore, Settled } from '../../../relay/quota/store.ts';
import { OWNER, used } from './limits.ts';
import { type Harness, storeHarnesses, TestClock } from './stores.ts';

/** A store under test, new and empty for each test. */
export class StoreAtTest {
  clock = new TestClock();
  readonly harness: Harness;
  #store: QuotaStore | undefined;

  constructor(harness: Harness) {
    this.harness = harness;
  }

  get store(): QuotaStore {
    return (this.#store ??= this.harness.make(this.clock));
  }

  set store(store: QuotaStore) {
    this.#store = store;
  }

  reset(): void {
    this.clock = new TestClock();
    this.#store = undefined;
  }

  settle(id: string, actual: Use = used(), reason: 'done' | 'client_gone' = 'done'): Promise<Settled> {
    return this.store.settle({ id, owner: OWNER, actual, source: 'vendor', reason, about: '' });
  }

  /** A rate's level now in micro-units; else what is used; undefined: no such bucket. */
  async level(bucket: string): Promise<number | undefined> {
    const state = (await this.store.levels(OWNER)).buckets.get(bucket);
    if (state?.kind !== 'rate') return state?.used;
    const now = { ...state };
    refill(now, this.clock.us);
    return now.level;
  }

  async audit(): Promise<Drift[]> {
    return auditLevels(await this.store.lines(OWNER, 10_000), await this.store.levels(OWNER));
  }
}

/** The same tests on the memory store and, where there is one, on a real Redis. */
export function describeStores(what: string, body: (at: StoreAtTest) => void): void {
  describe.each(storeHarnesses())(`${what}: $name`, (harness) => {
    const at = new StoreAtTest(harness);
    beforeAll(() => harness.start());
    afterAll(() => harness.stop());
    beforeEach(() => at.reset());
    body(at);
  });
}
