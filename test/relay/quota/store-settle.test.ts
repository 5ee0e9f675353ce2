import { describe, expect, test } from 'vitest';
import type { ClosingLine } from '../../../relay/quota/lines.ts';
import { NO_USE } from '../../../relay/quota/memory-store.ts';
import { describeStores } from './describe-stores.ts';
import { ask, budget, OWNER, rpm, slots, tpm, used } from './limits.ts';
import { NOON } from './stores.ts';

describeStores('settle, ids, leases', (at) => {
  describe('settlement', () => {
    test('gives back what was not used, once, and the slot', async () => {
      await at.store.reserve(ask('a', [tpm(1000), 800], [slots(1), 1]));
      expect(await at.settle('a', used(300))).toBe('settled');
      expect(await at.level('key/ci/tpm')).toBe(700e6);
      expect(await at.level('team/concurrency')).toBe(0);
      expect(await at.settle('a', used(0))).toBe('already');
      expect(await at.store.release(OWNER, 'a')).toBe('already');
      expect(await at.level('key/ci/tpm')).toBe(700e6);
      expect(await at.audit()).toEqual([]);
    });

    test('books what was used beyond it as a debt that delays', async () => {
      await at.store.reserve(ask('a', [tpm(1000), 100]));
      await at.settle('a', used(3000));
      expect(await at.level('key/ci/tpm')).toBe(-2000e6);
      expect(await at.store.reserve(ask('b', [tpm(1000), 0]))).toMatchObject({ kind: 'wait', retryAfterMs: 120_000 });
      expect(await at.store.reserve(ask('b', [tpm(1000), 1]))).toMatchObject({ kind: 'wait', retryAfterMs: 120_060 });
      at.clock.pass(60_000);
      expect(await at.level('key/ci/tpm')).toBe(-1000e6);
      expect(await at.audit()).toEqual([]);
    });

    test('never lifts a rate above its burst', async () => {
      await at.store.reserve(ask('a', [tpm(1000), 800]));
      at.clock.pass(60_000);
      await at.settle('a', used(0));
      expect(await at.level('key/ci/tpm')).toBe(1000e6);
      expect(await at.audit()).toEqual([]);
    });

    test('release gives the request back too', async () => {
      await at.store.reserve(ask('a', [rpm(10), 1], [tpm(1000), 500]));
      expect(await at.store.release(OWNER, 'a')).toBe('settled');
      expect(await at.level('team/rpm')).toBe(10e6);
      const [last] = (await at.store.lines(OWNER, 100)).slice(-1);
      expect(last).toMatchObject({ kind: 'close', id: 'a', reason: 'released', source: null, actual: NO_USE });
    });

    test('writes one line with what was asked, reserved and used', async () => {
      await at.store.reserve(ask('a', [rpm(10), 1], [tpm(1000), 500], [budget(1e9), 7]));
      at.clock.pass(10);
      const about = 'model "glm" ; 模型';
      await at.store.settle({ id: 'a', owner: OWNER, actual: used(620, 9), source: 'counted', reason: 'client_gone', about });
      const lines = await at.store.lines(OWNER, 100);
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
      expect(await at.store.lines(OWNER, 100, lines[2]!.line)).toEqual([lines[3]]);
      await at.store.dropLines(OWNER, [lines[0]!.line, lines[3]!.line]);
      expect(await at.store.lines(OWNER, 100)).toEqual(lines.slice(1, 3));
    });
  });

  describe('ids', () => {
    test('a repeated reservation gets its verdict again and takes nothing', async () => {
      const request = ask('a', [rpm(10), 1], [tpm(1000), 100]);
      const first = await at.store.reserve(request);
      const before = await at.store.levels(OWNER);
      expect(await at.store.reserve(request)).toEqual(first);
      expect(await at.store.levels(OWNER)).toEqual(before);
    });

    test.each(['release', 'settle'] as const)('%s before the reservation: it takes nothing when it comes', async (first) => {
      expect(first === 'release' ? await at.store.release(OWNER, 'a') : await at.settle('a', used(5))).toBe('unknown');
      expect(await at.store.reserve(ask('a', [rpm(10), 1]))).toEqual({ ok: false, kind: 'closed' });
      expect((await at.store.levels(OWNER)).buckets.size).toBe(0);
      // A use the store did not know of reaches the books all the same; a release has none.
      expect((await at.store.lines(OWNER, 10)).length).toBe(first === 'release' ? 0 : 1);
      expect(await at.audit()).toEqual([]);
    });

    test('a closed id admits no second call', async () => {
      await at.store.reserve(ask('a', [rpm(10), 1]));
      await at.settle('a');
      expect(await at.store.reserve(ask('a', [rpm(10), 1]))).toEqual({ ok: false, kind: 'closed' });
      expect(await at.level('team/rpm')).toBe(9e6);
    });

    test('is forgotten after the time of retention, not before', async () => {
      at.store = at.harness.make(at.clock, { retainMs: 1000 });
      await at.store.reserve(ask('a', [rpm(10), 1]));
      await at.settle('a');
      at.clock.pass(999);
      expect(await at.store.reserve(ask('a', [rpm(10), 1]))).toMatchObject({ kind: 'closed' });
      at.clock.pass(1);
      expect(await at.store.reserve(ask('a', [rpm(10), 1]))).toMatchObject({ ok: true });
      expect(await at.settle('a')).toBe('settled');
      expect(await at.audit()).toEqual([]);
    });
  });

  test('an id in use again outlives the end of its first retention, also after a clock that stepped back', async () => {
    at.store = at.harness.make(at.clock, { retainMs: 1000 });
    await at.store.release(OWNER, 'x');
    at.clock.pass(-500);
    await at.store.release(OWNER, 'a');
    at.clock.pass(1100);
    expect(await at.store.reserve(ask('a', [slots(1), 1]))).toMatchObject({ ok: true });
    at.clock.pass(500);
    await at.store.sweep(OWNER);
    expect((await at.store.levels(OWNER)).open.map(({ id }) => id)).toEqual(['a']);
    expect(await at.settle('a')).toBe('settled');
  });

  describe('leases', () => {
    test('Q6: what is past its lease is settled at its reserved amount, the slots are back', async () => {
      for (let call = 0; call < 200; call++) await at.store.reserve(ask(`c${call}`, [slots(200), 1], [tpm(1e6), 100]));
      expect(await at.store.reserve(ask('late', [slots(200), 1]))).toMatchObject({
        kind: 'wait',
        retryAfterMs: 30_000,
        limit: { name: 'team.concurrency' },
      });
      at.clock.pass(29_999);
      expect(await at.store.reserve(ask('late', [slots(200), 1]))).toMatchObject({ ok: false });
      at.clock.pass(1);
      expect(await at.store.reserve(ask('late', [slots(200), 1]))).toMatchObject({ ok: true });
      expect(await at.level('team/concurrency')).toBe(1);
      const closed = (await at.store.lines(OWNER, 1000)).filter((line): line is ClosingLine => line.kind === 'close');
      expect(closed.length).toBe(200);
      expect(closed.every(({ reason, actual }) => reason === 'expired' && actual === null)).toBe(true);
      expect(closed[0]).toMatchObject({ about: '{"key":"ci","id":"c0"}' });
      expect(await at.audit()).toEqual([]);
    });

    test('sweep does the same without a request', async () => {
      await at.store.reserve(ask('a', [slots(1), 1]));
      expect(await at.store.sweep(OWNER)).toBe(0);
      at.clock.pass(30_000);
      expect(await at.store.sweep(OWNER)).toBe(1);
      expect((await at.store.levels(OWNER)).open).toEqual([]);
      expect((await at.store.levels(OWNER)).buckets.size).toBe(0);
    });

    test('renewal keeps a call open, shortens no lease, and names what is lost', async () => {
      await at.store.reserve(ask('a', [slots(2), 1]));
      await at.store.reserve(ask('b', [slots(2), 1]));
      at.clock.pass(20_000);
      expect(await at.store.renew(OWNER, ['a', 'x'], 30_000)).toEqual(['x']);
      expect(await at.store.renew(OWNER, ['a'], 1)).toEqual([]);
      at.clock.pass(10_000);
      expect(await at.store.sweep(OWNER)).toBe(1);
      expect((await at.store.levels(OWNER)).open.map(({ id, deadlineUs }) => [id, deadlineUs])).toEqual([['a', NOON + 50_000_000]]);
      expect(await at.store.renew(OWNER, ['a', 'b'], 30_000)).toEqual(['b']);
    });

    test('the truth that comes after the sweep corrects it, once', async () => {
      await at.store.reserve(ask('a', [tpm(1000), 500], [slots(1), 1]));
      at.clock.pass(30_000);
      await at.store.sweep(OWNER);
      await at.store.reserve(ask('b', [slots(1), 1]));
      expect(await at.level('key/ci/tpm')).toBe(1000e6);
      expect(await at.settle('a', used(900))).toBe('corrected');
      expect(await at.level('key/ci/tpm')).toBe(600e6);
      expect(await at.level('team/concurrency')).toBe(1);
      expect(await at.settle('a', used(0))).toBe('already');
      expect(await at.level('key/ci/tpm')).toBe(600e6);
      expect(await at.audit()).toEqual([]);
    });

    test('slots: the wait is the lease after which enough are free', async () => {
      await at.store.reserve({ ...ask('a', [slots(3), 2]), leaseMs: 40_000 });
      await at.store.reserve({ ...ask('b', [slots(3), 1]), leaseMs: 10_000 });
      expect(await at.store.reserve(ask('c', [slots(3), 1]))).toMatchObject({ retryAfterMs: 10_000 });
      expect(await at.store.reserve(ask('c', [slots(3), 2]))).toMatchObject({ retryAfterMs: 40_000 });
    });
  });
});
