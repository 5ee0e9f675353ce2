import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisStore } from '../../relay/quota/redis-store.ts';
import { REDIS } from '../relay/quota/redis-server.ts';
import { type NodesPlace, nodesPlace } from './nodes-place.ts';
import { ask, stream } from './redis-rig.ts';

const LEASE_MS = 1_500;
const STREAMS = 12;
/** Every slot is taken by the streams of one node. */
const TEAMS = { busy: { limits: { concurrency: STREAMS, rpd: 1_000, budget: { amount: 100, currency: 'CNY', per: 'month' } } } };

let place: NodesPlace;
beforeAll(async () => {
  if (REDIS.length > 0) place = await nodesPlace(TEAMS, { leaseMs: LEASE_MS });
});
afterAll(() => place?.close());

const SOON = { timeout: 20_000, interval: 20 };

describe.each(REDIS)('with limits in %s', () => {
  test('a node that stands still for longer than its lease loses what it held, and settles nothing twice when it goes on', {
    timeout: 120_000,
  }, async () => {
    const [halted, other] = await Promise.all([place.node(), place.node()]);
    const store = new RedisStore(place.redis.connect(), { keepLines: false, spent: null });
    const slots = async () => (await store.levels('team/busy')).buckets.get('team/concurrency') ?? { kind: 'slots', used: 0 };
    const answers = await Promise.all(
      Array.from({ length: STREAMS }, (_, index) => stream(halted.url, 'busy', `[[sim:tokens n=60]] [[sim:slow chunkMs=80]] ${index}`)),
    );
    const ends = Promise.all(
      answers.map(async (chunks) => {
        let finish: string | null = null;
        for await (const { choices } of chunks) finish = choices[0]?.finish_reason ?? finish;
        return finish;
      }),
    );
    // Told below; until then nobody waits for it.
    ends.catch(() => {});
    expect(await slots()).toEqual({ kind: 'slots', used: STREAMS });
    expect((await ask(other.url, 'busy')).status).toBe(429);

    halted.child.kill('SIGSTOP');
    // Nobody can tell a node that stands still from one that is dead: the others sweep up after it, and serve again.
    await expect.poll(slots, SOON).toEqual({ kind: 'slots', used: 0 });
    expect((await ask(other.url, 'busy')).status).toBe(200);
    // All the vendor had to say waits in front of the node.
    await expect.poll(() => place.simulator.journal().filter(({ done }) => done).length, SOON).toBe(STREAMS + 1);

    halted.child.kill('SIGCONT');
    expect(await ends).toEqual(Array(STREAMS).fill('stop'));
    // Late truth beats the guess, and no slot is given back a second time.
    await expect.poll(async () => (await ask(halted.url, 'busy')).status, SOON).toBe(200);
    await expect.poll(slots, SOON).toEqual({ kind: 'slots', used: 0 });
    // One line for each request, with what the vendor counted.
    const lines = { done: STREAMS + 2, refused: expect.any(Number) };
    await expect.poll(place.booked, SOON).toEqual({ lines, tokens: place.served() });
    expect(await place.audit('500ms')).toEqual([0, expect.stringMatching(/^no drift: /)]);
    expect(await Promise.all([halted.end('SIGTERM'), other.end('SIGTERM')])).toEqual([0, 0]);
  });
});
