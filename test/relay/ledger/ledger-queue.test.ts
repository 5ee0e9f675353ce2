import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LedgerEntry } from '../../../relay/ledger/ledger-entry.ts';
import { LedgerQueue } from '../../../relay/ledger/ledger-queue.ts';
import { type LedgerEvent, LedgerFault, type LedgerStore } from '../../../relay/ledger/ledger-store.ts';
import { entry } from './entries.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Verdict = 'ok' | 'down' | 'lost-reply' | 'hang';

/** A store in memory whose next answers are told beforehand; then all is well. */
class Desk implements LedgerStore {
  readonly lines = new Map<string, LedgerEntry>();
  readonly batches: number[] = [];
  readonly events: LedgerEvent[] = [];
  readonly refused = new Set<string>();
  verdicts: Verdict[] = [];
  always: Verdict = 'ok';
  running = 0;

  queue(max = 100_000): LedgerQueue {
    const queue = new LedgerQueue(this, { max, batchRows: 500, batchMs: 50 }, (event) => this.events.push(event));
    queue.start();
    return queue;
  }

  async write(entries: readonly LedgerEntry[]): Promise<number> {
    expect(++this.running).toBe(1);
    await Promise.resolve();
    this.running--;
    const verdict = this.verdicts.shift() ?? this.always;
    if (verdict === 'hang') return new Promise(() => {});
    if (verdict === 'down') throw new LedgerFault('nothing listens there');
    if (entries.some(({ id }) => this.refused.has(id))) throw new LedgerFault('a bad line', { permanent: true });
    this.batches.push(entries.length);
    let fresh = 0;
    for (const line of entries) if (!this.lines.has(line.id)) fresh += this.lines.set(line.id, line).size > 0 ? 1 : 0;
    if (verdict === 'lost-reply') throw new LedgerFault('the connection was lost');
    return fresh;
  }

  open = async (): Promise<void> => {};
  usage = async (): Promise<[]> => [];
  spent = async (): Promise<[]> => [];
  truths = async (): Promise<[]> => [];
  prune = async (): Promise<number> => 0;
  close = async (): Promise<void> => {};

  types(): string[] {
    return this.events.map(({ type }) => type);
  }
}

const add = (queue: LedgerQueue, from: number, to: number): void => {
  for (let index = from; index < to; index++) queue.add(entry(`req_${index}`));
};

describe('batches', () => {
  test('a few lines wait 50 ms for more, 500 do not wait', async () => {
    const desk = new Desk();
    const queue = desk.queue();
    add(queue, 0, 3);
    await vi.advanceTimersByTimeAsync(49);
    expect(desk.batches).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(desk.batches).toEqual([3]);
    add(queue, 3, 1103);
    await vi.advanceTimersByTimeAsync(0);
    expect(desk.batches).toEqual([3, 500, 500]);
    await vi.advanceTimersByTimeAsync(50);
    expect(desk.batches).toEqual([3, 500, 500, 100]);
    expect([...desk.lines.keys()]).toEqual(Array.from({ length: 1103 }, (_, index) => `req_${index}`));
  });

  test('nothing is written before the store is open; then everything is', async () => {
    const desk = new Desk();
    const queue = new LedgerQueue(desk, { max: 10, batchRows: 5, batchMs: 50 }, () => {});
    add(queue, 0, 7);
    await vi.advanceTimersByTimeAsync(1000);
    expect(desk.lines.size).toBe(0);
    queue.start();
    await vi.advanceTimersByTimeAsync(100);
    expect(desk.lines.size).toBe(7);
  });

  test('a reader waits for its line, not for the batch to fill, and not for ever', async () => {
    const desk = new Desk();
    const queue = desk.queue();
    add(queue, 0, 1);
    await queue.written(250);
    expect(desk.lines.size).toBe(1);
    desk.always = 'hang';
    add(queue, 1, 2);
    const waited = queue.written(250).then(() => 'over');
    await vi.advanceTimersByTimeAsync(250);
    expect(await waited).toBe('over');
  });
});

