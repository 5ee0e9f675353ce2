import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditLevels } from '../../../relay/quota/audit.ts';
import { type Demand, type Limit, rateLaw, slotsLaw, windowLaw } from '../../../relay/quota/limits.ts';
import type { Line } from '../../../relay/quota/lines.ts';
import type { QuotaStore } from '../../../relay/quota/store.ts';
import { OWNER } from './limits.ts';
import { REDIS } from './redis-server.ts';
import { memoryHarness, redisHarness, TestClock } from './stores.ts';

/**
 * The same sequences of calls and clock steps on the memory store and on a real Redis: every answer, level and line is equal to the
 * integer, the auditor finds no drift at the end, refusals change nothing, and a wait that was told is true.
 */
type Act =
  | { readonly do: 'reserve'; readonly id: string; readonly demands: readonly Demand[]; readonly leaseMs: number }
  | { readonly do: 'settle'; readonly id: string; readonly tokens: number; readonly money: number; readonly requests: number }
  | { readonly do: 'release'; readonly id: string }
  | { readonly do: 'renew'; readonly ids: readonly string[]; readonly leaseMs: number }
  | { readonly do: 'sweep' }
  | { readonly do: 'pass'; readonly us: number };

const limit = (bucket: string, measure: Limit['measure'], law: Limit['law']): Limit => ({ name: bucket, bucket, measure, law });

/** Each bucket under two laws: they change from call to call as on nodes that have not all reloaded yet. */
const LIMITS: readonly (readonly [limits: readonly Limit[], amounts: fc.Arbitrary<number>])[] = [
  [[limit('rpm', 'requests', rateLaw(7, 60_000)), limit('rpm', 'requests', rateLaw(5, 60_000, 9))], fc.constant(1)],
  [[limit('rpd', 'requests', rateLaw(11, 86_400_000)), limit('rpd', 'requests', rateLaw(6, 86_400_000))], fc.constant(1)],
  [[limit('tpm', 'tokens', rateLaw(1009, 60_000)), limit('tpm', 'tokens', rateLaw(499, 59_999, 600))], fc.integer({ min: 0, max: 1100 })],
  [[limit('slots', 'concurrency', slotsLaw(3)), limit('slots', 'concurrency', slotsLaw(2))], fc.integer({ min: 1, max: 2 })],
  [[limit('hour', 'nanoCny', windowLaw(500, 'hour', 'Asia/Kolkata'))], fc.integer({ min: 0, max: 200 })],
  [[limit('ever', 'tokens', windowLaw(5000, 'never', 'UTC'))], fc.integer({ min: 0, max: 900 })],
];

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g');
const demands = fc
  .tuple(...LIMITS.map(([limits, amounts]) => fc.option(fc.record({ limit: fc.constantFrom(...limits), amount: amounts }), { freq: 2 })))
  .map((some) => some.filter((demand): demand is Demand => demand !== null));
const leaseMs = fc.constantFrom(1, 1000, 30_000, 600_000);
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('reserve' as const), id, demands, leaseMs }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      id,
      tokens: fc.oneof(fc.nat(1200), fc.constant(4_503_599_627)),
      money: fc.nat(300),
      requests: fc.nat(1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), id }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('renew' as const), ids: fc.uniqueArray(id), leaseMs }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sweep' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      us: fc.oneof(fc.nat(2_000_000), fc.nat(90_000_000), fc.nat(200_000_000_000), fc.integer({ min: -5_000_000, max: 0 })),
    }),
  },
);

/** A clock that steps back across the end of an auditor's time, after a sweep has ended it. */
const STEPPED_BACK: (Act | { do: 'listen'; ms: 1000 })[] = [
  { do: 'listen', ms: 1000 },
  { do: 'pass', us: 1_000_000 },
  { do: 'sweep' },
  { do: 'pass', us: -1 },
  { do: 'settle', id: 'a', tokens: 1, money: 0, requests: 0 },
];

/** An error is an answer too: the same id with other demands. */
function perform(store: QuotaStore, call: Exclude<Act, { do: 'pass' }>): Promise<unknown> {
  return request(store, call).catch((error: Error) => error.message);
}

function request(store: QuotaStore, call: Exclude<Act, { do: 'pass' }>): Promise<unknown> {
  switch (call.do) {
    case 'reserve':
      return store.reserve({ id: call.id, owner: OWNER, demands: call.demands, leaseMs: call.leaseMs, about: call.id });
    case 'settle': {
      const actual = { requests: call.requests, tokens: call.tokens, nanoCny: call.money, nanoUsd: 0 };
      return store.settle({ id: call.id, owner: OWNER, actual, source: 'vendor', reason: 'done', about: call.id });
    }
    case 'release':
      return store.release(OWNER, call.id);
    case 'renew':
      return store.renew(OWNER, call.ids, call.leaseMs);
    case 'sweep':
      return store.sweep(OWNER);
  }
}

const withoutPlace = (lines: readonly Line[]) => lines.map(({ line: _, ...rest }) => rest);

const memory = memoryHarness();

