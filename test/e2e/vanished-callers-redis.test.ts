import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisStore } from '../../relay/quota/redis-store.ts';
import type { Simulator } from '../../simulator/simulator.ts';
import { REDIS } from '../relay/quota/redis-server.ts';
import { type NodesPlace, nodesPlace } from './nodes-place.ts';
import { ask, keyOf } from './redis-rig.ts';
import type { RelayNode } from './relay-node.ts';

const TEAMS = { crowd: { limits: { concurrency: 5_000, tpm: 1_000_000_000, budget: { amount: 10_000, currency: 'CNY', per: 'month' } } } };
const SOON = { timeout: 60_000, interval: 50 };

let place: NodesPlace;
let node: RelayNode;
let simulator: Simulator;
beforeAll(async () => {
  if (REDIS.length === 0) return;
  // The pauses of a busy machine are none of the relay's.
  place = await nodesPlace(TEAMS, { server: { maxLagMs: 0, headersTimeoutMs: 60_000, requestTimeoutMs: 60_000 } });
  ({ simulator } = place);
  node = await place.node();
});
afterAll(() => place?.close());

function post(content: string, stream: boolean): string {
  const body = JSON.stringify({ model: 'gpt-4o', stream, messages: [{ role: 'user', content }], max_tokens: 4_000 });
  return `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${keyOf('crowd')}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

interface Kind {
  readonly what: string;
  readonly request: string;
  /** Asks nothing of a vendor. */
  readonly unasked?: true;
  /** Reads what comes, as far as the first bytes. */
  readonly reads?: true;
}
const KINDS: readonly Kind[] = [
  { what: 'inside a stream', request: post('[[sim:stall after=2]]', true), reads: true },
  { what: 'before a stream begins', request: post('[[sim:silent]]', true) },
  { what: 'waiting for a whole answer', request: post('[[sim:silent]]', false) },
  { what: 'not reading a long answer', request: post('[[sim:tokens n=1500]] [[sim:comments bytes=1000]]', true) },
  { what: 'inside a body that dribbles', request: post('x'.repeat(100), false).slice(0, -50), unasked: true },
  { what: 'inside a head', request: 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthoriz', unasked: true },
];

/** So many callers of each kind, all there at once, and all gone at once. */
async function crowd(each: number): Promise<void> {
  const url = new URL(node.url);
  const before = simulator.journal().length;
  const sockets: Socket[] = [];
  const opened: Promise<unknown>[] = [];
  for (const { request, reads } of KINDS) {
    for (let caller = 0; caller < each; caller++) {
      const socket = connect(Number(url.port), url.hostname);
      socket.on('error', () => {});
      sockets.push(socket);
      socket.write(request);
      if (reads === true) opened.push(once(socket, 'data'));
      else socket.pause();
    }
  }
  await Promise.all(opened);
  const asking = KINDS.filter(({ unasked }) => unasked !== true).length * each;
  await expect.poll(() => simulator.journal().length - before, SOON).toBe(asking);
  for (const socket of sockets) socket.destroy();
  // The vendor is rid of them: each call was cancelled, or had ended before its caller left.
  await expect
    .poll(
      () =>
        simulator
          .journal()
          .slice(before)
          .filter(({ aborted, done }) => aborted || done).length,
      SOON,
    )
    .toBe(asking);
}

describe.each(REDIS)('limits in %s', () => {
  test('1,000 callers vanish, wherever they were: nothing stays open, taken or in memory', { timeout: 240_000 }, async () => {
    const store = new RedisStore(place.redis.connect(), { keepLines: false, spent: null });
    const settled = async () => {
      await expect.poll(async () => (await store.levels('team/crowd')).open.length, SOON).toBe(0);
      expect((await ask(node.url, 'crowd')).status).toBe(200);
    };
    await settled();
    const files = node.files();
    // Code and heap have their size after a first crowd; what a second and larger one leaves behind is a leak.
    const EACH = [20, 167] as const;
    await crowd(EACH[0]);
    await settled();
    const before = await node.held();
    await crowd(EACH[1]);
    await settled();
    // The slot of the last question is given back after its answer.
    const slots = async () => (await store.levels('team/crowd')).buckets.get('team/concurrency') ?? { kind: 'slots', used: 0 };
    await expect.poll(slots, SOON).toEqual({ kind: 'slots', used: 0 });
    // Idle connections to the vendor are closed after a while.
    await expect.poll(() => node.files(), SOON).toBeLessThanOrEqual(files);
    // A timer that ran before the crowd may have ended since: what counts is what is there now and was not.
    const added = (resources: readonly string[]) => resources.filter((kind) => !before.resources.includes(kind));
    await expect.poll(async () => added((await node.held()).resources), SOON).toEqual([]);
    const timers = (resources: readonly string[]) => resources.filter((kind) => kind === 'Timeout').length;
    await expect.poll(async () => timers((await node.held()).resources), SOON).toBeLessThanOrEqual(timers(before.resources));
    // A thousand answers, of which each held tens of kilobytes: what is left is what is kept on purpose (receipts).
    const { bytes } = await node.held();
    expect(bytes - before.bytes).toBeLessThan(5_000 * EACH[1] * KINDS.length);
    expect(await place.audit('100ms')).toEqual([0, expect.stringMatching(/^no drift: /)]);
  });
});
