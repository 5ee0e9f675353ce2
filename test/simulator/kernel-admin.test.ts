import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { raw as exchange, plain, type Raw, STREAM, WHOLE } from './kernel-desk.ts';

let simulator: Simulator;
let port: number;
let nowMs = 1_790_000_000_000;

beforeAll(async () => {
  simulator = await startSimulator({ vendors: [plain], now: () => nowMs, journalLimit: 5 });
  port = Number(new URL(simulator.vendors.qwen?.url ?? '').port);
});
afterAll(async () => await simulator.close());
beforeEach(() => simulator.reset());

const raw = (body: unknown, options?: Parameters<typeof exchange>[2]): Promise<Raw> => exchange(port, body, options);
const ask = (directive: string, stream = true): Promise<Raw> => raw({ prompt: `Hello ${directive}`, stream });

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

  test('a fault with `every` hits one of so many, after those that it skips', async () => {
    await call('POST', '/faults', { name: 'end', args: { after: 1 }, every: 2, skip: 1 });
    const cut: boolean[] = [];
    for (let request = 0; request < 5; request++) cut.push((await ask('')).body.length < STREAM.length);
    expect(cut).toEqual([false, true, false, true, false]);
    expect((await call('GET', '/faults')).body).toMatchObject({ faults: [{ seen: 5, hits: 2 }] });
  });

  test.each([
    ['POST', '/faults', { name: 'no-such' }, 'unknown fault "no-such"'],
    ['POST', '/faults', { name: 'cut', wrong: 1 }, 'wrong: unknown member'],
    ['POST', '/faults', { name: 'cut', times: 0 }, 'times: must be'],
    ['POST', '/faults', { name: 'cut', every: 0 }, 'every: must be'],
    ['POST', '/faults', { name: 'cut', skip: -1 }, 'skip: must be'],
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
