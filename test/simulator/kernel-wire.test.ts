import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Handled, Vendor } from '../../simulator/kernel/types.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';

/** A vendor that says three frames, or a fixed JSON body, and nothing of its own. */
const FRAMES = ['data: {"n":1}\n\n', 'data: {"n":"é🙂"}\n\n', 'data: {"n":3}\n\n'];
const STREAM = `data: {"role":true}\n\n${FRAMES.join('')}data: {"finish":true}\n\ndata: [DONE]\n\n`;
const WHOLE = JSON.stringify({ answer: 'naïve 🙂', list: [1, 2, 3] });

const plain: Vendor = {
  name: 'qwen',
  regions: ['here', 'there'],
  basePath: '/v1',
  goodKey: 'sk-plain',
  faultNames: ['own-fault'],
  handle(incoming, kernel): Handled {
    const body = JSON.parse(incoming.rawBody.toString('utf8') || '{}') as { prompt?: string; stream?: boolean; boom?: boolean };
    const prompt = body.prompt ?? '';
    if (body.boom) throw new Error('a mistake in the vendor');
    const said = kernel.faults(incoming, prompt).find((fault) => fault.name === 'rate-limit');
    const accounting = {
      model: 'm',
      stream: body.stream === true,
      promptTokens: kernel.countTokens(prompt),
      completionTokens: 5,
      reasoningTokens: 0,
      cachedTokens: 0,
      errorCode: said === undefined ? null : `limit-${said.args['kind']}`,
      keyName: 'plain',
    };
    if (said !== undefined) return { reply: { kind: 'whole', status: 429, headers: {}, body: accounting.errorCode ?? '' }, accounting };
    if (!body.stream)
      return { reply: { kind: 'whole', status: 200, headers: { 'content-type': 'application/json' }, body: WHOLE }, accounting };
    const frames = [
      { wire: 'data: {"role":true}\n\n', content: false },
      ...FRAMES.map((wire) => ({ wire, content: true })),
      { wire: 'data: {"finish":true}\n\n', content: false },
      { wire: 'data: [DONE]\n\n', content: false },
    ];
    return { reply: { kind: 'stream', status: 200, headers: { 'content-type': 'text/event-stream' }, frames }, accounting };
  },
};

let simulator: Simulator;
let port: number;
let nowMs = 1_790_000_000_000;

beforeAll(async () => {
  simulator = await startSimulator({ vendors: [plain], now: () => nowMs, journalLimit: 5 });
  port = Number(new URL(simulator.vendors.qwen?.url ?? '').port);
});
afterAll(async () => await simulator.close());
beforeEach(() => simulator.reset());

interface Raw {
  readonly head: string;
  /** Body with the chunk framing taken off. */
  readonly body: Buffer;
  /** Body pieces as they were framed by HTTP. */
  readonly chunks: readonly Buffer[];
  readonly whole: boolean;
  readonly error: string | null;
}

