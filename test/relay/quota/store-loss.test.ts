import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { GuardedQuota, type OnStoreLoss } from '../../../relay/quota/guarded-quota.ts';
import { MemoryStore } from '../../../relay/quota/memory-store.ts';
import { RedisStore } from '../../../relay/quota/redis-store.ts';
import { shareOf } from '../../../relay/quota/share.ts';
import { askOnce } from '../../../relay/quota/spent-cache.ts';
import { StoreBreaker, StoreGone } from '../../../relay/quota/store-breaker.ts';
import { ask, budget, OWNER, rpd, slots, tpm, used } from './limits.ts';
import { REDIS, type RedisServer, startRedis } from './redis-server.ts';

const TIMING = { timeoutMs: 250, pauseMs: 100 };
let server: RedisServer;
let prefixes = 0;
beforeAll(async () => {
  if (REDIS.length > 0) server = await startRedis();
});
afterAll(() => server?.stop());

/** Waits for what happens by itself once the store is back; fails with the test's own time limit. */
async function until(done: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await done())) await sleep(20);
}

describe.each(REDIS)('a %s that stands still', () => {
  let guard: GuardedQuota;
  let store: RedisStore;
  let direct: RedisStore;
  beforeEach(async () => {
    const prefix = `loss${++prefixes}:`;
    const options = { keepLines: true, spent: null, prefix };
    const breaker = new StoreBreaker(TIMING);
    store = new RedisStore(server.connect(), { ...options, breakerOf: () => breaker });
    direct = new RedisStore(server.connect(), options);
    guard = new GuardedQuota({
      store,
      local: new MemoryStore({ keepLines: false, spent: null }),
      nodes: () => 2,
      retryMs: 50,
      onFailure: () => {},
    });
    await direct.levels(OWNER);
  });

  const settle = (id: string, tokens = 5) =>
    guard.settle({ id, owner: OWNER, actual: used(tokens), source: 'vendor', reason: 'done', about: '' });

  /** Runs while the server is stopped, and lets it go on in any case. */
  async function whileStopped(work: () => Promise<void>): Promise<void> {
    server.process.kill('SIGSTOP');
    try {
      await work();
    } finally {
      server.process.kill('SIGCONT');
    }
    await until(async () => (await guard.flush()) === 0);
  }

  test('refuse: one request pays the wait, the others none; what it took late costs nothing in the end', async () => {
    await whileStopped(async () => {
      const started = performance.now();
      expect(await guard.reserve(ask('a', [tpm(1000), 100], [slots(5), 1]), 'refuse')).toMatchObject({ ok: false, kind: 'unavailable' });
      expect(performance.now() - started).toBeGreaterThan(240);
      const paid = performance.now();
      for (let call = 0; call < 20; call++) await guard.reserve(ask(`n${call}`, [tpm(1000), 100]), 'refuse');
      expect(performance.now() - paid).toBeLessThan(240);
    });
    await until(async () => (await direct.levels(OWNER)).open.length === 0);
    const { buckets } = await direct.levels(OWNER);
    // Either the reservation came first and was given back, or the release did and it took nothing.
    const rate = buckets.get('key/ci/tpm');
    if (rate?.kind === 'rate') expect(rate.level).toBe(rate.burst);
    expect(buckets.get('team/concurrency') ?? { kind: 'slots', used: 0 }).toEqual({ kind: 'slots', used: 0 });
    await until(async () => (await guard.reserve(ask(`again${performance.now()}`, [tpm(1000), 100]), 'refuse')).ok);
  });

  test('a settlement is kept and applied once', async () => {
    await guard.reserve(ask('a', [slots(5), 1], [tpm(1000), 100]), 'refuse');
    await whileStopped(async () => {
      settle('a', 40);
      settle('a', 40);
      guard.release(OWNER, 'a');
      expect(await guard.flush()).toBe(1);
    });
    const snapshot = await direct.levels(OWNER);
    expect(snapshot.open).toEqual([]);
    expect(snapshot.buckets.get('team/concurrency')).toEqual({ kind: 'slots', used: 0 });
    const closed = (await direct.lines(OWNER, 100)).filter(({ kind }) => kind === 'close');
    expect(closed).toMatchObject([{ id: 'a', actual: used(40) }]);
  });

  test.each<{ policy: OnStoreLoss; admitted: number }>([
    { policy: 'refuse', admitted: 0 },
    { policy: 'local', admitted: 5 },
    { policy: 'admit', admitted: 20 },
  ])('$policy admits $admitted of 20 calls on a limit of 10 for two nodes, all of them in the lines', async ({ policy, admitted }) => {
    const taken: string[] = [];
    await whileStopped(async () => {
      for (let call = 0; call < 20; call++) {
        if ((await guard.reserve(ask(`c${call}`, [rpd(10), 1]), policy)).ok) taken.push(`c${call}`);
      }
      expect(taken.length).toBe(admitted);
      for (const id of taken) settle(id);
    });
    const closed = (await direct.lines(OWNER, 100)).filter((line) => line.kind === 'close' && line.reason === 'done');
    expect(closed.map((line) => line.kind === 'close' && line.id).sort()).toEqual(taken.sort());
  });

  test('renews all that is open in one call', async () => {
    for (const id of ['a', 'b', 'c']) await guard.reserve({ ...ask(id, [slots(5), 1]), leaseMs: 1000 }, 'refuse');
    settle('b');
    await guard.flush();
    await guard.renewAll(60_000);
    const { nowUs, open } = await direct.levels(OWNER);
    expect(open.map(({ id }) => id).sort()).toEqual(['a', 'c']);
    for (const { deadlineUs } of open) expect(deadlineUs - nowUs).toBeGreaterThan(50e6);
  });
});