describe.each(REDIS)('memory and %s agree', () => {
  const redis = redisHarness();
  beforeAll(() => redis.start());
  afterAll(() => redis.stop());

  test('on every answer, level and line', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 40 }), async (acts) => {
        const clock = new TestClock();
        const options = { retainMs: 45_000, spent: async () => 17 };
        const stores = [memory.make(clock, options), redis.make(clock, options)] as const;
        for (const call of acts) {
          if (call.do === 'pass') {
            clock.us += call.us;
            continue;
          }
          const answers = [await perform(stores[0], call), await perform(stores[1], call)];
          expect(answers[1]).toEqual(answers[0]);
          const levels = [await stores[0].levels(OWNER), await stores[1].levels(OWNER)] as const;
          expect(levels[1]).toEqual(levels[0]);
        }
        const lines = [await stores[0].lines(OWNER, 1000), await stores[1].lines(OWNER, 1000)] as const;
        expect(withoutPlace(lines[1])).toEqual(withoutPlace(lines[0]));
        for (const at of [0, 1] as const) expect(auditLevels(lines[at], await stores[at].levels(OWNER))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test('on the lines they keep, and what an auditor hears is whole', { timeout: 120_000 }, async () => {
    const listening = fc.record({ do: fc.constant('listen' as const), ms: fc.constantFrom(0, 1000, 600_000) });
    const dropping = fc.record({ do: fc.constant('drop' as const), most: fc.nat(3) });
    const calls = fc.array(
      fc.oneof({ weight: 5, arbitrary: act }, { weight: 1, arbitrary: listening }, { weight: 1, arbitrary: dropping }),
      {
        minLength: 5,
        maxLength: 40,
      },
    );
    await fc.assert(
      fc.asyncProperty(calls, act, fc.constantFrom(true, false, 'expired' as const), async (acts, last, keepLines) => {
        const clock = new TestClock();
        const options = { retainMs: 45_000, spent: async () => 17, keepLines };
        const stores = [memory.make(clock, options), redis.make(clock, options)] as const;
        const lines = () => Promise.all(stores.map((store) => store.lines(OWNER, 1000)));
        for (const call of acts) {
          if (call.do === 'pass') clock.us += call.us;
          else if (call.do === 'listen') expect(await stores[1].listen(OWNER, call.ms)).toEqual(await stores[0].listen(OWNER, call.ms));
          else if (call.do === 'drop') {
            const kept = await lines();
            for (const [at, store] of stores.entries())
              await store.dropLines(
                OWNER,
                kept[at]!.slice(0, call.most).map(({ line }) => line),
              );
          } else expect(await perform(stores[1], call)).toEqual(await perform(stores[0], call));
        }
        const before = await Promise.all(stores.map((store) => store.listen(OWNER, 600_000)));
        if (last.do !== 'pass') for (const store of stores) await perform(store, last);
        const after = await Promise.all(stores.map((store) => store.levels(OWNER)));
        const [one, other] = await lines();
        expect(withoutPlace(other!)).toEqual(withoutPlace(one!));
        if (keepLines === 'expired' && !acts.some((call) => call.do === 'listen')) {
          const early = one!.filter(({ seq }) => seq <= before[0]!.seq);
          expect(early.every((line) => line.kind === 'close' && line.reason === 'expired')).toBe(true);
        }
        for (const at of [0, 1]) expect(auditLevels(one!, after[at]!, before[at])).toEqual([]);
      }),
      { numRuns: 150, examples: [[STEPPED_BACK, { do: 'sweep' }, 'expired']] },
    );
  });

  test('a wait is enough, and a millisecond less is not', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 30 }), demands, async (acts, asked) => {
        const clock = new TestClock();
        const store = redis.make(clock);
        for (const call of acts) {
          if (call.do === 'pass') clock.us += call.us;
          else await perform(store, call);
        }
        const probe = (name: string) => store.reserve({ id: name, owner: OWNER, demands: asked, leaseMs: 1000, about: '' });
        // The first lets leases end and changed laws bind.
        const first = await probe('probe');
        if (first.ok || first.kind === 'closed' || first.retryAfterMs === null) return;
        const before = await store.levels(OWNER);
        const again = await probe('probe');
        expect(again).toEqual(first);
        expect(await store.levels(OWNER)).toEqual(before);
        // Beyond a hundred years waits are not told apart.
        if (first.retryAfterMs > 1e12) return;
        clock.us += first.retryAfterMs * 1000 - 1000;
        expect(await probe('probe')).toMatchObject({ ok: false });
        clock.us += 1000;
        expect(await probe('probe')).toMatchObject({ ok: true });
      }),
      { numRuns: 150 },
    );
  });
});

test('Q1: no span admits more than its start and its refill', { timeout: 60_000 }, async () => {
  const bound = limit('tpm', 'tokens', rateLaw(1009, 60_000));
  const step = fc.record({ us: fc.nat(8_000_000), amount: fc.integer({ min: 1, max: 500 }), back: fc.nat(500) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      const clock = new TestClock();
      const store = memory.make(clock);
      const events: { at: number; net: number; levelBefore: number }[] = [];
      let level = 1009;
      for (const [place, { us, amount, back }] of steps.entries()) {
        clock.us += us;
        const verdict = await store.reserve({
          id: `n${place}`,
          owner: OWNER,
          demands: [{ limit: bound, amount }],
          leaseMs: 60_000,
          about: '',
        });
        if (!verdict.ok) continue;
        const refund = Math.min(back, amount);
        const actual = { requests: 1, tokens: amount - refund, nanoCny: 0, nanoUsd: 0 };
        await store.settle({ id: `n${place}`, owner: OWNER, actual, source: 'vendor', reason: 'done', about: '' });
        level = verdict.tightest.tokens!.remaining + amount;
        events.push({ at: clock.us, net: amount - refund, levelBefore: level });
      }
      for (let from = 0; from < events.length; from++) {
        let sum = 0;
        for (const { at, net } of events.slice(from)) {
          sum += net;
          const start = events[from]!;
          expect(sum).toBeLessThanOrEqual(start.levelBefore + 1 + ((at - start.at) * 1009) / 60e6);
        }
      }
    }),
    { numRuns: 200 },
  );
});
