import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { auditLevels } from '../../../relay/quota/audit.ts';
import { refill } from '../../../relay/quota/bucket.ts';
import { MOST_AMOUNT } from '../../../relay/quota/limits.ts';
import type { ClosingLine } from '../../../relay/quota/lines.ts';
import { NO_USE } from '../../../relay/quota/memory-store.ts';
import type { QuotaStore } from '../../../relay/quota/store.ts';
import { ask, budget, OWNER, rpd, rpm, slots, tpm, used } from './limits.ts';
import { memoryHarness, NOON, redisHarness, TestClock } from './stores.ts';

describe.each([memoryHarness(), redisHarness()])('quota store: $name', (harness) => {
  let clock: TestClock;
  let store: QuotaStore;
  beforeAll(() => harness.start());
  afterAll(() => harness.stop());
  beforeEach(() => {
    clock = new TestClock();
    store = harness.make(clock);
  });

  const settle = (id: string, actual = used(), reason: 'done' | 'client_gone' = 'done') =>
    store.settle({ id, owner: OWNER, actual, source: 'vendor', reason, about: '' });

  /** A rate's level now in micro-units; else what is used. */
  async function level(bucket: string): Promise<number | undefined> {
    const state = (await store.levels(OWNER)).buckets.get(bucket);
    if (state?.kind !== 'rate') return state?.used;
    const now = { ...state };
    refill(now, clock.us);
    return now.level;
  }
  const audit = async () => auditLevels(await store.lines(OWNER, 10_000), await store.levels(OWNER));

  test('an admission tells what is left of the tightest limits', async () => {
    const verdict = await store.reserve(ask('a', [rpm(5000), 1], [rpd(100), 1], [tpm(250_000), 9]));
    expect(verdict).toMatchObject({
      ok: true,
      tightest: { requests: { remaining: 99, resetMs: 864_000 }, tokens: { remaining: 249_991, resetMs: 2 } },
    });
    expect(await audit()).toEqual([]);
  });

  test('5000 a minute with one taken is full again after 12 ms', async () => {
    expect(await store.reserve(ask('a', [rpm(5000), 1]))).toMatchObject({ tightest: { requests: { remaining: 4999, resetMs: 12 } } });
    clock.us += 11_999;
    expect(await level('team/rpm')).toBeLessThan(5000e6);
    clock.us += 1;
    expect(await level('team/rpm')).toBe(5000e6);
  });

  test('all or nothing: a refusal takes from no bucket, opens nothing, and names the limit that takes longest', async () => {
    await store.reserve(ask('a', [rpm(10), 1], [tpm(1000), 900], [slots(2), 1]));
    const before = await store.levels(OWNER);
    const verdict = await store.reserve(ask('b', [rpm(10), 1], [tpm(1000), 400], [slots(2), 1]));
    expect(verdict).toMatchObject({ ok: false, kind: 'wait', limit: { name: 'key.tpm' }, retryAfterMs: 18_000 });
    expect(await store.levels(OWNER)).toEqual(before);
  });

  test.each([
    { limit: tpm(1000), amount: 600, waitMs: 12_000 },
    { limit: tpm(7), amount: 7, waitMs: 60_000 },
    { limit: rpd(3), amount: 3, waitMs: 86_400_000 },
    { limit: tpm(1_000_000_007), amount: 800_000_000, waitMs: 36_000 },
  ])('the wait of $limit.name $limit.law.amount is exact', async ({ limit, amount, waitMs }) => {
    await store.reserve(ask('a', [limit, amount]));
    const verdict = await store.reserve(ask('b', [limit, amount]));
    expect(verdict.ok === false && verdict.kind === 'wait' && verdict.retryAfterMs).toBe(waitMs);
    clock.pass(waitMs - 1);
    expect(await store.reserve(ask('b', [limit, amount]))).toMatchObject({ ok: false });
    clock.pass(1);
    expect(await store.reserve(ask('b', [limit, amount]))).toMatchObject({ ok: true });
    expect(await audit()).toEqual([]);
  });

  test('odd rates do not drift: a day of small steps refills what the day refills', async () => {
    const limit = tpm(86_399, 1_000_000);
    await store.reserve(ask('a', [limit, 1_000_000]));
    await settle('a', used(1_000_000));
    for (let step = 0; step < 300; step++) {
      clock.us += 7919;
      await store.reserve(ask(`n${step}`, [limit, 0]));
    }
    expect(await level('key/ci/tpm')).toBe(Math.floor((300 * 7919 * 86_399) / 60));
    expect(await audit()).toEqual([]);
  });

  test('more than the whole limit is refused for good', async () => {
    const verdict = await store.reserve(ask('a', [rpm(10), 1], [tpm(1000), 1001]));
    expect(verdict).toMatchObject({ ok: false, kind: 'too_large', limit: { name: 'key.tpm' }, retryAfterMs: null });
    expect((await store.levels(OWNER)).buckets.size).toBe(0);
  });

  test('a burst below or above the amount is the bucket', async () => {
    expect(await store.reserve(ask('a', [tpm(1000, 10), 11]))).toMatchObject({ kind: 'too_large' });
    expect(await store.reserve(ask('b', [tpm(1000, 10), 10]))).toMatchObject({ ok: true });
    clock.pass(60_000);
    expect(await level('key/ci/tpm')).toBe(10e6);
  });

  describe('settlement', () => {
    test('gives back what was not used, once, and the slot', async () => {
      await store.reserve(ask('a', [tpm(1000), 800], [slots(1), 1]));
      expect(await settle('a', used(300))).toBe('settled');
      expect(await level('key/ci/tpm')).toBe(700e6);
      expect(await level('team/concurrency')).toBe(0);
      expect(await settle('a', used(0))).toBe('already');
      expect(await store.release(OWNER, 'a')).toBe('already');
      expect(await level('key/ci/tpm')).toBe(700e6);
      expect(await audit()).toEqual([]);
    });

    test('books what was used beyond it as a debt that delays', async () => {
      await store.reserve(ask('a', [tpm(1000), 100]));
      await settle('a', used(3000));
      expect(await level('key/ci/tpm')).toBe(-2000e6);
      expect(await store.reserve(ask('b', [tpm(1000), 0]))).toMatchObject({ kind: 'wait', retryAfterMs: 120_000 });
      expect(await store.reserve(ask('b', [tpm(1000), 1]))).toMatchObject({ kind: 'wait', retryAfterMs: 120_060 });
      clock.pass(60_000);
      expect(await level('key/ci/tpm')).toBe(-1000e6);
      expect(await audit()).toEqual([]);
    });

    test('never lifts a rate above its burst', async () => {
      await store.reserve(ask('a', [tpm(1000), 800]));
      clock.pass(60_000);
      await settle('a', used(0));
      expect(await level('key/ci/tpm')).toBe(1000e6);
      expect(await audit()).toEqual([]);
    });

    test('release gives the request back too', async () => {
      await store.reserve(ask('a', [rpm(10), 1], [tpm(1000), 500]));
      expect(await store.release(OWNER, 'a')).toBe('settled');
      expect(await level('team/rpm')).toBe(10e6);
      const [last] = (await store.lines(OWNER, 100)).slice(-1);
      expect(last).toMatchObject({ kind: 'close', id: 'a', reason: 'released', source: null, actual: NO_USE });
    });

    test('writes one line with what was asked, reserved and used', async () => {
      await store.reserve(ask('a', [rpm(10), 1], [tpm(1000), 500], [budget(1e9), 7]));
      clock.pass(10);
      const about = 'model "glm" ; 模型';
      await store.settle({ id: 'a', owner: OWNER, actual: used(620, 9), source: 'counted', reason: 'client_gone', about });
      const lines = await store.lines(OWNER, 100);
      expect(lines.map(({ kind }) => kind)).toEqual(['rate', 'rate', 'window', 'close']);
      expect(lines[3]).toEqual({
        kind: 'close',
        line: expect.any(String),
        seq: 5,
        at: NOON + 10_000,
        id: 'a',
        reason: 'client_gone',
        source: 'counted',
        actual: used(620, 9),
        corrects: false,
        takenAt: NOON,
        takenSeq: 4,
        moves: [
          { bucket: 'team/rpm', reserved: 1, actual: 1 },
          { bucket: 'key/ci/tpm', reserved: 500, actual: 620 },
          { bucket: `team/budget.month.cny@${Date.UTC(2026, 2, 1)}`, reserved: 7, actual: 9 },
        ],
        about,
      });
      expect(await store.lines(OWNER, 100, lines[2]!.line)).toEqual([lines[3]]);
      await store.dropLines(OWNER, [lines[0]!.line, lines[3]!.line]);
      expect(await store.lines(OWNER, 100)).toEqual(lines.slice(1, 3));
    });
  });

  describe('ids', () => {
    test('a repeated reservation gets its verdict again and takes nothing', async () => {
      const request = ask('a', [rpm(10), 1], [tpm(1000), 100]);
      const first = await store.reserve(request);
      const before = await store.levels(OWNER);
      expect(await store.reserve(request)).toEqual(first);
      expect(await store.levels(OWNER)).toEqual(before);
    });

    test.each(['release', 'settle'] as const)('%s before the reservation: it takes nothing when it comes', async (first) => {
      expect(first === 'release' ? await store.release(OWNER, 'a') : await settle('a', used(5))).toBe('unknown');
      expect(await store.reserve(ask('a', [rpm(10), 1]))).toEqual({ ok: false, kind: 'closed' });
      expect((await store.levels(OWNER)).buckets.size).toBe(0);
      // A use the store did not know of reaches the books all the same; a release has none.
      expect((await store.lines(OWNER, 10)).length).toBe(first === 'release' ? 0 : 1);
      expect(await audit()).toEqual([]);
    });

    test('a closed id admits no second call', async () => {
      await store.reserve(ask('a', [rpm(10), 1]));
      await settle('a');
      expect(await store.reserve(ask('a', [rpm(10), 1]))).toEqual({ ok: false, kind: 'closed' });
      expect(await level('team/rpm')).toBe(9e6);
    });

    test('is forgotten after the time of retention, not before', async () => {
      store = harness.make(clock, { retainMs: 1000 });
      await store.reserve(ask('a', [rpm(10), 1]));
      await settle('a');
      clock.pass(999);
      expect(await store.reserve(ask('a', [rpm(10), 1]))).toMatchObject({ kind: 'closed' });
      clock.pass(1);
      expect(await store.reserve(ask('a', [rpm(10), 1]))).toMatchObject({ ok: true });
      expect(await settle('a')).toBe('settled');
      expect(await audit()).toEqual([]);
    });
  });

  test('an id in use again outlives the end of its first retention, also after a clock that stepped back', async () => {
    store = harness.make(clock, { retainMs: 1000 });
    await store.release(OWNER, 'x');
    clock.pass(-500);
    await store.release(OWNER, 'a');
    clock.pass(1100);
    expect(await store.reserve(ask('a', [slots(1), 1]))).toMatchObject({ ok: true });
    clock.pass(500);
    await store.sweep(OWNER);
    expect((await store.levels(OWNER)).open.map(({ id }) => id)).toEqual(['a']);
    expect(await settle('a')).toBe('settled');
  });

  describe('leases', () => {
    test('Q6: what is past its lease is settled at its reserved amount, the slots are back', async () => {
      for (let call = 0; call < 200; call++) await store.reserve(ask(`c${call}`, [slots(200), 1], [tpm(1e6), 100]));
      expect(await store.reserve(ask('late', [slots(200), 1]))).toMatchObject({
        kind: 'wait',
        retryAfterMs: 30_000,
        limit: { name: 'team.concurrency' },
      });
      clock.pass(29_999);
      expect(await store.reserve(ask('late', [slots(200), 1]))).toMatchObject({ ok: false });
      clock.pass(1);
      expect(await store.reserve(ask('late', [slots(200), 1]))).toMatchObject({ ok: true });
      expect(await level('team/concurrency')).toBe(1);
      const closed = (await store.lines(OWNER, 1000)).filter((line): line is ClosingLine => line.kind === 'close');
      expect(closed.length).toBe(200);
      expect(closed.every(({ reason, actual }) => reason === 'expired' && actual === null)).toBe(true);
      expect(closed[0]).toMatchObject({ about: '{"key":"ci","id":"c0"}' });
      expect(await audit()).toEqual([]);
    });

    test('sweep does the same without a request', async () => {
      await store.reserve(ask('a', [slots(1), 1]));
      expect(await store.sweep(OWNER)).toBe(0);
      clock.pass(30_000);
      expect(await store.sweep(OWNER)).toBe(1);
      expect((await store.levels(OWNER)).open).toEqual([]);
      expect((await store.levels(OWNER)).buckets.size).toBe(0);
    });

    test('renewal keeps a call open, shortens no lease, and names what is lost', async () => {
      await store.reserve(ask('a', [slots(2), 1]));
      await store.reserve(ask('b', [slots(2), 1]));
      clock.pass(20_000);
      expect(await store.renew(OWNER, ['a', 'x'], 30_000)).toEqual(['x']);
      expect(await store.renew(OWNER, ['a'], 1)).toEqual([]);
      clock.pass(10_000);
      expect(await store.sweep(OWNER)).toBe(1);
      expect((await store.levels(OWNER)).open.map(({ id, deadlineUs }) => [id, deadlineUs])).toEqual([['a', NOON + 50_000_000]]);
      expect(await store.renew(OWNER, ['a', 'b'], 30_000)).toEqual(['b']);
    });

    test('the truth that comes after the sweep corrects it, once', async () => {
      await store.reserve(ask('a', [tpm(1000), 500], [slots(1), 1]));
      clock.pass(30_000);
      await store.sweep(OWNER);
      await store.reserve(ask('b', [slots(1), 1]));
      expect(await level('key/ci/tpm')).toBe(1000e6);
      expect(await settle('a', used(900))).toBe('corrected');
      expect(await level('key/ci/tpm')).toBe(600e6);
      expect(await level('team/concurrency')).toBe(1);
      expect(await settle('a', used(0))).toBe('already');
      expect(await level('key/ci/tpm')).toBe(600e6);
      expect(await audit()).toEqual([]);
    });

    test('slots: the wait is the lease after which enough are free', async () => {
      await store.reserve({ ...ask('a', [slots(3), 2]), leaseMs: 40_000 });
      await store.reserve({ ...ask('b', [slots(3), 1]), leaseMs: 10_000 });
      expect(await store.reserve(ask('c', [slots(3), 1]))).toMatchObject({ retryAfterMs: 10_000 });
      expect(await store.reserve(ask('c', [slots(3), 2]))).toMatchObject({ retryAfterMs: 40_000 });
    });
  });

  describe('windows', () => {
    test('a spent one passes when the next begins', async () => {
      await store.reserve(ask('a', [budget(100, 'day', 'Asia/Shanghai'), 100]));
      await settle('a', used(0, 100));
      // 20:00 in Shanghai: four hours to go.
      const verdict = await store.reserve(ask('b', [budget(100, 'day', 'Asia/Shanghai'), 1]));
      expect(verdict).toMatchObject({ ok: false, kind: 'spent', retryAfterMs: 4 * 3_600_000 });
      clock.pass(4 * 3_600_000 - 1);
      expect(await store.reserve(ask('b', [budget(100, 'day', 'Asia/Shanghai'), 1]))).toMatchObject({ kind: 'spent', retryAfterMs: 1 });
      clock.pass(1);
      expect(await store.reserve(ask('b', [budget(100, 'day', 'Asia/Shanghai'), 1]))).toMatchObject({ ok: true });
    });

    test('`never` is spent for ever', async () => {
      await store.reserve(ask('a', [budget(100, 'never'), 100]));
      expect(await store.reserve(ask('b', [budget(100, 'never'), 1]))).toMatchObject({ kind: 'spent', retryAfterMs: null });
    });

    test('one that has rolled over is corrected where it was taken', async () => {
      clock.us = Date.UTC(2026, 2, 31, 23, 59, 50) * 1000;
      const [march, april] = [Date.UTC(2026, 2, 1), Date.UTC(2026, 3, 1)].map((start) => `team/budget.month.cny@${start}`);
      await store.reserve(ask('a', [budget(1000), 400]));
      clock.pass(10_000);
      await store.reserve(ask('b', [budget(1000), 50]));
      await settle('a', used(0, 700));
      expect([await level(march!), await level(april!)]).toEqual([700, 50]);
      clock.pass(86_399_999);
      await store.sweep(OWNER);
      expect(await level(march!)).toBe(700);
      clock.pass(1);
      await store.sweep(OWNER);
      expect([await level(march!), await level(april!)]).toEqual([undefined, 50]);
      expect(await audit()).toEqual([]);
    });

    test('a missing one comes back from the books before anyone is admitted', async () => {
      const asked: unknown[] = [];
      store = harness.make(clock, {
        spent: async (owner, { name }, startMs, endMs) => {
          asked.push([owner, name, startMs, endMs]);
          return 990;
        },
      });
      expect(await store.reserve(ask('a', [budget(1000), 11]))).toMatchObject({ kind: 'spent' });
      expect(await store.reserve(ask('a', [budget(1000), 10]))).toMatchObject({ ok: true });
      expect(asked).toEqual([[OWNER, 'team.budget.month.cny', Date.UTC(2026, 2, 1), Date.UTC(2026, 3, 1)]]);
      expect(await audit()).toEqual([]);
    });

    test('books that cannot be read admit nobody', async () => {
      store = harness.make(clock, { spent: () => Promise.reject(new Error('books are closed')) });
      await expect(store.reserve(ask('a', [budget(1000), 1]))).rejects.toThrow('books are closed');
      expect((await store.levels(OWNER)).open).toEqual([]);
    });
  });

  describe('Q7: a changed limit', () => {
    test.each([
      { to: 2000, left: 1400 },
      { to: 700, left: 100 },
      { to: 500, left: -100 },
    ])('1000 with 600 used, then $to: $left left', async ({ to, left }) => {
      await store.reserve(ask('a', [tpm(1000), 600]));
      const verdict = await store.reserve(ask('b', [tpm(to), 0]));
      expect(verdict).toMatchObject({ ok: left >= 0, tightest: { tokens: { remaining: left } } });
      expect(await level('key/ci/tpm')).toBe(left * 1e6);
      expect(await audit()).toEqual([]);
    });

    test('binds from then on, also when its first request is refused', async () => {
      await store.reserve(ask('a', [tpm(60), 60]));
      await settle('a', used(6060));
      // 6000 in debt at 1 a second; then 100 a second.
      const verdict = await store.reserve(ask('b', [tpm(6000), 0]));
      expect(verdict).toMatchObject({ kind: 'wait', retryAfterMs: 600 });
      clock.pass(600);
      expect(await store.reserve(ask('b', [tpm(6000), 0]))).toMatchObject({ ok: true });
      expect(await audit()).toEqual([]);
    });

    test('to and fro grants nothing', async () => {
      await store.reserve(ask('a', [tpm(1000), 1000], [slots(2), 2], [budget(1000), 1000]));
      for (const amount of [5000, 1000, 3000, 1000]) await store.reserve(ask(`n${amount}`, [tpm(amount), 5000]));
      expect(await store.reserve(ask('b', [tpm(1000), 1]))).toMatchObject({ ok: false });
      expect(await store.reserve(ask('b', [slots(3), 2]))).toMatchObject({ ok: false });
      expect(await store.reserve(ask('b', [slots(3), 1], [budget(1500), 501]))).toMatchObject({ ok: false });
      expect(await store.reserve(ask('b', [slots(3), 1], [budget(1500), 500]))).toMatchObject({ ok: true });
      expect(await audit()).toEqual([]);
    });
  });

  test('a clock that steps back refills nothing, and nothing twice', async () => {
    await store.reserve(ask('a', [tpm(1000), 1000]));
    clock.pass(-10_000);
    expect(await store.reserve(ask('b', [tpm(1000), 1]))).toMatchObject({ ok: false, retryAfterMs: 10_060 });
    clock.pass(10_059);
    expect(await store.reserve(ask('b', [tpm(1000), 1]))).toMatchObject({ ok: false });
    clock.pass(1);
    expect(await store.reserve(ask('b', [tpm(1000), 1]))).toMatchObject({ ok: true });
    expect(await audit()).toEqual([]);
  });

  test('an idle, full rate is dropped after a week', async () => {
    await store.reserve(ask('a', [tpm(1000), 1000]));
    await settle('a', used(1000));
    clock.pass(7 * 86_400_000 - 1);
    await store.sweep(OWNER);
    expect(await level('key/ci/tpm')).toBe(1000e6);
    clock.pass(1);
    await store.sweep(OWNER);
    expect(await level('key/ci/tpm')).toBeUndefined();
  });

  test('owners do not see each other', async () => {
    await store.reserve(ask('a', [slots(1), 1]));
    expect(await store.reserve({ ...ask('a', [slots(1), 1]), owner: 'backend/default' })).toMatchObject({ ok: true });
  });

  test('the auditor sees a level that nobody accounts for', async () => {
    await store.reserve(ask('a', [tpm(1000), 600], [slots(1), 1]));
    const [lines, snapshot] = [await store.lines(OWNER, 100), await store.levels(OWNER)];
    expect(auditLevels(lines, { ...snapshot, open: [] })).toEqual([
      { bucket: 'key/ci/tpm', expected: 1000e6, found: 400e6 },
      { bucket: 'team/concurrency', expected: 0, found: 1 },
    ]);
  });

  test.each([
    ['a negative amount', { demands: [{ limit: tpm(10), amount: -1 }] }],
    ['half a token', { demands: [{ limit: tpm(10), amount: 0.5 }] }],
    ['no number', { demands: [{ limit: tpm(10), amount: Number.NaN }] }],
    ['one beyond counting', { demands: [{ limit: tpm(10), amount: 2 ** 53 }] }],
    ['an id with a space', { id: 'a b' }],
    ['an owner that ends the hash tag', { owner: 'team/a}b' }],
    ['no lease', { leaseMs: 0 }],
    [
      'two demands on one bucket',
      {
        demands: [
          { limit: tpm(10), amount: 1 },
          { limit: tpm(20), amount: 1 },
        ],
      },
    ],
    ['a law that does not fit', { demands: [{ limit: { ...slots(1), measure: 'tokens' as const }, amount: 1 }] }],
    ['an endless note', { about: 'x'.repeat(4097) }],
  ])('refuses %s', async (_, wrong) => {
    await expect(store.reserve({ ...ask('a', [tpm(10), 1]), ...wrong })).rejects.toThrow(RangeError);
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 5_000_000_000])('refuses %d tokens of use', async (tokens) => {
    await store.reserve(ask('a', [tpm(10), 1]));
    await expect(settle('a', used(tokens))).rejects.toThrow(RangeError);
    expect(await level('key/ci/tpm')).toBe(9e6);
  });

  test('the largest amounts stay exact', async () => {
    const most = 4_503_599_627;
    await store.reserve(ask('a', [tpm(most), most], [budget(MOST_AMOUNT), MOST_AMOUNT]));
    await settle('a', used(most, MOST_AMOUNT));
    expect(await store.reserve(ask('b', [tpm(most), 1]))).toMatchObject({ kind: 'wait', retryAfterMs: 1 });
    expect(await store.reserve(ask('b', [budget(MOST_AMOUNT), 1]))).toMatchObject({ kind: 'spent' });
    clock.us += 12_345_677;
    expect(await level('key/ci/tpm')).toBe(Number((12_345_677n * BigInt(most)) / 60n));
    expect(await audit()).toEqual([]);
  });

  test('Q1: 400 parallel calls on a limit of 50 admit exactly 50', async () => {
    const nodes = harness.nodes(4);
    const verdicts = await Promise.all(
      Array.from({ length: 400 }, (_, call) => nodes[call % 4]!.reserve(ask(`c${call}`, [rpd(50), 1], [slots(400), 1], [tpm(1e9), 10]))),
    );
    expect(verdicts.filter(({ ok }) => ok).length).toBe(50);
    expect((await nodes[0]!.levels(OWNER)).buckets.get('team/concurrency')).toEqual({ kind: 'slots', used: 50 });
    expect(auditLevels(await nodes[0]!.lines(OWNER, 1000), await nodes[0]!.levels(OWNER))).toEqual([]);
  });
});
