import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { raw as exchange, FRAMES, plain, type Raw, STREAM, WHOLE } from './kernel-desk.ts';

let simulator: Simulator;
let port: number;
const nowMs = 1_790_000_000_000;

beforeAll(async () => {
  simulator = await startSimulator({ vendors: [plain], now: () => nowMs, journalLimit: 5 });
  port = Number(new URL(simulator.vendors.qwen?.url ?? '').port);
});
afterAll(async () => await simulator.close());
beforeEach(() => simulator.reset());

const raw = (body: unknown, options?: Parameters<typeof exchange>[2]): Promise<Raw> => exchange(port, body, options);
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
