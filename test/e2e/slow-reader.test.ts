import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { countTokens } from '../../simulator/kernel/tokens.ts';
import { foldStream } from '../contract/openai-schema.ts';
import { type Rig, startRig, user } from './rig.ts';

const IDLE_MS = 400;

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({
    configExtra: { backends: { hasty: { simulated: 'qwen', timeouts: { idleMs: IDLE_MS } } }, server: { heartbeatMs: 100 } },
    keyOptions: { drain: { onDisconnect: 'drain' } },
  });
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

function open(body: unknown, key = 'main'): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${rig.keyOf(key)}`, 'content-type': 'application/json' };
    const sent = request(`${rig.url}/v1/chat/completions`, { method: 'POST', headers, agent: false }, resolve);
    sent.on('error', reject);
    sent.end(JSON.stringify(body));
  });
}

/** Every connection this process has opened, and every one it has accepted. */
const opened = new Set<Socket>();
const accepted = new Set<Socket>();
subscribe('net.client.socket', (message) => opened.add((message as { socket: Socket }).socket));
subscribe('net.server.socket', (message) => accepted.add((message as { socket: Socket }).socket));

/** How far an answer has come through the relay, in bytes: taken from the backend, given to the caller's socket, waiting in the two sockets. */
interface Progress {
  readonly taken: number;
  readonly given: number;
  readonly waiting: number;
}

/** Opens an answer that only the relay's own two connections carry; these may have carried others before. */
async function openWatched(body: unknown): Promise<{ response: IncomingMessage; progress: () => Progress }> {
  const relayPort = Number(new URL(rig.url).port);
  const backends = [...opened].filter((socket) => !socket.destroyed && socket.remotePort !== relayPort);
  const readBefore = new Map(backends.map((socket) => [socket, socket.bytesRead]));
  const response = await open(body);
  const [caller] = [...accepted].filter((socket) => socket.localPort === relayPort && socket.remotePort === response.socket.localPort);
  const [backend] = [...opened].filter((socket) => socket.remotePort !== relayPort && socket.bytesRead > (readBefore.get(socket) ?? 0));
  if (caller === undefined || backend === undefined) throw new Error('the answer came over no connection of the relay');
  const base = readBefore.get(backend) ?? 0;
  return {
    response,
    progress: () => ({
      taken: backend.bytesRead - base,
      given: caller.bytesWritten,
      waiting: caller.writableLength + backend.readableLength,
    }),
  };
}

/** Waits until the simulator has been held back for a while; how far it has come. */
async function heldBack(): Promise<number> {
  let sent = -1;
  for (let still = 0; still < 8; await sleep(50)) {
    const now = rig.seen()[0]?.bytesSent ?? 0;
    still = now === sent ? still + 1 : 0;
    sent = now;
  }
  return sent;
}

/** The rest of an answer, whole. */
async function rest(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  response.on('data', (part: Buffer) => parts.push(part));
  response.resume();
  await once(response, 'end');
  return Buffer.concat(parts).toString('utf8');
}

/** Comments go as far as the relay: without them the kernels of a fast machine can hold a whole answer (32 MB a connection, and more). */
const long = (model: string, tokens: number) => ({
  model,
  messages: [user(`[[sim:tokens n=${tokens}]][[sim:comments bytes=1000]]`)],
  max_tokens: tokens,
  reasoning_effort: 'none',
  stream: true,
});

// The models with the longest answers, and a kilobyte beside each token: more than the sockets in between can hold.
test.each([
  ['qwen/qwen3.8-max', 120_000],
  ['ernie/ernie-5.0', 65_000],
  ['glm/glm-4.6', 130_000],
] as const)('a caller of %s who does not read holds the vendor back, and gets everything in the end', async (model, tokens) => {
  const { response, progress } = await openWatched(long(model, tokens));
  expect(response.statusCode).toBe(200);
  response.pause();
  const sent = await heldBack();
  const held = progress();
  expect(rig.seen()[0]).toMatchObject({ done: false });
  const text = await rest(response);
  const all = progress();
  expect(rig.seen()[0]?.bytesSent).toBeGreaterThan(sent + 1_000_000);
  // One event is like the next: what was taken and not given, at the rate of the whole answer, was inside the relay.
  expect(held.taken - held.given * (all.taken / all.given)).toBeLessThan(512 * 1024);
  expect(held.waiting).toBeLessThan(512 * 1024);
  const events = text.split('\n\n').filter((event) => !event.startsWith(':'));
  expect(events.slice(-2)).toEqual(['data: [DONE]', '']);
  const [choice] = foldStream(events.slice(0, -2).map((event) => JSON.parse(event.slice('data: '.length)) as unknown)).choices;
  expect(choice?.finish_reason).toBe('stop');
  expect(countTokens(choice?.content ?? '')).toBe(tokens);
  expect(rig.records).toMatchObject([{ reason: 'done', usage: { completionTokens: tokens } }]);
});

test('a backend held back by a slow caller is not taken for a silent one', async () => {
  const response = await open(long('hasty/qwen3.8-max', 120_000));
  response.pause();
  const sent = await heldBack();
  await sleep(IDLE_MS + 100);
  expect(rig.seen()[0]).toMatchObject({ bytesSent: sent, done: false });
  const text = await rest(response);
  expect(text.slice(-200)).toContain('[DONE]');
  // Nor were comments piled up for a caller who does not read.
  expect(text).not.toContain(': keep-alive\n\n: keep-alive');
});

test('a caller who does not read and then leaves frees the backend at once', async () => {
  const response = await open(long('qwen/qwen3.8-max', 120_000));
  response.pause();
  await heldBack();
  response.destroy();
  await expect.poll(() => rig.seen()[0]?.aborted, { timeout: 5000, interval: 10 }).toBe(true);
  expect(rig.records).toMatchObject([{ reason: 'client_gone' }]);
});

test('where the key drains, the rest is read when the caller who did not read has left', async () => {
  const response = await open(long('qwen/qwen3.8-max', 120_000), 'drain');
  response.pause();
  await heldBack();
  response.destroy();
  await expect.poll(() => rig.records.length, { timeout: 15_000, interval: 20 }).toBe(1);
  expect(rig.seen()).toMatchObject([{ aborted: false, done: true }]);
  expect(rig.records).toMatchObject([{ reason: 'client_gone', usage: { completionTokens: 120_000, source: 'vendor' } }]);
});