describe('a database that fails', () => {
  test('is tried again with growing pauses; told once; every line arrives in order', async () => {
    const desk = new Desk();
    const queue = desk.queue();
    desk.always = 'down';
    add(queue, 0, 700);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(desk.types()).toEqual(['store-down']);
    expect(queue.down).toBe(true);
    expect(queue.waiting).toBe(700);
    desk.always = 'ok';
    await vi.advanceTimersByTimeAsync(5_000);
    expect([...desk.lines.keys()]).toEqual(Array.from({ length: 700 }, (_, index) => `req_${index}`));
    expect(desk.types()).toEqual(['store-down', 'store-back']);
    expect(queue.waiting).toBe(0);
  });

  test('keeps lines up to the bound; what is lost beyond it is counted and told, at once and then every 10 s', async () => {
    const desk = new Desk();
    const queue = desk.queue(1000);
    desk.always = 'down';
    add(queue, 0, 1500);
    expect(queue.waiting).toBe(1000);
    expect(desk.events.filter(({ type }) => type === 'lines-dropped')).toEqual([{ type: 'lines-dropped', lost: 1, lostInAll: 1 }]);
    await vi.advanceTimersByTimeAsync(10_000);
    add(queue, 1500, 1501);
    expect(desk.events.at(-1)).toEqual({ type: 'lines-dropped', lost: 500, lostInAll: 501 });
    add(queue, 1501, 1510);
    desk.always = 'ok';
    await vi.advanceTimersByTimeAsync(10_000);
    expect(desk.events.at(-1)).toEqual({ type: 'lines-dropped', lost: 9, lostInAll: 510 });
    expect(desk.lines.size).toBe(1000);
    expect(queue.lost).toBe(510);
  });

  test('that refuses a line loses that line alone, and says which', async () => {
    const desk = new Desk();
    const queue = desk.queue();
    desk.refused.add('req_3').add('req_77');
    add(queue, 0, 100);
    await vi.advanceTimersByTimeAsync(100);
    expect(desk.lines.size).toBe(98);
    expect(desk.events.map((event) => (event.type === 'line-refused' ? event.entry.id : event.type))).toEqual(['req_3', 'req_77']);
    expect(queue.lost).toBe(2);
  });
});

describe('the stop', () => {
  test('writes what waits', async () => {
    const desk = new Desk();
    const queue = desk.queue();
    add(queue, 0, 1234);
    await queue.close(10_000);
    expect(desk.lines.size).toBe(1234);
    expect(desk.events).toEqual([]);
  });

  test('wakes a queue that pauses after a failure', async () => {
    const desk = new Desk();
    const queue = desk.queue();
    desk.always = 'down';
    add(queue, 0, 10);
    await vi.advanceTimersByTimeAsync(60_000);
    desk.always = 'ok';
    const closed = queue.close(10_000);
    await vi.advanceTimersByTimeAsync(0);
    expect(desk.lines.size).toBe(10);
    await closed;
  });

  test.each(['down', 'hang'] as const)('ends in time when the database is %s, and tells how many are lost', async (verdict) => {
    const desk = new Desk();
    const queue = desk.queue();
    desk.always = verdict;
    add(queue, 0, 600);
    const closed = queue.close(10_000);
    await vi.advanceTimersByTimeAsync(10_200);
    await closed;
    expect(desk.events.at(-1)).toEqual({ type: 'lines-unwritten', lost: 600, lostInAll: 600 });
  });
});

test('whatever fails in whatever order, each line is written once', async () => {
  const verdict = fc.constantFrom<Verdict>('ok', 'down', 'lost-reply');
  const step = fc.record({ lines: fc.nat(900), waitMs: fc.nat(3000), verdicts: fc.array(verdict, { maxLength: 5 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      const desk = new Desk();
      const queue = desk.queue();
      let added = 0;
      for (const { lines, waitMs, verdicts } of steps) {
        desk.verdicts.push(...verdicts);
        add(queue, added, added + lines);
        added += lines;
        await vi.advanceTimersByTimeAsync(waitMs);
      }
      desk.verdicts = [];
      const closed = queue.close(10_000);
      await vi.advanceTimersByTimeAsync(10_000);
      await closed;
      expect(desk.lines.size).toBe(added);
      expect(queue.lost).toBe(0);
      expect(queue.waiting).toBe(0);
    }),
    { numRuns: 60 },
  );
});
