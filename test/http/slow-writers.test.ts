import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { checkErrorResponse, checkHeaders } from '../contract/openai-schema.ts';
import type { Backend } from '../relay/backends.ts';
import { standingBackend } from '../relay/standing-backend.ts';
import { chat, configOf, type Desk, digestOf, HELLO, KEY, openRelay, parseRaw, type RawAnswer } from './desk.ts';

/** Callers whose requests come a byte at a time, while the relay is told to end. What holds before that: raw-http.test.ts. */
const HEAD = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\n`;
const KINDS = {
  head: `${HEAD}x-more: `,
  body: `${HEAD}content-length: 100000\r\n\r\n{`,
  'body in chunks': `${HEAD}transfer-encoding: chunked\r\n\r\n`,
} as const;
const DRIP = { head: 'a', body: ' ', 'body in chunks': '1\r\n \r\n' } as const;
type Kind = keyof typeof KINDS;

let backend: Backend;
let desk: Desk;
let there: Socket[];
let stopped: Promise<boolean> | null = null;
const drips: NodeJS.Timeout[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const drip of drips.splice(0)) clearInterval(drip);
  for (const socket of sockets.splice(0)) socket.destroy();
  await (stopped ?? desk.relay.stop());
  stopped = null;
  await backend.close();
});

async function open(server: string): Promise<void> {
  backend = await standingBackend();
  const text = `server: { port: 0, ${server} }
backends: { q: { vendor: qwen, baseUrl: '${backend.url}/v1', apiKey: 'env:K' } }
models: { gpt-4o: [q/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
`;
  desk = await openRelay(configOf(text, { K: 'sk-backend-secret' }));
  there = [];
  desk.relay.server.on('connection', (socket: Socket) => void there.push(socket));
}

interface Dripping {
  /** All it is answered until its connection ends. */
  readonly answer: Promise<RawAnswer>;
}

/** Once the beginning of each has arrived, the rest drips. */
async function dripping(...kinds: readonly Kind[]): Promise<Dripping[]> {
  const all: Dripping[] = [];
  for (const kind of kinds) all.push(await drippingOne(kind));
  return all;
}

async function drippingOne(kind: Kind): Promise<Dripping> {
  const before = there.length;
  // Goes on writing after an answer, as one that does not listen.
  const socket = connect({ port: desk.port, host: '127.0.0.1', allowHalfOpen: true });
  sockets.push(socket);
  let text = '';
  socket.on('data', (piece: Buffer) => void (text += piece.toString('utf8')));
  socket.on('error', () => {});
  const closed = new Promise<RawAnswer>((resolve) => socket.once('close', () => resolve(parseRaw(text))));
  socket.write(KINDS[kind]);
  await expect.poll(() => there[before]?.bytesRead).toBe(KINDS[kind].length);
  drips.push(setInterval(() => socket.write(DRIP[kind]), 20));
  return { answer: closed };
}

function typed({ status, headers, body, text }: RawAnswer, wanted: number, code: string): void {
  expect([status, text]).toEqual([wanted, expect.stringContaining(code)]);
  expect(checkHeaders(headers, 'json')).toEqual([]);
  expect(checkErrorResponse(status, JSON.parse(body))).toEqual([]);
}

describe('while the relay ends', () => {
  test('a head or a body in drips has its documented time and no more, though a stream runs on', async () => {
    await open('headersTimeoutMs: 500, requestTimeoutMs: 900, drainTimeoutMs: 60000');
    const leave = new AbortController();
    const stream = await chat(desk, { ...HELLO, stream: true }, {}, leave.signal);
    expect(stream.status).toBe(200);
    const slow = await dripping('head', 'body', 'body in chunks');
    stopped = desk.relay.stop();
    for (const { answer } of slow) typed(await answer, 408, 'request_timeout');
    // Only the one with the stream is left.
    expect(there.filter(({ destroyed }) => !destroyed)).toHaveLength(1);
    leave.abort();
    expect(await stopped).toBe(true);
    expect(backend.requests).toHaveLength(1);
  });

  test('after server.drainTimeoutMs a body that still drips is answered 503 `draining`; a head has no answer', async () => {
    await open('drainTimeoutMs: 300');
    const [head, ...bodies] = await dripping('head', 'body', 'body in chunks');
    stopped = desk.relay.stop();
    for (const { answer } of bodies) typed(await answer, 503, 'draining');
    expect((await head?.answer)?.text).toBe('');
    expect(await stopped).toBe(false);
    expect(backend.requests).toEqual([]);
  });
});
