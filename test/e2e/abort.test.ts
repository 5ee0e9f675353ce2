import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Rig, startRig, user } from './rig.ts';
import { sourceWhenBroken, VENDOR_CASES } from './vendors.ts';

let rig: Rig;
beforeAll(async () => {
  const pairs = VENDOR_CASES.map(({ vendor, model }) => [`${vendor}-pair`, [`${vendor}/${model}`, 'glm/glm-4.7', 'qwen/qwen-flash']]);
  rig = await startRig({ configExtra: { models: Object.fromEntries(pairs) }, keyOptions: { drain: { onDisconnect: 'drain' } } });
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

/** On a busy machine. What is awaited would take the vendor ten seconds or more by itself. */
const WITHIN = { timeout: 5000, interval: 10 };

describe.each(VENDOR_CASES)('$vendor', ({ vendor, chat, model }) => {
  const long = { model: chat, messages: [user('[[sim:tokens n=2000]] [[sim:slow chunkMs=5]]')] };

  test('the SDK leaves a stream: the vendor’s call is closed and the use is noted', async () => {
    const stream = await rig.client().chat.completions.create({ ...long, stream: true });
    let seen = 0;
    for await (const _ of stream) if (++seen === 10) break;
    await expect.poll(() => rig.seen()[0]?.aborted, WITHIN).toBe(true);
    expect(rig.records).toMatchObject([{ reason: 'client_gone', status: 200, error: null, usage: { source: sourceWhenBroken(vendor) } }]);
    expect(rig.records[0]?.usage?.completionTokens).toBeGreaterThanOrEqual(8);
    expect(rig.records[0]?.usage?.completionTokens).toBeLessThan(500);
  });

  test('a client whose socket dies: the vendor’s call is closed', async () => {
    await new Promise<void>((resolve, reject) => {
      const headers = { authorization: `Bearer ${rig.keyOf('main')}`, 'content-type': 'application/json' };
      const sent = request(`${rig.url}/v1/chat/completions`, { method: 'POST', headers }, (response) => {
        response.once('data', () => {
          response.on('error', () => resolve());
          response.on('close', () => resolve());
          response.socket.resetAndDestroy();
        });
      });
      sent.on('error', reject);
      sent.end(JSON.stringify({ ...long, stream: true }));
    });
    await expect.poll(() => rig.seen()[0]?.aborted, WITHIN).toBe(true);
    expect(rig.records).toMatchObject([{ reason: 'client_gone' }]);
  });

  test.each([
    ['silent', true],
    ['silent', false],
    ['slow firstByteMs=20000', true],
    ['stall after=0', true],
    ['stall', false],
  ])('the caller leaves before the first token (%s, streamed: %s)', async (fault, stream) => {
    const leave = new AbortController();
    const asked = rig
      .client()
      .chat.completions.create({ model: chat, messages: [user(`hello [[sim:${fault}]]`)], stream }, { signal: leave.signal });
    const refused = expect(asked).rejects.toThrow(/abort/i);
    await expect.poll(() => rig.seen().length, WITHIN).toBe(1);
    leave.abort();
    await refused;
    await expect.poll(() => rig.seen()[0]?.aborted, WITHIN).toBe(true);
    await expect.poll(() => rig.records.length, WITHIN).toBe(1);
    expect(rig.records[0]).toMatchObject({ reason: 'client_gone', attempts: [{ backend: vendor }] });
  });

  test('all of several parallel calls are closed', async () => {
    const n = vendor === 'qwen' ? 5 : 3;
    const stream = await rig.client().chat.completions.create({ ...long, n, stream: true });
    for await (const _ of stream) break;
    await expect.poll(() => rig.seen().filter(({ aborted }) => aborted).length, WITHIN).toBe(n);
  });

  test('a key that drains reads the answer to its end and knows its use', async () => {
    const body = { model: chat, messages: [user('[[sim:tokens n=60]] [[sim:slow chunkMs=2]]')], stream: true as const };
    const stream = await rig.client({ key: 'drain' }).chat.completions.create(body);
    for await (const _ of stream) break;
    await expect.poll(() => rig.records.length, { timeout: 5000, interval: 10 }).toBe(1);
    expect(rig.seen()).toMatchObject([{ aborted: false, done: true }]);
    expect(rig.records).toMatchObject([{ reason: 'client_gone', usage: { completionTokens: 60, source: 'vendor' } }]);
  });

  test('a whole answer is drained as well', async () => {
    const leave = new AbortController();
    const asked = rig
      .client({ key: 'drain' })
      .chat.completions.create(
        { model: chat, messages: [user('[[sim:tokens n=60]] [[sim:slow firstByteMs=200]]')] },
        { signal: leave.signal },
      );
    const refused = expect(asked).rejects.toThrow(/abort/i);
    await expect.poll(() => rig.seen().length, WITHIN).toBe(1);
    leave.abort();
    await refused;
    await expect.poll(() => rig.records.length, WITHIN).toBe(1);
    expect(rig.seen()).toMatchObject([{ aborted: false }]);
    expect(rig.records).toMatchObject([{ reason: 'client_gone', usage: { completionTokens: 60, source: 'vendor' } }]);
  });

  test('a backend that fails after the caller has left is not followed by another', async () => {
    const leave = new AbortController();
    const messages = [user('[[sim:slow firstByteMs=150]] [[sim:overload]]')];
    const asked = rig.client({ key: 'drain' }).chat.completions.create({ model: `${vendor}-pair`, messages }, { signal: leave.signal });
    const refused = expect(asked).rejects.toThrow(/abort/i);
    await expect.poll(() => rig.seen().length, WITHIN).toBe(1);
    leave.abort();
    await refused;
    await expect.poll(() => rig.records.length, WITHIN).toBe(1);
    expect(rig.records).toMatchObject([{ reason: 'client_gone', attempts: [{ error: 'upstream_overloaded' }] }]);
    expect(rig.seen()).toHaveLength(1);
  });

  test('a caller who leaves during the second attempt closes that one', async () => {
    const leave = new AbortController();
    rig.simulator.setFault({ name: 'overload', vendor, model });
    rig.simulator.setFault({ name: 'silent', vendor: 'glm', model: 'glm-4.7' });
    const body = { model: `${vendor}-pair`, messages: [user('hello')], stream: true as const };
    const refused = expect(rig.client().chat.completions.create(body, { signal: leave.signal })).rejects.toThrow(/abort/i);
    await expect.poll(() => rig.seen().length, WITHIN).toBe(2);
    leave.abort();
    await refused;
    await expect.poll(() => rig.seen().at(-1)?.aborted, WITHIN).toBe(true);
    await expect.poll(() => rig.records.length, WITHIN).toBe(1);
    expect(rig.records[0]).toMatchObject({ reason: 'client_gone', attempts: [{ error: 'upstream_overloaded' }, { error: null }] });
    expect(rig.seen()).toHaveLength(2);
  });

  test('the SDK’s own time limit closes the vendor’s call', async () => {
    const body = { model: chat, messages: [user('[[sim:silent]]')] };
    await expect(rig.client({ timeout: 500 }).chat.completions.create(body)).rejects.toThrow(/timed out/i);
    await expect.poll(() => rig.seen()[0]?.aborted, WITHIN).toBe(true);
  });

  test('the relay serves on, and no second attempt is made for a caller who has left', async () => {
    expect((await rig.raw({ model: chat, messages: [user('hello')] })).status).toBe(200);
    expect(rig.seen()).toHaveLength(1);
  });
});

test.each([
  ['/v1/chat/completions', { model: 'qwen-chat', messages: [user('hello')] }],
  ['/v1/embeddings', { model: 'qwen/text-embedding-v4', input: ['hello'] }],
  ['/v1/rerank', { model: 'qwen/qwen3-rerank', query: 'hello', documents: ['hello'] }],
])('a caller who leaves while the body is unpacked costs nothing: %s', async (path, body) => {
  const packed = gzipSync(JSON.stringify({ ...body, padding: ' '.repeat(15_000_000) }));
  const headers = { authorization: `Bearer ${rig.keyOf('main')}`, 'content-type': 'application/json', 'content-encoding': 'gzip' };
  const sent = request(`${rig.url}${path}`, { method: 'POST', headers });
  sent.on('error', () => undefined);
  sent.end(packed, () => sent.destroy());
  await expect.poll(() => rig.records.length, { timeout: 5000, interval: 10 }).toBe(1);
  expect(rig.records).toMatchObject([{ reason: 'client_gone', usage: null, cost: null, attempts: [{ error: null, unsent: true }] }]);
  expect(rig.seen()).toHaveLength(0);
});
