import { describe, expect, test } from 'vitest';
import { expiredEntry } from '../../../relay/ledger/expired-entry.ts';
import type { LedgerEntry } from '../../../relay/ledger/ledger-entry.ts';
import { LedgerFault } from '../../../relay/ledger/ledger-store.ts';
import { bookExpired } from '../../../relay/quota/expired-lines.ts';
import { Sweeper } from '../../../relay/quota/sweeper.ts';
import { entry, UNANSWERED } from '../ledger/entries.ts';
import { describeStores } from './describe-stores.ts';
import { ask, budget, OWNER, slots, tpm, used } from './limits.ts';

const ABOUT = [1, 1_772_000_000_000, 'chat.completions', 'default', 'ci', 'gpt-4o', 'qwen-plus', 'qwen', 'qwen', 'cn-beijing', 1, 30, 70];
const PRICED = [...ABOUT, 4200, 'CNY', 'https://example.com', '2026-11-01', 'official'];
const UNPRICED = [...ABOUT, null, null, null, null, null];

/** Books that know nothing themselves. */
const into =
  (ids: string[]) =>
  async (guesses: readonly LedgerEntry[]): Promise<readonly LedgerEntry[]> => {
    ids.push(...guesses.map(({ id }) => id));
    return [];
  };

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
    const books: string[] = [];
    for (let node = 0; node < 2; node++) await bookExpired(at.store, OWNER, into(books), unexpected);
    expect(books).toEqual(['dead']);
    expect(await at.store.lines(OWNER, 10)).toEqual([]);
  });

  test('waits in the store while the books fail; slots do not wait', async () => {
    keeping();
    await dying('dead');
    at.clock.pass(30_001);
    const faults: unknown[] = [];
    const books: string[] = [];
    let down = true;
    const book = async (entries: readonly LedgerEntry[]): Promise<readonly LedgerEntry[]> => {
      if (down) throw new LedgerFault('down');
      return into(books)(entries);
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
    const drain = () => bookExpired(at.store, OWNER, into(books), unexpected);
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
    await bookExpired(at.store, OWNER, into(books), (fault) => void faults.push(fault));
    expect(books).toEqual(['dead']);
    expect(faults).toHaveLength(1);
    expect(await at.store.lines(OWNER, 10)).toMatchObject([{ id: 'strange' }]);
  });

  describe('when the dead node had written the line itself, is settled by that line', () => {
    const LEVEL = 'team/budget.never.cny@0';
    const BOOKED = { costNano: 70, heldBy: 'store' } as const;
    const THROWN = { discarded: { promptTokens: 1, completionTokens: 1, cost: { amountNano: 5, currency: 'CNY' } } };
    /** 400 of a budget are reserved, and the lease has run out. */
    const died = async (): Promise<void> => {
      keeping();
      await at.store.reserve({ ...ask('dead', [budget(1_000, 'never'), 400]), about: JSON.stringify(PRICED) });
      at.clock.pass(30_001);
      await at.store.sweep(OWNER);
      expect(await at.level(LEVEL)).toBe(400);
    };
    const drain = (...truths: readonly LedgerEntry[]) => bookExpired(at.store, OWNER, async () => truths, unexpected);

    test.each([
      ['at its cost', entry('dead', BOOKED), 70],
      ['with what was thrown away', entry('dead', { ...BOOKED, attempts: JSON.stringify([THROWN]) }), 75],
      ['as free where no backend was reached', entry('dead', { ...UNANSWERED, heldBy: 'store' }), 0],
      ['also where it was held elsewhere, since the store had not answered in time', entry('dead', { ...BOOKED, heldBy: 'local' }), 70],
      ['and where nobody held it', entry('dead', { ...BOOKED, heldBy: 'nobody' }), 70],
    ])('%s', async (_, truth, expected) => {
      await died();
      await drain(truth);
      expect(await at.level(LEVEL)).toBe(expected);
      expect(await at.store.lines(OWNER, 10)).toEqual([]);
    });

    test('once, however many nodes do it, and also when it lives after all', async () => {
      await died();
      await at.store.listen(OWNER, 5_000);
      await Promise.all([drain(entry('dead', BOOKED)), drain(entry('dead', BOOKED)), at.settle('dead', used(15, 70))]);
      await drain(entry('dead', BOOKED));
      expect(await at.level(LEVEL)).toBe(70);
      expect(await at.settle('dead', used(15, 70))).toBe('already');
      const lines = await at.store.lines(OWNER, 10);
      expect(lines.filter((line) => line.kind === 'close').map(({ corrects }) => corrects)).toEqual([false, true]);
    });

    test('a store that fails meanwhile keeps the line, and the next sweep settles it', async () => {
      await died();
      const failing = {
        lines: at.store.lines.bind(at.store),
        dropLines: at.store.dropLines.bind(at.store),
        release: at.store.release.bind(at.store),
        settle: () => Promise.reject(new Error('gone')),
      };
      const books = async () => [entry('dead', BOOKED)];
      await expect(bookExpired(failing, OWNER, books, unexpected)).rejects.toThrow('gone');
      expect(await at.level(LEVEL)).toBe(400);
      await drain(entry('dead', BOOKED));
      expect(await at.level(LEVEL)).toBe(70);
    });
  });
});
