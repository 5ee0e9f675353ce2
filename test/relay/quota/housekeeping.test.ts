import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryStore } from '../../../relay/quota/memory-store.ts';
import { NodeCount } from '../../../relay/quota/node-count.ts';
import { StoreBreaker } from '../../../relay/quota/store-breaker.ts';
import { Sweeper } from '../../../relay/quota/sweeper.ts';
import { Unsent } from '../../../relay/quota/unsent.ts';
import { ask, OWNER, slots } from './limits.ts';
import { REDIS, type RedisServer, startRedis } from './redis-server.ts';

describe.each(REDIS)('nodes on one %s', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  const breaker = () => new StoreBreaker({ timeoutMs: 1000, pauseMs: 10 });
  const node = (prefix: string, everyMs = 1000, onFault: (fault: unknown) => void = () => {}) =>
    new NodeCount({ redis: server.connect(), breaker: breaker(), prefix, everyMs, onFault });

  test('each hears how many there are, and knows of endlessly many before', async () => {
    const [one, two, three] = [node('n:'), node('n:'), node('n:')];
    expect(one.nodes).toBe(Number.POSITIVE_INFINITY);
    for (const each of [one, two, three, one]) await each.beat();
    expect([one.nodes, two.nodes, three.nodes]).toEqual([3, 2, 3]);
    await one.beat();
    expect(one.nodes).toBe(3);
  });

  test('one that ends is not counted at once, one that died after four beats', async () => {
    const [one, ending, dead] = [node('e:', 60), node('e:', 60_000), node('e:', 60)];
    ending.start();
    await expect.poll(() => ending.nodes).toBe(1);
    await dead.beat();
    await one.beat();
    expect(one.nodes).toBe(3);
    await ending.stop();
    await one.beat();
    expect(one.nodes).toBe(2);
    await expect
      .poll(async () => {
        await one.beat();
        return one.nodes;
      })
      .toBe(1);
  });

  test('while Redis fails the last count stands, and the fault is told', async () => {
    const faults: unknown[] = [];
    const one = node('f:', 1000, (fault) => void faults.push(fault));
    await one.beat();
    await server.connect().set('f:nodes', 'no set');
    await one.beat();
    await one.beat();
    expect(one.nodes).toBe(1);
    // The second beat did not ask: the breaker is open.
    expect(faults).toHaveLength(1);
  });
});

test('the sweeper gives back what a node left behind, also when the team is silent', async () => {
  let us = 0;
  const store = new MemoryStore({ keepLines: false, spent: null }, () => us);
  await store.reserve(ask('a', [slots(1), 1]));
  us += 31_000_000;
  const faults: unknown[] = [];
  const failing = { ...store, sweep: () => Promise.reject(new Error('down')) } as unknown as MemoryStore;
  const sweeper = new Sweeper({
    stores: [failing, store],
    owners: () => ['team/silent', OWNER],
    everyMs: 1,
    book: async () => [],
    onFault: (fault) => void faults.push(fault),
  });
  await sweeper.sweep();
  expect((await store.levels(OWNER)).open).toEqual([]);
  expect(faults).toEqual([new Error('down')]);
});

test('settlements that wait are bounded: the oldest is given up, and told', async () => {
  const faults: string[] = [];
  const sent: string[] = [];
  let down = true;
  const unsent = new Unsent(60_000, (fault) => void faults.push((fault as Error).message), 3);
  for (const name of ['a', 'b', 'c', 'd'])
    unsent.add(name, async () => {
      if (down) throw new Error('down');
      sent.push(name);
    });
  expect(unsent.size).toBe(3);
  expect(faults).toEqual([expect.stringContaining('the oldest is given up')]);
  await unsent.flush();
  down = false;
  expect(await unsent.flush()).toBe(0);
  expect(sent).toEqual(['b', 'c', 'd']);
});
