import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkErrorResponse } from '../contract/openai-schema.ts';
import { type Rig, startRig } from './rig.ts';

/** Limits as a caller of the official SDK meets them. Each key is used by one test. */
let rig: Rig;
const hello = (content = 'Hello!', more: Record<string, unknown> = {}) => ({
  model: 'gpt-4o',
  messages: [{ role: 'user', content }],
  ...more,
});

beforeAll(async () => {
  rig = await startRig({
    configExtra: { models: { 'gpt-4o': ['qwen/qwen-plus'] } },
    keyOptions: {
      three: { limits: { rpm: 3 } },
      burst: { limits: { rpd: 50 } },
      tiny: { limits: { tpm: 100, outputReserve: 50 } },
      tokens: { limits: { tpm: 3000 } },
      slots: { limits: { concurrency: 2 } },
      poor: { limits: { budget: { amount: 0.000_001, currency: 'CNY', per: 'month' } } },
      frugal: { limits: { budget: { amount: 0.01, currency: 'CNY', per: 'month' } } },
      free: {},
    },
  });
});
afterAll(() => rig.close());
beforeEach(() => rig.reset());

describe('headers', () => {
  test('a limited key learns what is left, in OpenAI’s form; the present request is counted', async () => {
    const { headers } = await rig.raw(hello('a', { max_tokens: 10 }), { key: 'tokens' });
    expect(headers.get('x-ratelimit-limit-tokens')).toBe('3000');
    const left = Number(headers.get('x-ratelimit-remaining-tokens'));
    expect(left).toBeGreaterThan(2900);
    expect(left).toBeLessThan(3000);
    expect(headers.get('x-ratelimit-reset-tokens')).toMatch(/^\d+ms$|^\d+(\.\d+)?s$/);
    expect(headers.get('x-ratelimit-limit-requests')).toBeNull();
  });

  test('streams have them too; a key without limits has none', async () => {
    expect((await rig.raw(hello('a', { stream: true, max_tokens: 5 }), { key: 'tokens' })).headers.get('x-ratelimit-limit-tokens')).toBe(
      '3000',
    );
    const free = await rig.raw(hello(), { key: 'free' });
    expect([...free.headers.keys()].filter((name) => name.startsWith('x-ratelimit'))).toEqual([]);
  });
});

test('the record tells what was reserved; of a key without limits, or refused, nothing was', async () => {
  const body = hello('a', { max_tokens: 3 });
  const answered = await rig.raw(body, { key: 'tokens' });
  const { estimate } = answered.record();
  expect(estimate).toMatchObject({ completionTokens: 3, currency: 'CNY' });
  // qwen-plus: 0.8 and 2 CNY a million tokens.
  expect(estimate?.costNano).toBe((estimate?.promptTokens ?? 0) * 800 + 3 * 2000);
  expect((await rig.raw(body, { key: 'free' })).record().estimate).toBeNull();
  expect((await rig.raw(hello(), { key: 'poor' })).record()).toMatchObject({ status: 429, estimate: null });
});

