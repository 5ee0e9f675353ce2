import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REDIS } from '../relay/quota/redis-server.ts';
import { type NodesPlace, nodesPlace } from './nodes-place.ts';
import { stream } from './redis-rig.ts';
import type { RelayNode } from './relay-node.ts';

/** The same at full scale, and by the clock: `npm run bench -- restart`. */
const CALLERS = 16;
const TEAMS = { apps: { limits: { concurrency: 100, tpm: 100_000_000, budget: { amount: 100, currency: 'CNY', per: 'month' } } } };

let place: NodesPlace;
beforeAll(async () => {
  if (REDIS.length > 0) place = await nodesPlace(TEAMS);
});
afterAll(() => place?.close());

describe.each(REDIS)('two nodes on %s and one SQLite file', () => {
  test('restarted one after the other under streams: none is cut, none refused, each is booked once', { timeout: 120_000 }, async () => {
    /** Those in use, as a load balancer sees them. */
    const used = [await place.node(), await place.node()];
    /** Calls on their way to a node, and streams that run there. */
    const calling = new Map<RelayNode, number>();
    const running = new Map<RelayNode, number>();
    const count = (counts: Map<RelayNode, number>, node: RelayNode, change: 1 | -1) =>
      void counts.set(node, (counts.get(node) ?? 0) + change);
    const finishes: (string | null)[] = [];
    let ending = false;
    let turn = 0;
    const reader = async (): Promise<void> => {
      while (!ending) {
        const node = used[turn++ % used.length] as RelayNode;
        count(calling, node, 1);
        const chunks = await stream(node.url, 'apps', `[[sim:tokens n=12]] [[sim:slow chunkMs=100]] ${turn}`);
        count(calling, node, -1);
        count(running, node, 1);
        let finish: string | null = null;
        for await (const { choices } of chunks) finish = choices[0]?.finish_reason ?? finish;
        count(running, node, -1);
        finishes.push(finish);
      }
    };
    const load = Promise.all(Array.from({ length: CALLERS }, reader));
    load.catch(() => {});
    for (const leaving of [...used]) {
      await expect.poll(() => running.get(leaving) ?? 0, { timeout: 30_000, interval: 5 }).toBeGreaterThan(2);
      used.splice(used.indexOf(leaving), 1);
      await expect.poll(() => calling.get(leaving), { timeout: 30_000, interval: 5 }).toBe(0);
      expect(running.get(leaving)).toBeGreaterThan(0);
      expect(await leaving.end('SIGTERM')).toBe(0);
      expect(leaving.fault()).toBe('');
      used.push(await place.node());
    }
    ending = true;
    await load;
    expect(finishes.filter((finish) => finish !== 'stop')).toEqual([]);
    expect(finishes.length).toBe(place.simulator.journal().length);
    for (const node of used) expect(await node.end('SIGTERM')).toBe(0);
    expect(await place.booked()).toEqual({ lines: { done: finishes.length }, tokens: place.served() });
    expect(await place.audit('100ms')).toEqual([0, expect.stringMatching(/^no drift: /)]);
  });
});
