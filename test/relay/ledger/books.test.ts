import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Books } from '../../../relay/ledger/books.ts';
import { type LedgerEvent, LedgerFault, type LedgerStore } from '../../../relay/ledger/ledger-store.ts';
import { entry, TEN } from './entries.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const DAY = 86_400_000;

test('lines beyond the retention go at the start and every hour, in portions; a failure is told and tried again', async () => {
  const asked: number[] = [];
  const events: LedgerEvent[] = [];
  let old = 4_500;
  const store: LedgerStore = {
    open: async () => {},
    write: async () => 0,
    usage: async () => [],
    spent: async () => [],
    truths: async () => [],
    close: async () => {},
    prune: async (beforeMs, most) => {
      if (asked.push(beforeMs) === 4) throw new LedgerFault('nothing listens there');
      const gone = Math.min(old, most);
      old -= gone;
      return gone;
    },
  };
  let now = TEN;
  const books = new Books(store, { retentionDays: 90, queueMax: 1000, report: (event) => events.push(event), now: () => now });
  await books.open();
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toEqual([TEN - 90 * DAY, TEN - 90 * DAY, TEN - 90 * DAY]);
  expect(old).toBe(0);
  now += 3_600_000;
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(events).toEqual([{ type: 'prune-failed', fault: 'nothing listens there' }]);
  now += 3_600_000;
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(asked.slice(4)).toEqual([TEN + 2 * 3_600_000 - 90 * DAY]);
  await books.close(100);
  await vi.advanceTimersByTimeAsync(10 * 3_600_000);
  expect(asked).toHaveLength(5);
});

test('a store that cannot be opened stops the start', async () => {
  const fault = new LedgerFault('the disk is full');
  const store = { open: () => Promise.reject(fault), close: async () => {} } as unknown as LedgerStore;
  const books = new Books(store, { retentionDays: 90, queueMax: 1000, report: () => {} });
  await expect(books.open()).rejects.toBe(fault);
  await books.close(100);
});

test('a store that answers nothing any more does not hold up the stop', async () => {
  const never = () => new Promise<never>(() => {});
  const store: LedgerStore = { open: async () => {}, write: never, usage: never, spent: never, truths: never, prune: never, close: never };
  const books = new Books(store, { retentionDays: 90, queueMax: 1000, report: () => {} });
  await books.open();
  let closed = false;
  const closing = books.close(5_000).then(() => {
    closed = true;
  });
  await vi.advanceTimersByTimeAsync(4_999);
  expect(closed).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await closing;
});

test('of guesses for dead nodes those nodes’ own lines are told, and the database is not asked when there are none', async () => {
  const asked: (readonly string[])[] = [];
  const own = entry('2');
  let added = 2;
  const store = {
    open: async () => {},
    write: async () => added,
    truths: async (ids: readonly string[]) => {
      asked.push(ids);
      return [own];
    },
    prune: async () => 0,
    close: async () => {},
  } as unknown as LedgerStore;
  const books = new Books(store, { retentionDays: 90, queueMax: 1000, report: () => {} });
  await books.open();
  const guesses = ['1', '2'].map((id) => entry(id, { reason: 'expired' }));
  expect(await books.book(guesses)).toEqual([]);
  added = 1;
  expect(await books.book(guesses)).toEqual([own]);
  expect(asked).toEqual([['1', '2']]);
  await books.close(100);
});