test.each(REDIS)('%s: books that fail admit nobody under any policy, and the breaker stays closed', async () => {
  const breaker = new StoreBreaker(TIMING);
  const spent = () => Promise.reject(new Error('books are closed'));
  const store = new RedisStore(server.connect(), { keepLines: true, spent, prefix: `loss${++prefixes}:`, breakerOf: () => breaker });
  const local = new MemoryStore({ keepLines: false, spent: null });
  const guard = new GuardedQuota({ store, local, nodes: () => 1, retryMs: 50, onFailure: () => {} });
  expect(await guard.reserve(ask('a', [budget(100), 1]), 'admit')).toEqual({ ok: false, kind: 'unavailable', retryAfterMs: 50 });
  expect(breaker.open).toBe(false);
  expect(await guard.reserve(ask('b', [tpm(100), 1]), 'refuse')).toMatchObject({ ok: true });
});

test('breaker: one call tries after the pause, and closes it', async () => {
  const breaker = new StoreBreaker({ timeoutMs: 50, pauseMs: 30 });
  let asked = 0;
  const fail = () => breaker.run(() => Promise.reject(new Error(`down ${++asked}`)));
  await expect(fail()).rejects.toThrow(StoreGone);
  await expect(fail()).rejects.toThrow(StoreGone);
  expect([asked, breaker.open]).toEqual([1, true]);
  await sleep(35);
  const { promise, resolve } = Promise.withResolvers<string>();
  const trying = breaker.run(() => promise);
  await expect(fail()).rejects.toThrow(StoreGone);
  resolve('up');
  expect(await trying).toBe('up');
  expect([asked, breaker.open]).toEqual([1, false]);
});

test('breaker: an answer that came while this process was busy is in time', async () => {
  const breaker = new StoreBreaker({ timeoutMs: 50, pauseMs: 30 });
  // The answer is there after some ms, but nobody reads it for four times the limit.
  const answer = breaker.run(() => sleep(5).then(() => new Promise((resolve) => setImmediate(() => resolve('up')))));
  const until = performance.now() + 200;
  while (performance.now() < until);
  expect(await answer).toBe('up');
  expect(breaker.open).toBe(false);
});

