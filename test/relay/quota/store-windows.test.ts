import { describe, expect, test } from 'vitest';
import { MOST_AMOUNT } from '../../../relay/quota/limits.ts';
import { describeStores } from './describe-stores.ts';
import { ask, budget, OWNER, slots, tpm, used } from './limits.ts';

describeStores('windows and changed limits', (at) => {
  describe('windows', () => {
    test('a spent one passes when the next begins', async () => {
      await at.store.reserve(ask('a', [budget(100, 'day', 'Asia/Shanghai'), 100]));
      await at.settle('a', used(0, 100));
      // 20:00 in Shanghai: four hours to go.
      const verdict = await at.store.reserve(ask('b', [budget(100, 'day', 'Asia/Shanghai'), 1]));
      expect(verdict).toMatchObject({ ok: false, kind: 'spent', retryAfterMs: 4 * 3_600_000 });
      at.clock.pass(4 * 3_600_000 - 1);
      expect(await at.store.reserve(ask('b', [budget(100, 'day', 'Asia/Shanghai'), 1]))).toMatchObject({ kind: 'spent', retryAfterMs: 1 });
      at.clock.pass(1);
      expect(await at.store.reserve(ask('b', [budget(100, 'day', 'Asia/Shanghai'), 1]))).toMatchObject({ ok: true });
    });

    test('`never` is spent for ever', async () => {
      await at.store.reserve(ask('a', [budget(100, 'never'), 100]));
      expect(await at.store.reserve(ask('b', [budget(100, 'never'), 1]))).toMatchObject({ kind: 'spent', retryAfterMs: null });
    });

    test('one that has rolled over is corrected where it was taken', async () => {
      at.clock.us = Date.UTC(2026, 2, 31, 23, 59, 50) * 1000;
      const [march, april] = [Date.UTC(2026, 2, 1), Date.UTC(2026, 3, 1)].map((start) => `team/budget.month.cny@${start}`);
      await at.store.reserve(ask('a', [budget(1000), 400]));
      at.clock.pass(10_000);
      await at.store.reserve(ask('b', [budget(1000), 50]));
      await at.settle('a', used(0, 700));
      expect([await at.level(march!), await at.level(april!)]).toEqual([700, 50]);
      at.clock.pass(86_399_999);
      await at.store.sweep(OWNER);
      expect(await at.level(march!)).toBe(700);
      at.clock.pass(1);
      await at.store.sweep(OWNER);
      expect([await at.level(march!), await at.level(april!)]).toEqual([undefined, 50]);
      expect(await at.audit()).toEqual([]);
    });

    test('a missing one comes back from the books before anyone is admitted', async () => {
      const asked: unknown[] = [];
      at.store = at.harness.make(at.clock, {
        spent: async (owner, { name }, startMs, endMs) => {
          asked.push([owner, name, startMs, endMs]);
          return 990;
        },
      });
      expect(await at.store.reserve(ask('a', [budget(1000), 11]))).toMatchObject({ kind: 'spent' });
      expect(await at.store.reserve(ask('a', [budget(1000), 10]))).toMatchObject({ ok: true });
      expect(asked).toEqual([[OWNER, 'team.budget.month.cny', Date.UTC(2026, 2, 1), Date.UTC(2026, 3, 1)]]);
      expect(await at.audit()).toEqual([]);
    });

    test('books that cannot be read admit nobody', async () => {
      at.store = at.harness.make(at.clock, { spent: () => Promise.reject(new Error('books are closed')) });
      await expect(at.store.reserve(ask('a', [budget(1000), 1]))).rejects.toThrow('books are closed');
      expect((await at.store.levels(OWNER)).open).toEqual([]);
    });
  });

  describe('Q7: a changed limit', () => {
    test.each([
      { to: 2000, left: 1400 },
      { to: 700, left: 100 },
      { to: 500, left: -100 },
    ])('1000 with 600 used, then $to: $left left', async ({ to, left }) => {
      await at.store.reserve(ask('a', [tpm(1000), 600]));
      const verdict = await at.store.reserve(ask('b', [tpm(to), 0]));
      expect(verdict).toMatchObject({ ok: left >= 0, tightest: { tokens: { remaining: left } } });
      expect(await at.level('key/ci/tpm')).toBe(left * 1e6);
      expect(await at.audit()).toEqual([]);
    });

    test('binds from then on, also when its first request is refused', async () => {
      await at.store.reserve(ask('a', [tpm(60), 60]));
      await at.settle('a', used(6060));
      // 6000 in debt at 1 a second; then 100 a second.
      const verdict = await at.store.reserve(ask('b', [tpm(6000), 0]));
      expect(verdict).toMatchObject({ kind: 'wait', retryAfterMs: 600 });
      at.clock.pass(600);
      expect(await at.store.reserve(ask('b', [tpm(6000), 0]))).toMatchObject({ ok: true });
      expect(await at.audit()).toEqual([]);
    });

    test('to and fro grants nothing', async () => {
      await at.store.reserve(ask('a', [tpm(1000), 1000], [slots(2), 2], [budget(1000), 1000]));
      for (const amount of [5000, 1000, 3000, 1000]) await at.store.reserve(ask(`n${amount}`, [tpm(amount), 5000]));
      expect(await at.store.reserve(ask('b', [tpm(1000), 1]))).toMatchObject({ ok: false });
      expect(await at.store.reserve(ask('b', [slots(3), 2]))).toMatchObject({ ok: false });
      expect(await at.store.reserve(ask('b', [slots(3), 1], [budget(1500), 501]))).toMatchObject({ ok: false });
      expect(await at.store.reserve(ask('b', [slots(3), 1], [budget(1500), 500]))).toMatchObject({ ok: true });
      expect(await at.audit()).toEqual([]);
    });
  });

  test('a clock that steps back refills nothing, and nothing twice', async () => {
    await at.store.reserve(ask('a', [tpm(1000), 1000]));
    at.clock.pass(-10_000);
    expect(await at.store.reserve(ask('b', [tpm(1000), 1]))).toMatchObject({ ok: false, retryAfterMs: 10_060 });
    at.clock.pass(10_059);
    expect(await at.store.reserve(ask('b', [tpm(1000), 1]))).toMatchObject({ ok: false });
    at.clock.pass(1);
    expect(await at.store.reserve(ask('b', [tpm(1000), 1]))).toMatchObject({ ok: true });
    expect(await at.audit()).toEqual([]);
  });

  test('the largest amounts stay exact', async () => {
    const most = 4_503_599_627;
    await at.store.reserve(ask('a', [tpm(most), most], [budget(MOST_AMOUNT), MOST_AMOUNT]));
    await at.settle('a', used(most, MOST_AMOUNT));
    expect(await at.store.reserve(ask('b', [tpm(most), 1]))).toMatchObject({ kind: 'wait', retryAfterMs: 1 });
    expect(await at.store.reserve(ask('b', [budget(MOST_AMOUNT), 1]))).toMatchObject({ kind: 'spent' });
    at.clock.us += 12_345_677;
    expect(await at.level('key/ci/tpm')).toBe(Number((12_345_677n * BigInt(most)) / 60n));
    expect(await at.audit()).toEqual([]);
  });
});