/** Speaks HTTP by hand, so that the test sees every byte and how the socket ended. */
async function raw(body: unknown, options: { accept?: string; path?: string; leaveAfterMs?: number } = {}): Promise<Raw> {
  const text = JSON.stringify(body);
  const socket = connect(port, '127.0.0.1');
  const parts: Buffer[] = [];
  let error: string | null = null;
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.on('error', (reason: NodeJS.ErrnoException) => {
    error = reason.code ?? reason.message;
  });
  socket.write(
    `POST ${options.path ?? '/v1/x'} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-plain-1234567890\r\nconnection: close\r\n` +
      `${options.accept ? `accept-encoding: ${options.accept}\r\n` : ''}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
  if (options.leaveAfterMs !== undefined) setTimeout(() => socket.destroy(), options.leaveAfterMs);
  await once(socket, 'close').catch(() => undefined);
  const all = Buffer.concat(parts);
  const split = all.indexOf('\r\n\r\n');
  const head = split < 0 ? '' : all.subarray(0, split).toString('latin1');
  return { head, error, ...(split < 0 ? { body: Buffer.alloc(0), chunks: [], whole: false } : unframe(head, all.subarray(split + 4))) };
}

function unframe(head: string, bytes: Buffer): { body: Buffer; chunks: Buffer[]; whole: boolean } {
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  if (length !== undefined) return { body: bytes, chunks: [bytes], whole: bytes.length === Number(length) };
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const line = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.subarray(at, line).toString('latin1'), 16);
    if (size === 0) return { body: Buffer.concat(chunks), chunks, whole: true };
    chunks.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
  return { body: Buffer.concat(chunks), chunks, whole: false };
}

const ask = (directive: string, stream = true): Promise<Raw> => raw({ prompt: `Hello ${directive}`, stream });

describe('faults of the wire', () => {
  test('without a fault the stream arrives frame by frame, whole', async () => {
    const got = await ask('');
    expect(got.body.toString()).toBe(STREAM);
    expect(got.whole).toBe(true);
    expect(got.chunks.map(String)).toContain(FRAMES[1]);
  });

  test.each([0, 1, 25, 47, 50, 80])('cut bytes=%i sends exactly that many body bytes and kills the socket', async (bytes) => {
    const got = await ask(`[[sim:cut bytes=${bytes}]]`);
    expect(got.body).toEqual(Buffer.from(STREAM).subarray(0, bytes));
    expect(got.whole).toBe(false);
    const whole = await raw({ prompt: `[[sim:cut bytes=10]]` });
    expect(whole.body.toString()).toBe(WHOLE.slice(0, 10));
    expect(whole.whole).toBe(false);
  });

  test.each([
    ['[[sim:cut after=1]]', `data: {"role":true}\n\n${FRAMES[0]}`, false],
    ['[[sim:end after=2]]', `data: {"role":true}\n\n${FRAMES[0]}${FRAMES[1]}`, true],
    ['[[sim:no-done]]', STREAM.replace('data: [DONE]\n\n', ''), true],
    ['[[sim:garbage after=1]]', STREAM.replace(FRAMES[1] ?? '', `data: {"choices":[{oops\n\n${FRAMES[1]}`), true],
    ['[[sim:half-frame after=1]]', `data: {"role":true}\n\n${FRAMES[0]}data: {"n"`, false],
    ['[[sim:crlf]]', STREAM.replaceAll('\n', '\r\n'), true],
    ['[[sim:no-space]]', STREAM.replaceAll('data: ', 'data:'), true],
    ['[[sim:comments]]', STREAM.replace(/data: /g, ': keep-alive\n\ndata: '), true],
    ['[[sim:crlf]] [[sim:no-space]]', STREAM.replaceAll('\n', '\r\n').replaceAll('data: ', 'data:'), true],
    ['[[sim:no-such-fault]]', STREAM, true],
  ])('%s', async (directive, body, whole) => {
    const got = await ask(directive);
    expect(got.body.toString()).toBe(body);
    expect(got.whole).toBe(whole);
  });

  test('split bytes=1 hands over single bytes, also inside a character', async () => {
    const got = await ask('[[sim:split bytes=1]]');
    expect(got.chunks.every((chunk) => chunk.length === 1)).toBe(true);
    expect(got.body.toString()).toBe(STREAM);
  });

  test('gzip compresses when the client accepts it, and only then', async () => {
    const packed = await raw({ prompt: '[[sim:gzip]]', stream: true }, { accept: 'gzip' });
    expect(packed.head).toContain('content-encoding: gzip');
    expect(gunzipSync(packed.body).toString()).toBe(STREAM);
    const open = await raw({ prompt: '[[sim:gzip]]', stream: true }, { accept: 'identity' });
    expect(open.body.toString()).toBe(STREAM);
  });

  test('html answers the page of a gateway', async () => {
    const got = await ask('[[sim:html status=504]]');
    expect(got.head).toMatch(/^HTTP\/1.1 504/);
    expect(got.head).toContain('content-type: text/html');
    expect(got.body.toString()).toContain('<title>504');
  });

  test('reset kills the connection before any byte', async () => {
    const got = await ask('[[sim:reset]]');
    expect(got.head).toBe('');
    expect(got.error).toBe('ECONNRESET');
    expect(simulator.journal()[0]).toMatchObject({ status: null, bytesSent: 0 });
  });

  test.each(['[[sim:silent]]', '[[sim:stall after=1]]'])('%s holds the socket until the client leaves', async (directive) => {
    const got = await raw({ prompt: directive, stream: true }, { leaveAfterMs: 150 });
    expect(got.body.toString()).toBe(directive.includes('stall') ? `data: {"role":true}\n\n${FRAMES[0]}` : '');
    await expect.poll(() => simulator.journal()[0]?.aborted).toBe(true);
  });

  test('slow waits before the first byte and between frames', async () => {
    const began = performance.now();
    const got = await ask('[[sim:slow firstByteMs=60 chunkMs=20]]');
    expect(performance.now() - began).toBeGreaterThanOrEqual(60 + 5 * 20 - 10);
    expect(got.body.toString()).toBe(STREAM);
  });

  test('a fault argument that is no number is said, not guessed', async () => {
    const got = await ask('[[sim:cut bytes=many]]');
    expect(got.head).toMatch(/^HTTP\/1.1 500/);
    expect(got.body.toString()).toContain('bytes=many is not a whole number');
  });
});

describe('journal, windows and regions', () => {
  test('secrets are masked, the body is parsed, the list is bounded', async () => {
    for (let round = 0; round < 7; round += 1) await raw({ prompt: `round ${round}` });
    const entries = simulator.journal();
    expect(entries).toHaveLength(5);
    expect(entries.at(-1)).toMatchObject({ body: { prompt: 'round 6' }, status: 200, region: 'here', aborted: false, done: true });
    expect(JSON.stringify(entries)).not.toContain('sk-plain-1234567890');
    expect(entries.at(-1)?.bytesSent).toBe(Buffer.byteLength(WHOLE));
  });

  test('a region is chosen by the path; an unknown one is named', async () => {
    await raw({}, { path: '/~there/v1/x' });
    expect(simulator.journal()[0]).toMatchObject({ region: 'there', path: '/v1/x' });
    const got = await raw({}, { path: '/~nowhere/v1/x' });
    expect(got.head).toMatch(/^HTTP\/1.1 404/);
    expect(got.body.toString()).toContain('unknown region');
  });

  test('requests per minute: a real sliding window', async () => {
    simulator.setLimits('qwen', { rpm: 2 });
    const status = async (): Promise<string | undefined> => (await raw({ prompt: 'x' })).head.split(' ')[1];
    expect([await status(), await status(), await status()]).toEqual(['200', '200', '429']);
    nowMs += 59_999;
    expect(await status()).toBe('429');
    nowMs += 1;
    expect(await status()).toBe('200');
  });

  test.each([
    [{ tpm: 7 }, 'limit-tpm'],
    [{ burst: 1 }, 'limit-burst'],
  ])('%o', async (limits, code) => {
    simulator.setLimits('qwen', limits);
    await raw({ prompt: 'one two three' });
    expect((await raw({ prompt: 'x' })).body.toString()).toBe(code);
  });

  test('concurrency counts answers that are still going out', async () => {
    simulator.setLimits('qwen', { concurrency: 1 });
    const first = raw({ prompt: '[[sim:stall after=1]]', stream: true }, { leaveAfterMs: 300 });
    await expect.poll(() => simulator.journal()[0]?.bytesSent).toBeGreaterThan(0);
    expect((await raw({ prompt: 'x' })).body.toString()).toBe('limit-concurrency');
    await first;
    await expect.poll(() => simulator.journal()[0]?.done).toBe(true);
    expect((await raw({ prompt: 'x' })).body.toString()).toBe(WHOLE);
  });

  test('a mistake of the vendor is a clear 500 of the simulator', async () => {
    const got = await raw({ boom: true });
    expect(got.head).toMatch(/^HTTP\/1.1 500/);
    expect(JSON.parse(got.body.toString())).toEqual({ simulator_error: 'a mistake in the vendor' });
  });

  test('a client that leaves early is written down', async () => {
    await raw({ prompt: '[[sim:slow chunkMs=100]]', stream: true }, { leaveAfterMs: 60 });
    await wait(10);
    await expect.poll(() => simulator.journal()[0]).toMatchObject({ aborted: true, done: true });
  });
});

describe('admin API', () => {
  const call = async (method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`${simulator.admin}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    return { status: response.status, body: await response.json() };
  };

  test('a fault hits `times` requests that match', async () => {
    const set = await call('POST', '/faults', { name: 'end', args: { after: 1 }, times: 1, key: 'sk-plain-1234567890' });
    expect(set).toEqual({ status: 201, body: { id: expect.stringMatching(/^fault-\d+$/) } });
    await call('POST', '/faults', { name: 'no-done', key: 'sk-other' });
    expect((await ask('')).body.length).toBeLessThan(STREAM.length);
    expect((await ask('')).body.toString()).toBe(STREAM);
    expect((await call('GET', '/faults')).body).toMatchObject({ faults: [{ name: 'no-done', hits: 0 }] });
  });

  test.each([
    ['POST', '/faults', { name: 'no-such' }, 'unknown fault "no-such"'],
    ['POST', '/faults', { name: 'cut', wrong: 1 }, 'wrong: unknown member'],
    ['POST', '/faults', { name: 'cut', times: 0 }, 'times: must be'],
    ['POST', '/faults', { name: 'cut', args: { a: [] } }, 'args.a: must be'],
    ['POST', '/faults', { name: 'cut', vendor: 'acme' }, 'vendor: "acme" is not served'],
    ['POST', '/faults', [], 'body: must be a JSON object'],
    ['PUT', '/limits', { rpm: 1 }, 'vendor: missing'],
    ['PUT', '/limits', { vendor: 'qwen', rpm: -1 }, 'rpm: must be'],
    ['PUT', '/profile', { vendor: 'qwen' }, 'strict: must be'],
  ])('%s %s %j is refused', async (method, path, body, message) => {
    const got = await call(method, path, body);
    expect(got.status).toBe(400);
    expect(got.body).toEqual({ error: expect.stringContaining(message) });
  });

  test('a body that is no JSON, an unknown path, a wrong method', async () => {
    const broken = await fetch(`${simulator.admin}/faults`, { method: 'POST', body: '{' });
    expect(broken.status).toBe(400);
    expect((await call('GET', '/nothing')).status).toBe(404);
    expect((await call('PATCH', '/limits')).status).toBe(405);
    expect((await call('DELETE', '/faults/fault-9999')).status).toBe(404);
  });

  test('health, limits, profile, usage, requests, reset', async () => {
    expect((await call('GET', '/health')).body).toEqual({ status: 'ok', vendors: ['qwen'] });
    expect((await call('PUT', '/limits', { vendor: 'qwen', rpm: 9 })).body).toEqual({
      qwen: { rpm: 9, tpm: null, burst: null, concurrency: null },
    });
    expect((await call('PUT', '/profile', { vendor: 'qwen', strict: true })).body).toEqual({ qwen: { strict: true } });
    expect((await call('POST', '/faults', { name: 'own-fault' })).status).toBe(201);
    await raw({ prompt: 'one two' });
    expect((await call('GET', '/usage')).body).toEqual({
      usage: [
        {
          vendor: 'qwen',
          model: 'm',
          key: 'plain',
          requests: 1,
          errors: 0,
          promptTokens: 2,
          completionTokens: 5,
          reasoningTokens: 0,
          cachedTokens: 0,
        },
      ],
    });
    expect((await call('GET', '/requests?vendor=qwen')).body).toMatchObject({ requests: [{ path: '/v1/x' }] });
    await call('POST', '/reset');
    expect((await call('GET', '/requests')).body).toEqual({ requests: [] });
    expect((await call('GET', '/faults')).body).toEqual({ faults: [] });
    expect((await call('GET', '/limits')).body).toMatchObject({ qwen: { rpm: null } });
  });
});
