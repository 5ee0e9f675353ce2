import { expect, test } from 'vitest';
import { auditLevels } from '../../../relay/quota/audit.ts';
import { describeStores } from './describe-stores.ts';
import { ask, OWNER, rpd, rpm, slots, tpm, used } from './limits.ts';

describeStores('reserve', (at) => {
  test('an admission tells what is left of the tightest limits', async () => {
    const verdict = await at.store.reserve(ask('a', [rpm(5000), 1], [rpd(100), 1], [tpm(250_000), 9]));
    expect(verdict).toMatchObject({
      ok: true,
      tightest: { requests: { remaining: 99, resetMs: 864_000 }, tokens: { remaining: 249_991, resetMs: 2 } },
    });
    expect(await at.audit()).toEqual([]);
  });

  test.each([
    { limits: [rpm(1), tpm(10)], roomy: [true] },
    { limits: [slots(4)], roomy: [true, true, false, false] },
    { limits: [slots(1)], roomy: [false] },
    { limits: [slots(3), { ...slots(8), bucket: 'key/ci/concurrency' }], roomy: [true, false, false] },
  ])('$roomy.length in a row: roomy as long as half of every slots limit is free', async ({ limits, roomy }) => {
    const found: unknown[] = [];
    for (const place of roomy.keys()) {
      found.push(await at.store.reserve(ask(`n${place}`, ...limits.map((limit): [typeof limit, number] => [limit, 1]))));
    }
    expect(found).toMatchObject(roomy.map((one) => ({ ok: true, roomy: one })));
  });

  test('5000 a minute with one taken is full again after 12 ms', async () => {
    expect(await at.store.reserve(ask('a', [rpm(5000), 1]))).toMatchObject({ tightest: { requests: { remaining: 4999, resetMs: 12 } } });
    at.clock.us += 11_999;
    expect(await at.level('team/rpm')).toBeLessThan(5000e6);
    at.clock.us += 1;
    expect(await at.level('team/rpm')).toBe(5000e6);
  });

  test('all or nothing: a refusal takes from no bucket, opens nothing, and names the limit that takes longest', async () => {
    await at.store.reserve(ask('a', [rpm(10), 1], [tpm(1000), 900], [slots(2), 1]));
    const before = await at.store.levels(OWNER);
    const verdict = await at.store.reserve(ask('b', [rpm(10), 1], [tpm(1000), 400], [slots(2), 1]));
    expect(verdict).toMatchObject({ ok: false, kind: 'wait', limit: { name: 'key.tpm' }, retryAfterMs: 18_000 });
    expect(await at.store.levels(OWNER)).toEqual(before);
  });

  test.each([
    { limit: tpm(1000), amount: 600, waitMs: 12_000 },
    { limit: tpm(7), amount: 7, waitMs: 60_000 },
    { limit: rpd(3), amount: 3, waitMs: 86_400_000 },
    { limit: tpm(1_000_000_007), amount: 800_000_000, waitMs: 36_000 },
  ])('the wait of $limit.name $limit.law.amount is exact', async ({ limit, amount, waitMs }) => {
    await at.store.reserve(ask('a', [limit, amount]));
    const verdict = await at.store.reserve(ask('b', [limit, amount]));
    expect(verdict.ok === false && verdict.kind === 'wait' && verdict.retryAfterMs).toBe(waitMs);
    at.clock.pass(waitMs - 1);
    expect(await at.store.reserve(ask('b', [limit, amount]))).toMatchObject({ ok: false });
    at.clock.pass(1);
    expect(await at.store.reserve(ask('b', [limit, amount]))).toMatchObject({ ok: true });
    expect(await at.audit()).toEqual([]);
  });

  test('odd rates do not drift: a day of small steps refills what the day refills', async () => {
    const limit = tpm(86_399, 1_000_000);
    await at.store.reserve(ask('a', [limit, 1_000_000]));
    await at.settle('a', used(1_000_000));
    for (let step = 0; step < 300; step++) {
      at.clock.us += 7919;
      await at.store.reserve(ask(`n${step}`, [limit, 0]));
    }
    expect(await at.level('key/ci/tpm')).toBe(Math.floor((300 * 7919 * 86_399) / 60));
    expect(await at.audit()).toEqual([]);
  });

  test('more than the whole limit is refused for good', async () => {
    const verdict = await at.store.reserve(ask('a', [rpm(10), 1], [tpm(1000), 1001]));
    expect(verdict).toMatchObject({ ok: false, kind: 'too_large', limit: { name: 'key.tpm' }, retryAfterMs: null });
    expect((await at.store.levels(OWNER)).buckets.size).toBe(0);
  });

  test('a burst below or above the amount is the bucket', async () => {
    expect(await at.store.reserve(ask('a', [tpm(1000, 10), 11]))).toMatchObject({ kind: 'too_large' });
    expect(await at.store.reserve(ask('b', [tpm(1000, 10), 10]))).toMatchObject({ ok: true });
    at.clock.pass(60_000);
    expect(await at.level('key/ci/tpm')).toBe(10e6);
  });

  test('an idle, full rate is dropped after a week', async () => {
    await at.store.reserve(ask('a', [tpm(1000), 1000]));
    await at.settle('a', used(1000));
    at.clock.pass(7 * 86_400_000 - 1);
    await at.store.sweep(OWNER);
    expect(await at.level('key/ci/tpm')).toBe(1000e6);
    at.clock.pass(1);
    await at.store.sweep(OWNER);
    expect(await at.level('key/ci/tpm')).toBeUndefined();
  });

  test('owners do not see each other', async () => {
    await at.store.reserve(ask('a', [slots(1), 1]));
    expect(await at.store.reserve({ ...ask('a', [slots(1), 1]), owner: 'backend/default' })).toMatchObject({ ok: true });
  });

  test('the auditor sees a level that nobody accounts for', async () => {
    await at.store.reserve(ask('a', [tpm(1000), 600], [slots(1), 1]));
    const [lines, snapshot] = [await at.store.lines(OWNER, 100), await at.store.levels(OWNER)];
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
    await expect(at.store.reserve({ ...ask('a', [tpm(10), 1]), ...wrong })).rejects.toThrow(RangeError);
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 5_000_000_000])('refuses %d tokens of use', async (tokens) => {
    await at.store.reserve(ask('a', [tpm(10), 1]));
    await expect(at.settle('a', used(tokens))).rejects.toThrow(RangeError);
    expect(await at.level('key/ci/tpm')).toBe(9e6);
  });

  test('Q1: 400 parallel calls on a limit of 50 admit exactly 50', async () => {
    const nodes = at.harness.nodes(4);
    const verdicts = await Promise.all(
      Array.from({ length: 400 }, (_, call) => nodes[call % 4]!.reserve(ask(`c${call}`, [rpd(50), 1], [slots(400), 1], [tpm(1e9), 10]))),
    );
    expect(verdicts.filter(({ ok }) => ok).length).toBe(50);
    expect((await nodes[0]!.levels(OWNER)).buckets.get('team/concurrency')).toEqual({ kind: 'slots', used: 50 });
    expect(auditLevels(await nodes[0]!.lines(OWNER, 1000), await nodes[0]!.levels(OWNER))).toEqual([]);
  });
});