describe('rates', () => {
  test('the fourth of three a minute is refused without reaching the vendor, and the wait is true to the refill', async () => {
    for (let count = 0; count < 3; count++) expect((await rig.raw(hello(), { key: 'three' })).status).toBe(200);
    const reached = rig.seen().length;
    const refused = await rig.raw(hello(), { key: 'three' });
    expect(refused.status).toBe(429);
    expect(checkErrorResponse(refused.status, refused.json())).toEqual([]);
    expect(refused.json()['error']).toMatchObject({ type: 'requests', code: 'rate_limit_exceeded', param: null });
    const waitMs = Number(refused.headers.get('retry-after-ms'));
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(20_000);
    expect(Number(refused.headers.get('retry-after'))).toBe(Math.max(1, Math.ceil(waitMs / 1000)));
    expect(refused.text).toMatch(/Limit 3, Used 3, Requested 1\. Please try again in \d+(\.\d+)?s\./);
    expect(refused.headers.get('x-estafet-limit')).toBe('key.rpm');
    expect(refused.headers.get('x-ratelimit-remaining-requests')).toBe('0');
    expect(rig.seen().length).toBe(reached);
    expect(refused.record()).toMatchObject({ status: 429, reason: 'refused', attempts: [] });
  });

  test('of 80 at once against 50 a day exactly 50 are admitted', async () => {
    const answers = await Promise.all(Array.from({ length: 80 }, () => rig.raw(hello('x', { max_tokens: 2 }), { key: 'burst' })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(50);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(30);
  });

  test('more tokens than the whole limit: told not to come again, and the SDK does not', async () => {
    const refused = await rig.raw(hello('word '.repeat(1000)), { key: 'tiny' });
    expect(refused.status).toBe(429);
    expect(refused.json()['error']).toMatchObject({ type: 'tokens', code: 'rate_limit_exceeded' });
    expect(refused.text).toMatch(/Request too large for gpt-4o on tokens per min \(TPM\): Limit 100, Requested \d+/);
    expect(refused.headers.get('x-should-retry')).toBe('false');
    expect(refused.headers.get('retry-after')).toBeNull();
    const before = rig.records.length;
    const client = rig.client({ key: 'tiny', maxRetries: 2 });
    await expect(client.chat.completions.create(hello('word '.repeat(1000)) as never)).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    expect(rig.records.length - before).toBe(1);
  });
});

describe('slots', () => {
  test('a running stream holds its slot; when it ends, or its caller leaves, the slot is free again', async () => {
    const client = rig.client({ key: 'slots' });
    const open = () =>
      client.chat.completions.create({ ...hello('[[sim:stall after=1]]'), stream: true } as never) as unknown as Promise<
        AsyncIterable<unknown> & { controller: AbortController }
      >;
    const [one, two] = [await open(), await open()];
    const refused = await rig.raw(hello(), { key: 'slots' });
    expect(refused.status).toBe(429);
    expect(refused.text).toMatch(/concurrent requests: Limit 2, Used 2, Requested 1/);
    one.controller.abort();
    await expect.poll(async () => (await rig.raw(hello('x'), { key: 'slots' })).status, { timeout: 5000 }).toBe(200);
    two.controller.abort();
    await expect.poll(() => rig.records.filter(({ reason }) => reason === 'client_gone').length, { timeout: 5000 }).toBe(2);
  });

  test('the SDK comes again after a refused slot, since waiting helps', async () => {
    rig.simulator.setFault({ vendor: 'qwen', name: 'slow', args: { firstByteMs: '150' } });
    const client = rig.client({ key: 'slots', maxRetries: 5 });
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => client.chat.completions.create(hello('x', { max_tokens: 2 }) as never)),
    );
    expect(answers).toHaveLength(4);
    expect(rig.records.some(({ status }) => status === 429)).toBe(true);
  });
});

describe('money', () => {
  test('a budget smaller than the request is a quota that is spent: one attempt of the SDK', async () => {
    const client = rig.client({ key: 'poor', maxRetries: 2 });
    const before = rig.records.length;
    const error = await client.chat.completions.create(hello() as never).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({ code: 'insufficient_quota', type: 'insufficient_quota' });
    expect(rig.records.length - before).toBe(1);
  });

  test('is spent by what was used, not by what was reserved', async () => {
    // 0.01 CNY hold two reservations of 2,048 output tokens of qwen-plus (0.004 each), but many short answers.
    for (let count = 0; count < 6; count++) expect((await rig.raw(hello('x'), { key: 'frugal' })).status, `request ${count}`).toBe(200);
    const costs = rig.records.map(({ cost }) => cost?.amountNano ?? 0);
    expect(costs.every((nano) => nano > 0 && nano < 1_000_000)).toBe(true);
  });
});

test('a request that no backend was asked for gives everything back', async () => {
  const key = 'tokens';
  const left = async () => Number((await rig.raw(hello('a', { max_tokens: 1 }), { key })).headers.get('x-ratelimit-remaining-tokens'));
  const before = await left();
  const refused = await rig.raw(
    {
      model: 'gpt-4o',
      max_tokens: 10,
      messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }] }],
    },
    { key },
  );
  expect(refused.status).toBe(400);
  await expect.poll(left).toBeGreaterThanOrEqual(before - 200);
});