test('shares are rounded down, and none is none', () => {
  expect(shareOf(tpm(1000), 3)?.law).toMatchObject({ amount: 333, burst: 333 });
  expect(shareOf(slots(2), 3)).toBeNull();
  expect(shareOf(budget(7), 2)?.law).toMatchObject({ amount: 3, per: 'month' });
});

test('the books are asked once for all that wait, and again after a failure', async () => {
  let asked = 0;
  const answers = [Promise.reject(new Error('no')), Promise.resolve(5), Promise.resolve(6)];
  const spent = askOnce(() => answers[asked++]!, 10_000);
  const call = () => spent(OWNER, budget(1), 0, 1);
  await Promise.all([expect(call()).rejects.toThrow('no'), expect(call()).rejects.toThrow('no')]);
  expect(await Promise.all([call(), call()])).toEqual([5, 5]);
  expect([await call(), asked]).toEqual([5, 2]);
});

test('books that answer in time are asked anew for a store that is emptied a moment later', async () => {
  let used = 0;
  const spent = askOnce(async () => ++used, 10_000, 1_000);
  expect(await Promise.all([spent(OWNER, budget(1), 0, 1), spent(OWNER, budget(1), 0, 1)])).toEqual([1, 1]);
  expect(await spent(OWNER, budget(1), 0, 1)).toBe(2);
});

test.each([
  { free: 'half of the slots', most: 2, before: ['reserve a'], after: ['reserve a', 'settle a', 'reserve b'] },
  { free: 'fewer', most: 1, before: ['reserve a', 'settle a'], after: ['reserve a', 'settle a', 'reserve b'] },
])('with $free free a settlement goes with the next question, and always before it', async ({ most, before, after }) => {
  const asked: string[] = [];
  const options = { keepLines: false, spent: null };
  const store = new MemoryStore(options);
  const told = {
    reserve: (request: Parameters<MemoryStore['reserve']>[0]) => {
      asked.push(`reserve ${request.id}`);
      return store.reserve(request);
    },
    settle: (settlement: Parameters<MemoryStore['settle']>[0]) => {
      asked.push(`settle ${settlement.id}`);
      return store.settle(settlement);
    },
  };
  const watched = Object.assign(Object.create(store), told) as MemoryStore;
  const guard = new GuardedQuota({ store: watched, local: store, nodes: () => 1, retryMs: 50, onFailure: () => {} });
  await guard.reserve(ask('a', [slots(most), 1]), 'refuse');
  guard.settle({ id: 'a', owner: OWNER, actual: used(5), source: 'vendor', reason: 'done', about: '' });
  expect([asked, guard.unsent]).toEqual([before, 1]);
  expect(await guard.reserve(ask('b', [slots(most), 1]), 'refuse')).toMatchObject({ ok: true });
  expect(asked).toEqual(after);
});

test.each([
  { since: 'nobody has come', taken: 0, waits: true },
  { since: 'others have come, and there is still room', taken: 1, waits: true },
  { since: 'others have taken what was free', taken: 4, waits: false },
  { since: 'somebody was refused a slot', taken: 6, waits: false },
  { since: 'somebody wanted more than there are', taken: 7, waits: true },
])('a settlement waits for company while slots are free: $since', async ({ taken, waits }) => {
  const store = new MemoryStore({ keepLines: false, spent: null });
  const guard = new GuardedQuota({ store, local: store, nodes: () => 1, retryMs: 50, onFailure: () => {} });
  await guard.reserve(ask('a', [slots(6), 1]), 'refuse');
  if (taken > 0) await guard.reserve(ask('b', [slots(6), taken]), 'refuse');
  let settled = 0;
  const { settle } = store;
  store.settle = (settlement) => {
    settled++;
    return settle.call(store, settlement);
  };
  guard.settle({ id: 'a', owner: OWNER, actual: used(5), source: 'vendor', reason: 'done', about: '' });
  expect(settled).toBe(waits ? 0 : 1);
  expect(await guard.flush()).toBe(0);
  expect(settled).toBe(1);
});

