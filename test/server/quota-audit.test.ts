import { expect, test } from 'vitest';
import { uncoveredLimits } from '../../relay/audit/audited-limits.ts';
import { MemoryStore } from '../../relay/quota/memory-store.ts';
import { StoreGone } from '../../relay/quota/store-breaker.ts';
import { auditStore } from '../../server/quota-audit.ts';
import { ask, rpd } from '../relay/quota/limits.ts';

const OWNERS = ['backend/a', 'backend/b', 'backend/c'];
const books = { usage: async () => [], lines: async function* () {} };
const NOT_NOW = { listenMs: 0, retainedMs: 0, books };

/** A store that does not answer for some owners from a certain call on, as a Cluster of which a node is gone. */
class Broken extends MemoryStore {
  gone: ReadonlySet<string> = new Set();
  from: 'listen' | 'levels' = 'listen';
  override async listen(owner: string, ms: number) {
    if (this.from === 'listen' && this.gone.has(owner)) throw new StoreGone(0, new Error(`${owner} is gone`));
    return super.listen(owner, ms);
  }
  override async levels(owner: string) {
    if (this.gone.has(owner)) throw new StoreGone(0, new Error(`${owner} is gone`));
    return super.levels(owner);
  }
}

async function broken(from: Broken['from'], gone: readonly string[]) {
  const store = new Broken({ keepLines: 'expired', spent: null });
  for (const owner of OWNERS) await store.reserve({ ...ask('one', [rpd(10), 1]), owner });
  store.from = from;
  store.gone = new Set(gone);
  return store;
}

const audited = (store: MemoryStore) =>
  auditStore({ ...NOT_NOW, store, owners: new Map(OWNERS.map((owner) => [owner, uncoveredLimits([rpd(10)])])) });

test.each(['listen', 'levels'] as const)('owners that cannot be read (%s) are named, and the others are audited', async (from) => {
  const store = await broken(from, ['backend/b']);
  const { findings, buckets, unread } = await audited(store);
  expect(findings).toEqual([]);
  expect(buckets).toBe(2);
  expect([...unread].map(([owner, { cause }]) => [owner, (cause as Error).message])).toEqual([['backend/b', 'backend/b is gone']]);
});

test('nothing that could be read is a failure', async () => {
  await expect(audited(await broken('listen', OWNERS))).rejects.toThrow(StoreGone);
});

test('books that cannot be read are a failure, whoever is audited', async () => {
  const store = await broken('listen', []);
  const usage = () => Promise.reject(new Error('no books'));
  const lines = () => {
    throw new Error('no books');
  };
  const owners = new Map([['team/t', uncoveredLimits([rpd(10)])]]);
  await store.reserve({ ...ask('one', [rpd(10), 1]), owner: 'team/t' });
  await expect(auditStore({ ...NOT_NOW, store, owners, books: { usage, lines } })).rejects.toThrow('no books');
});
