import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisStore } from '../../relay/quota/redis-store.ts';
import { checkErrorResponse, checkHeaders } from '../contract/openai-schema.ts';
import { parseRaw, type RawAnswer } from '../http/desk.ts';
import { REDIS } from '../relay/quota/redis-server.ts';
import { type NodesPlace, nodesPlace } from './nodes-place.ts';
import { ask, keyOf } from './redis-rig.ts';
import type { RelayNode } from './relay-node.ts';

const TEAMS = { slow: { limits: { concurrency: 2, rpd: 1_000_000, budget: { amount: 100, currency: 'CNY', per: 'month' } } }, other: {} };
const SOON = { timeout: 30_000, interval: 50 };
/** Beside them the two slots of the team and the requests that run at once are few. */
const WRITERS = 100;
const HEADERS_MS = 2_000;
const REQUEST_MS = 3_000;

let place: NodesPlace;
let node: RelayNode;
beforeAll(async () => {
  if (REDIS.length === 0) return;
  // The pauses of a busy machine are none of the relay's.
  const server = { maxLagMs: 0, headersTimeoutMs: HEADERS_MS, requestTimeoutMs: REQUEST_MS, metrics: { port: 0 } };
  place = await nodesPlace(TEAMS, { server });
  node = await place.node();
});
afterAll(() => place?.close());

const HEAD = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${keyOf('slow')}\r\ncontent-type: application/json\r\n`;
const HEALTH = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n';
/** What comes at once, and what comes a byte at a time. */
const KINDS: readonly (readonly [what: string, begin: string, drip: string, answers: readonly number[]])[] = [
  ['in its head', `${HEAD}x-more: `, 'a', [408]],
  ['in its body', `${HEAD}content-length: 100000\r\n\r\n{`, ' ', [408]],
  ['in a body in chunks', `${HEAD}transfer-encoding: chunked\r\n\r\n`, '1\r\n \r\n', [408]],
  ['in its second head on one connection', `${HEALTH}${HEAD}x-more: `, 'a', [200, 408]],
  ['in its second body on one connection', `${HEALTH}${HEAD}content-length: 100000\r\n\r\n{`, ' ', [200, 408]],
];

/** What a caller is answered who writes on and on, whatever it reads, until its connection is cut. */
function written(begin: string, drip: string): Promise<RawAnswer[]> {
  const url = new URL(node.url);
  const socket: Socket = connect({ port: Number(url.port), host: url.hostname, allowHalfOpen: true });
  let text = '';
  socket.on('data', (piece: Buffer) => void (text += piece.toString('utf8')));
  socket.on('error', () => {});
  socket.write(begin);
  const dripping = setInterval(() => socket.write(drip), 100);
  return new Promise((resolve) => {
    socket.once('close', () => {
      clearInterval(dripping);
      resolve(
        text
          .split(/(?=HTTP\/1\.1 )/)
          .filter((part) => part !== '')
          .map((part) => parseRaw(part)),
      );
    });
  });
}

async function crowd(each: number): Promise<void> {
  const all = KINDS.flatMap(([what, begin, drip, answers]) =>
    Array.from({ length: each }, async () => [what, answers, await written(begin, drip)] as const),
  );
  const ended = Promise.all(all);
  let open = true;
  void ended.then(() => {
    open = false;
  });
  // Whoever writes at once is served all the while, of the same team too: a request that has not arrived has taken nothing.
  let served = 0;
  while (open) {
    const { status } = await ask(node.url, served % 2 === 0 ? 'slow' : 'other');
    expect(status).toBe(200);
    served++;
    await sleep(20);
  }
  expect(served).toBeGreaterThan(10);
  for (const [what, wanted, answers] of await ended) {
    expect([what, answers.map(({ status }) => status)]).toEqual([what, wanted]);
    const last = answers.at(-1) as RawAnswer;
    expect(checkHeaders(last.headers, 'json')).toEqual([]);
    expect(checkErrorResponse(408, JSON.parse(last.body))).toEqual([]);
    expect([last.headers['connection'], last.body]).toEqual(['close', expect.stringContaining('"code":"request_timeout"')]);
  }
}

describe.each(REDIS)('limits in %s', () => {
  test('callers who write a byte at a time are told 408 in time; others are served, and nothing is left behind', async () => {
    const store = new RedisStore(place.redis.connect(), { keepLines: false, spent: null });
    const settled = async () => {
      await expect.poll(async () => (await store.levels('team/slow')).open.length, SOON).toBe(0);
    };
    // Code and heap have their size after a first crowd.
    await crowd(2);
    await settled();
    const before = await node.held();
    const files = node.files();
    const asked = place.simulator.journal().length;
    await crowd(WRITERS / KINDS.length);
    await settled();
    expect(
      place.simulator
        .journal()
        .slice(asked)
        .filter(({ done }) => !done),
    ).toEqual([]);
    const added = (resources: readonly string[]) => resources.filter((kind) => !before.resources.includes(kind));
    await expect.poll(async () => added((await node.held()).resources), SOON).toEqual([]);
    const timers = (resources: readonly string[]) => resources.filter((kind) => kind === 'Timeout').length;
    await expect.poll(async () => timers((await node.held()).resources), SOON).toBeLessThanOrEqual(timers(before.resources));
    await expect.poll(() => node.files(), SOON).toBeLessThanOrEqual(files);
    expect(await place.audit('100ms')).toEqual([0, expect.stringMatching(/^no drift: /)]);
    expect(await node.end('SIGTERM')).toBe(0);
    expect(node.fault()).toBe('');
  });
});
