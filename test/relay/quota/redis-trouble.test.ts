import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditLevels } from '../../../relay/quota/audit.ts';
import { RedisStore } from '../../../relay/quota/redis-store.ts';
import { ask, budget, OWNER, rpd, slots, tpm, used } from './limits.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

const OPTIONS = { keepLines: true, spent: null };
let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const settlement = (id: string) => ({ id, owner: OWNER, actual: used(5), source: 'vendor', reason: 'done', about: '' }) as const;

test('SCRIPT FLUSH again and again loses no call and takes none twice', async () => {
  const store = new RedisStore(server.connect(), { ...OPTIONS, prefix: 'flush:' });
  const admin = server.connect();
  let flushing = true;
  const flusher = (async () => {
    while (flushing) await admin.script('FLUSH');
  })();
  const verdicts = [];
  for (let round = 0; round < 40; round++) {
    const batch = Array.from({ length: 10 }, async (_, call) => {
      const verdict = await store.reserve(ask(`r${round}.${call}`, [rpd(1000), 1], [tpm(1e6), 10], [slots(50), 1]));
      return [verdict.ok, await store.settle(settlement(`r${round}.${call}`))];
    });
    verdicts.push(...(await Promise.all(batch)));
  }
  flushing = false;
  await flusher;
  expect(verdicts.every(([ok, settled]) => ok === true && settled === 'settled')).toBe(true);
  const snapshot = await store.levels(OWNER);
  expect(snapshot.buckets.get('team/concurrency')).toEqual({ kind: 'slots', used: 0 });
  expect(auditLevels(await store.lines(OWNER, 10_000), snapshot)).toEqual([]);
});

test('out of memory: nothing is taken, and it goes on afterwards', async () => {
  const store = new RedisStore(server.connect(), { ...OPTIONS, prefix: 'oom:' });
  const admin = server.connect();
  await store.reserve(ask('a', [tpm(1000), 100]));
  const before = (await store.levels(OWNER)).buckets;
  await admin.config('SET', 'maxmemory', '1');
  await expect(store.reserve(ask('b', [tpm(1000), 100]))).rejects.toThrow('OOM');
  await expect(store.settle(settlement('a'))).rejects.toThrow('OOM');
  expect((await store.levels(OWNER)).buckets).toEqual(before);
  await admin.config('SET', 'maxmemory', '0');
  expect(await store.settle(settlement('a'))).toBe('settled');
  expect(await store.reserve(ask('b', [tpm(1000), 100]))).toMatchObject({ ok: true });
  expect(auditLevels(await store.lines(OWNER, 100), await store.levels(OWNER))).toEqual([]);
});

test('emptied: a use that was under way reaches the lines, its late twin changes nothing, windows come from the books', async () => {
  const store = new RedisStore(server.connect(), { ...OPTIONS, prefix: 'empty:', spent: async () => 60 });
  await store.reserve(ask('a', [budget(100), 40], [tpm(1000), 100]));
  await server.connect().flushall();
  expect(await store.settle(settlement('a'))).toBe('unknown');
  expect(await store.settle(settlement('a'))).toBe('already');
  expect(await store.lines(OWNER, 10)).toMatchObject([{ kind: 'close', id: 'a', actual: used(5), moves: [], takenSeq: 0 }]);
  expect(await store.reserve(ask('b', [budget(100), 41]))).toMatchObject({ ok: false, kind: 'spent' });
  expect(await store.reserve(ask('b', [budget(100), 40]))).toMatchObject({ ok: true });
});

test('time is the server’s: a node whose clock is a year wrong gets the same windows', async () => {
  const [right, wrong] = [1, 2].map(() => new RedisStore(server.connect(), { ...OPTIONS, prefix: 'clock:' }));
  await right!.reserve(ask('a', [budget(100, 'hour'), 70]));
  const real = Date.now;
  Date.now = () => real() - 365 * 86_400_000;
  try {
    expect(await wrong!.reserve(ask('b', [budget(100, 'hour'), 31]))).toMatchObject({ ok: false, kind: 'spent' });
    expect(await wrong!.reserve(ask('c', [budget(100, 'hour'), 30]))).toMatchObject({ ok: true });
  } finally {
    Date.now = real;
  }
});

test('five keys per owner, each with a life, all under one hash tag', async () => {
  const store = new RedisStore(server.connect(), { ...OPTIONS, prefix: 'keys:' });
  const client = server.connect();
  for (const id of ['a', 'b', 'c']) await store.reserve(ask(id, [rpd(1000), 1], [tpm(1e6), 10], [slots(50), 1], [budget(100), 1]));
  await store.settle(settlement('a'));
  const keys = (await client.keys('keys:*')).sort();
  expect(keys).toEqual(['closed', 'held', 'leases', 'levels', 'lines'].map((part) => `keys:{${OWNER}}:${part}`));
  for (const key of keys) expect(await client.pttl(key)).toBeGreaterThan(0);
});