describe('the one call that a store which was gone is tried with', () => {
  const down = () => Promise.reject(new Error('down'));
  const lost: Readonly<Record<string, (guard: GuardedQuota, breaker: StoreBreaker) => Promise<unknown>>> = {
    'a reservation': (guard) => guard.reserve(ask('lost', [slots(9), 1]), 'refuse'),
    'a release': async (guard) => {
      guard.release(OWNER, 'other');
      await guard.flush();
    },
    'a renewal': (guard) => guard.renewAll(60_000),
    'what others ask of the same Redis': (_, breaker) => breaker.run(down).catch(() => undefined),
  };
  const asked: Readonly<Record<string, (guard: GuardedQuota) => Promise<unknown>>> = {
    'a reservation': async (guard) =>
      expect(await guard.reserve(ask('b', [slots(9), 1]), 'refuse')).toMatchObject({ ok: true, heldBy: 'store' }),
    'a look at the levels': async (guard) => expect((await guard.levels(OWNER)).open.map(({ id }) => id)).toEqual(['a']),
  };
  const rows = Object.entries(lost).flatMap(([what, fail]) =>
    Object.entries(asked).map(([whose, wait]) => [what, whose, fail, wait] as const),
  );

  test.each(rows)('%s failed: it is %s, not the settlement that waits for company', async (_what, _whose, fail, wait) => {
    // No pause: the next call is the one.
    const breaker = new StoreBreaker({ timeoutMs: 1_000, pauseMs: 0 });
    const store = new MemoryStore({ keepLines: false, spent: null });
    let isDown = false;
    const through = <T>(call: () => Promise<T>): Promise<T> => breaker.run(() => (isDown ? down() : call()));
    const guarded: Partial<MemoryStore> = {
      inDoubt: () => breaker.open,
      reserve: (request) => through(() => store.reserve(request)),
      settle: (settlement) => through(() => store.settle(settlement)),
      release: (owner, id) => through(() => store.release(owner, id)),
      renew: (owner, ids, leaseMs) => through(() => store.renew(owner, ids, leaseMs)),
      levels: (owner) => through(() => store.levels(owner)),
    };
    const behind = Object.assign(Object.create(store), guarded) as MemoryStore;
    const guard = new GuardedQuota({ store: behind, local: store, nodes: () => 1, retryMs: 60_000, onFailure: () => {} });
    await guard.reserve(ask('a', [slots(9), 1]), 'refuse');
    isDown = true;
    await fail(guard, breaker);
    await guard.flush();
    expect(breaker.open).toBe(true);
    isDown = false;
    guard.settle({ id: 'a', owner: OWNER, actual: used(5), source: 'vendor', reason: 'done', about: '' });
    await wait(guard);
    // From then on it goes first again.
    expect(await guard.flush()).toBe(0);
    const open = (await store.levels(OWNER)).open.map(({ id }) => id);
    expect(open).not.toContain('a');
    for (const id of open) guard.settle({ id, owner: OWNER, actual: used(5), source: 'vendor', reason: 'done', about: '' });
    expect(await guard.reserve(ask('c', [slots(9), 9]), 'refuse')).toMatchObject({ ok: true });
  });

  test('a Redis is in doubt for those whose breaker is open', async () => {
    const breakers = { [OWNER]: new StoreBreaker(TIMING), 'team/other': new StoreBreaker(TIMING) };
    const breakerOf = (owner: string) => breakers[owner as keyof typeof breakers] as StoreBreaker;
    const store = new RedisStore({} as Redis, { keepLines: false, spent: null, breakerOf });
    await breakers[OWNER]?.run(down).catch(() => undefined);
    expect([store.inDoubt(OWNER), store.inDoubt('team/other')]).toEqual([true, false]);
  });
});
