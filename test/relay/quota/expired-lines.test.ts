import { describe, expect, test } from 'vitest';
import { expiredEntry } from '../../../relay/ledger/expired-entry.ts';
import type { LedgerEntry } from '../../../relay/ledger/ledger-entry.ts';
import { LedgerFault } from '../../../relay/ledger/ledger-store.ts';
import { bookExpired } from '../../../relay/quota/expired-lines.ts';
import { Sweeper } from '../../../relay/quota/sweeper.ts';
import { describeStores } from './describe-stores.ts';
import { ask, OWNER, slots, tpm } from './limits.ts';

const ABOUT = [1, 1_772_000_000_000, 'chat.completions', 'default', 'ci', 'gpt-4o', 'qwen-plus', 'qwen', 'qwen', 'cn-beijing', 1, 30, 70];
const PRICED = [...ABOUT, 4200, 'CNY', 'https://example.com', '2026-11-01', 'official'];
const UNPRICED = [...ABOUT, null, null, null, null, null];

const unexpected = (fault: unknown): never => {
  throw fault;
};

describe('a line made of a reservation', () => {
  test('says what is known without the vendor', () => {
    expect(expiredEntry('req_1', 1_772_000_060_000, JSON.stringify(PRICED))).toMatchObject({
      id: 'req_1',
      atMs: 1_772_000_000_000,
      team: 'default',
      key: 'ci',
      askedModel: 'gpt-4o',
      servedModel: 'qwen-plus',
      backend: 'qwen',
      reason: 'expired',
      usageSource: 'reserved',
      promptTokens: 30,
      completionTokens: 70,
      costNano: 4200,
      currency: 'CNY',
      estimateCostNano: 4200,
      totalMs: 60_000,
      heldBy: 'store',
    });
    expect(expiredEntry('req_1', 0, JSON.stringify(UNPRICED))).toMatchObject({ costNano: null, currency: null, totalMs: 0 });
  });

  test.each(['ci', '{"a":1}', '[1]', JSON.stringify([2, ...PRICED.slice(1)])])('is not guessed from %s', (about) => {
    expect(() => expiredEntry('req_1', 0, about)).toThrow('cannot be booked');
  });

  test('is none where the reservation says nothing', () => {
    expect(expiredEntry('req_1', 0, '')).toBeNull();
  });
});

describeStores('what dead nodes had reserved', (at) => {
  const keeping = (): void => void (at.store = at.harness.make(at.clock, { keepLines: 'expired' }));
  const dying = async (id: string, about = JSON.stringify(PRICED)) => {
    await at.store.reserve({ ...ask(id, [slots(100), 1], [tpm(10_000), 100]), about });
  };

  test('comes into the books once, and leaves the store', async () => {
    keeping();
    await dying('dead');
    await at.store.reserve(ask('living', [slots(100), 1]));
    await at.settle('living');
    at.clock.pass(30_001);
    await at.store.sweep(OWNER);
    const books: LedgerEntry[] = [];
    for (let node = 0; node < 2; node++) await bookExpired(at.store, OWNER, async (entries) => void books.push(...entries), unexpected);
    expect(books.map(({ id }) => id)).toEqual(['dead']);
    expect(await at.store.lines(OWNER, 10)).toEqual([]);
  });

  test('waits in the store while the books fail; slots do not wait', async () => {
    keeping();
    await dying('dead');
    at.clock.pass(30_001);
    const faults: unknown[] = [];
    const books: string[] = [];
    let down = true;
    const book = async (entries: readonly LedgerEntry[]): Promise<void> => {
      if (down) throw new LedgerFault('down');
      books.push(...entries.map(({ id }) => id));
    };
    const sweeper = new Sweeper({
      stores: [at.store],
      owners: () => [OWNER],
      everyMs: 1,
      book,
      onFault: (fault) => void faults.push(fault),
    });
    await sweeper.sweep();
    expect(faults).toEqual([new LedgerFault('down')]);
    expect(await at.level('team/concurrency')).toBeUndefined();
    down = false;
    await sweeper.sweep();
    expect(books).toEqual(['dead']);
  });

  test('stays there while an auditor listens, and what the auditor left behind goes with it', async () => {
    keeping();
    await dying('dead');
    at.clock.pass(30_001);
    await at.store.listen(OWNER, 5_000);
    await at.store.sweep(OWNER);
    await dying('heard');
    await at.settle('heard');
    const books: string[] = [];
    const drain = () => bookExpired(at.store, OWNER, async (entries) => void books.push(...entries.map(({ id }) => id)), unexpected);
    await drain();
    expect((await at.store.lines(OWNER, 10)).map((line) => (line.kind === 'close' ? line.id : line.kind))).toEqual(['dead', 'heard']);
    at.clock.pass(5_000);
    await drain();
    expect(await at.store.lines(OWNER, 10)).toEqual([]);
    expect(books).toEqual(['dead', 'dead']);
  });

  test('is told and kept when this release cannot read it, and holds up no other', async () => {
    keeping();
    await dying('strange', 'ci');
    await dying('dead');
    at.clock.pass(30_001);
    await at.store.sweep(OWNER);
    const faults: unknown[] = [];
    const books: string[] = [];
    const book = async (entries: readonly LedgerEntry[]): Promise<void> => void books.push(...entries.map(({ id }) => id));
    await bookExpired(at.store, OWNER, book, (fault) => void faults.push(fault));
    expect(books).toEqual(['dead']);
    expect(faults).toHaveLength(1);
    expect(await at.store.lines(OWNER, 10)).toMatchObject([{ id: 'strange' }]);
  });
});
