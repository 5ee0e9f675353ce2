import { expect, test } from 'vitest';
import type { Key, Limits, Team } from '../../../config/config.ts';
import type { Caller } from '../../../relay/keys/key-ring.ts';
import { aboutOf } from '../../../relay/ledger/expired-entry.ts';
import type { CallerLevels } from '../../../relay/quota/caller-levels.ts';
import { type Asked, QuotaGate } from '../../../relay/quota/gate.ts';
import { GuardedQuota } from '../../../relay/quota/guarded-quota.ts';
import { MemoryStore } from '../../../relay/quota/memory-store.ts';
import type { QuotaStore } from '../../../relay/quota/store.ts';
import { StoreGone } from '../../../relay/quota/store-breaker.ts';
import { describeStores, type StoreAtTest } from './describe-stores.ts';

const caller = (name: string, team: Limits, limits: Limits = {}, teamName = 'default'): Caller => {
  const key: Key = { name, team: teamName, strict: false, onDisconnect: 'cancel', reasoning: 'show', digest: '', limits };
  return { key, team: { name: teamName, onStoreLoss: 'refuse', limits: team } as Team, address: '127.0.0.1' };
};

/** A request of 30 tokens for 2,100 nano of CNY (no price is known: 20 and 60 a million) per million. */
const asked = (of: Caller, model: string): Asked => ({
  model,
  expected: () => ({ prompt: 10, completion: 20 }),
  about: (estimate, cost) =>
    aboutOf({ request: { model }, caller: of, arrivedAtMs: 1 }, { name: 'chat.completions', stream: false }, undefined, estimate, cost),
});

function gateOn(store: QuotaStore, shared: boolean, spent: (startMs: number) => number = () => 0) {
  const local = new MemoryStore({ keepLines: false, spent: null });
  const quota = new GuardedQuota({ store, local, nodes: () => 1, retryMs: 5, onFailure: () => {} });
  const faults: unknown[] = [];
  const options = { leaseMs: 60_000, shared, onFault: (fault: unknown) => void faults.push(fault) };
  const gate = new QuotaGate(quota, { ...options, spent: async (_owner, _limit, startMs) => spent(startMs) });
  return { gate, faults };
}

const short = ({ limits, open }: CallerLevels) => ({
  limits: limits.map(({ limit, model, remaining, resetMs }) => [limit.name, model, remaining, resetMs]),
  open,
});

describeStores('what a caller sees of its limits', (at: StoreAtTest) => {
  const rig = (spent?: (startMs: number) => number) => gateOn(at.store, at.harness.name === 'redis', spent);

  test('its own and its team’s, and those of models: what is left, until when, and what its requests hold', async () => {
    const team: Limits = { rpm: 60, concurrency: 5, models: { 'gpt-*': { tpm: 6_000 } } };
    const [ci, other] = [caller('ci', team, { tpd: 1000, models: { glm: { rpd: 10 } } }), caller('other', team)];
    const { gate } = rig();
    await gate.admit('a', ci, asked(ci, 'gpt-4o'), null);
    await gate.admit('b', ci, asked(ci, 'glm'), null);
    await gate.admit('c', other, asked(other, 'gpt-4o'), null);
    expect(short(await gate.levels(ci))).toEqual({
      limits: [
        ['team.rpm', null, 57, 3_000],
        ['team.concurrency', null, 2, null],
        ['key.tpd', null, 940, 5_184_000],
        ['team.model.tpm', 'gpt-*', 5_940, 600],
        ['key.model.rpd', 'glm', 9, 8_640_000],
      ],
      open: { requests: 2, tokens: 60, costNano: {} },
    });
    expect(short(await gate.levels(other))).toMatchObject({
      limits: [{}, {}, ['team.model.tpm', 'gpt-*', 5_940, 600]],
      open: { requests: 1, tokens: 30 },
    });
  });

  test('asking takes nothing and makes nothing', async () => {
    const ci = caller('ci', { rpm: 1, concurrency: 1, budget: { amount: 1, currency: 'CNY', per: 'day' } });
    const { gate } = rig();
    for (let time = 0; time < 3; time++) {
      expect(short(await gate.levels(ci)).limits.map((limit) => limit[2])).toEqual([1, 1, 1_000_000_000]);
    }
    const { buckets, open, seq } = await at.store.levels('team/default');
    expect([buckets.size, open.length, seq]).toEqual([0, 0, 0]);
  });

  test('a budget: from the store, and from the books where the store has none', async () => {
    const day = (per: 'day' | 'never') => caller('ci', {}, { budget: { amount: 1, currency: 'CNY', per } });
    const { gate } = rig((startMs) => (startMs === 0 ? 7 : 400));
    expect((await gate.levels(day('day'))).limits[0]).toMatchObject({
      remaining: 999_999_600,
      resetMs: 12 * 3_600_000,
      windowEndMs: Date.UTC(2026, 2, 11),
    });
    expect((await gate.levels(day('never'))).limits[0]).toMatchObject({ remaining: 999_999_993, resetMs: null, windowEndMs: null });
    await gate.admit('a', day('day'), asked(day('day'), 'm'), null);
    const { limits, open } = await gate.levels(day('day'));
    // The store of this test knows no books.
    expect([limits[0]?.remaining, open]).toEqual([998_600_000, { requests: 1, tokens: null, costNano: { CNY: 1_400_000 } }]);
  });

  test('a changed limit is told before a request binds it', async () => {
    const { gate } = rig();
    const before = caller('ci', { rpm: 10 });
    for (const id of ['a', 'b', 'c']) await gate.admit(id, before, asked(before, 'm'), null);
    for (const [rpm, remaining] of [
      [20, 17],
      [2, -1],
    ] as const) {
      expect((await gate.levels(caller('ci', { rpm }))).limits[0]).toMatchObject({ remaining });
    }
  });
});

test('a key without limits asks nobody', async () => {
  const { gate } = gateOn(new MemoryStore({ keepLines: false, spent: null }), false);
  expect(await gate.levels(caller('ci', {}))).toEqual({ limits: [], open: { requests: 0, tokens: null, costNano: {} } });
});

test.each([
  ['the store is gone', new StoreGone(3_000, new Error('ECONNREFUSED')), 1, 3_000],
  ['and known to be', new StoreGone(3_000, undefined), 0, 3_000],
  ['anything else', new Error('unreadable'), 1, 1_000],
])('%s: 503', async (_, fault, faults, retryAfterMs) => {
  class Gone extends MemoryStore {
    override levels(): never {
      throw fault;
    }
  }
  const rig = gateOn(new Gone({ keepLines: false, spent: null }), true);
  await expect(rig.gate.levels(caller('ci', { rpm: 1 }))).rejects.toMatchObject({
    kind: 'quota_unavailable',
    status: 503,
    details: { retryAfterMs },
  });
  expect(rig.faults).toHaveLength(faults);
});
