import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkErrorResponse } from '../contract/openai-schema.ts';
import { type Rig, startRig, user } from './rig.ts';

/** Limits of the vendors' accounts. Each backend is used by one test. */
let rig: Rig;

const LIMITED = {
  single: { concurrency: 1 },
  spare: {},
  daily: { rpd: 2 },
  first: { rpm: 1 },
  second: { rpd: 1 },
  tokens: { tpm: 100 },
  unreachable: { rpd: 1, baseUrl: 'http://127.0.0.1:9/v1' },
  failing: { concurrency: 1, rpd: 5 },
  choices: { simulated: 'glm', rpd: 3, concurrency: 3 },
  settled: { tpd: 100_000 },
  gone: { concurrency: 1 },
  lists: { rpd: 10, retries: 0, breaker: 'off' },
} as const;

beforeAll(async () => {
  const alone = ['single', 'daily', 'tokens', 'failing', 'settled', 'gone'].map((name) => [`only-${name}`, [`${name}/qwen-plus`]]);
  rig = await startRig({
    configExtra: {
      backends: Object.fromEntries(Object.entries(LIMITED).map(([name, limits]) => [name, { simulated: 'qwen', ...limits }])),
      models: {
        ...Object.fromEntries(alone),
        'single-or-spare': ['single/qwen-plus', 'spare/qwen-plus'],
        'first-or-second': ['first/qwen-plus', 'second/qwen-plus'],
        'dead-or-spare': ['unreachable/qwen-plus', 'spare/qwen-plus'],
        'only-choices': ['choices/glm-4.6'],
      },
    },
    keyOptions: { limited: { limits: { rpd: 10, concurrency: 5 } } },
  });
});
afterAll(() => rig.close());
beforeEach(() => rig.reset());

const ask = (model: string, more = {}, key = 'main') => rig.raw({ model, max_tokens: 2, messages: [user('x')], ...more }, { key });
const stall = (model: string) => rig.client().chat.completions.create({ model, stream: true, messages: [user('[[sim:stall after=1]]')] });

describe('slots', () => {
  test('a full backend hands over to the next candidate; when all are full, nothing reaches a vendor', async () => {
    const running = await stall('only-single');
    const other = await ask('single-or-spare');
    expect(other.status).toBe(200);
    expect(other.headers.get('x-estafet-backend')).toBe('spare');
    expect(other.record().attempts.map(({ backend, error }) => [backend, error])).toEqual([
      ['single', 'backend_limit_requests'],
      ['spare', null],
    ]);
    const reached = rig.seen().length;
    const refused = await ask('only-single');
    expect(refused.status).toBe(429);
    expect(checkErrorResponse(refused.status, refused.json())).toEqual([]);
    expect(refused.json()['error']).toMatchObject({ type: 'requests', code: 'rate_limit_exceeded' });
    expect(refused.headers.get('x-estafet-limit')).toBe('backend.concurrency');
    expect(refused.headers.get('retry-after-ms')).toBe('1000');
    // Whose account it is, and what it holds, is nobody's business.
    expect(refused.text).not.toMatch(/single"|qwen|Limit \d/);
    expect(refused.headers.get('x-estafet-backend')).toBeNull();
    expect(rig.seen().length).toBe(reached);
    expect(refused.record()).toMatchObject({ reason: 'refused', refusedBy: 'backend.concurrency', usage: null });
    running.controller.abort();
    await expect.poll(async () => (await ask('only-single')).status, { timeout: 5000 }).toBe(200);
  });

  test('the SDK comes again', async () => {
    const running = await stall('only-gone');
    setTimeout(() => running.controller.abort(), 200);
    const client = rig.client({ maxRetries: 5 });
    const answer = await client.chat.completions.create({ model: 'only-gone', max_tokens: 2, messages: [user('x')] });
    expect(answer.choices).toHaveLength(1);
    expect(rig.records.some(({ refusedBy }) => refusedBy === 'backend.concurrency')).toBe(true);
  });
});

test('what the team had reserved comes back when the backends refuse', async () => {
  const left = async (model: string) => Number((await ask(model, {}, 'limited')).headers.get('x-ratelimit-remaining-requests'));
  expect(await left('only-daily')).toBe(9);
  expect(await left('only-daily')).toBe(8);
  for (let count = 0; count < 3; count++) expect((await ask('only-daily', {}, 'limited')).status).toBe(429);
  await expect.poll(() => left('spare/qwen-plus')).toBe(7);
});

test('the wait is that of the backend that is free again first', async () => {
  for (let count = 0; count < 2; count++) expect((await ask('first-or-second')).status).toBe(200);
  const refused = await ask('first-or-second');
  expect(refused.status).toBe(429);
  expect(refused.headers.get('x-estafet-limit')).toBe('backend.rpm');
  const waitMs = Number(refused.headers.get('retry-after-ms'));
  expect(waitMs).toBeGreaterThan(30_000);
  expect(waitMs).toBeLessThanOrEqual(60_000);
  expect(refused.record().attempts.map(({ error }) => error)).toEqual(['backend_limit_requests', 'backend_limit_requests']);
});

test('more tokens than the account ever has: told not to come again', async () => {
  const refused = await ask('only-tokens', { max_tokens: 500 });
  expect(refused.status).toBe(429);
  expect(refused.json()['error']).toMatchObject({ type: 'tokens', code: 'rate_limit_exceeded' });
  expect(refused.headers.get('x-estafet-limit')).toBe('backend.tpm');
  expect(refused.headers.get('x-should-retry')).toBe('false');
  expect((await ask('only-tokens')).status).toBe(200);
});

test('an attempt that never reached the vendor gives all back; one that failed there counts', async () => {
  for (let count = 0; count < 3; count++) {
    const answer = await ask('dead-or-spare');
    expect(answer.record().attempts.map(({ error }) => error)).toEqual(['upstream_unreachable', null]);
  }
  rig.simulator.setFault({ name: 'overload', vendor: 'qwen', args: {} });
  const failed = [];
  for (let count = 0; count < 6; count++) failed.push((await ask('only-failing')).status);
  expect(failed).toEqual([503, 503, 503, 503, 503, 429]);
});

test('of a list that fails, the calls that were made count, and no others', async () => {
  rig.simulator.setFault({ name: 'overload', vendor: 'qwen', args: {} });
  const calls = (count: number) => ({ model: 'lists/text-embedding-v4', input: Array.from({ length: count * 10 }, () => 'x') });
  const status = async (count: number) => (await rig.raw(calls(count), { path: '/v1/embeddings' })).status;
  // Four run at a time, and the first that fails ends them: of ten at least six are left, and with each list there is one less.
  expect([await status(9), await status(6)]).toEqual([503, 503]);
  const more: number[] = [];
  while (more.length < 5 && more.at(-1) !== 429) more.push(await status(6));
  expect(more.at(-1)).toBe(429);
});

test('each of several parallel calls counts, as the vendor counts them; the whole answer is one reservation', async () => {
  expect((await ask('only-choices', { n: 4 })).headers.get('x-should-retry')).toBe('false');
  expect(rig.seen()).toHaveLength(0);
  expect((await ask('only-choices', { n: 3 })).status).toBe(200);
  expect(rig.seen()).toHaveLength(3);
  const refused = await ask('only-choices');
  expect([refused.status, refused.headers.get('x-estafet-limit')]).toEqual([429, 'backend.rpd']);
});

test('tokens are settled by what the vendor counted', async () => {
  // 2,048 are reserved for each answer: without settlement 100,000 hold fewer than 50 of them.
  const answers = [];
  for (let count = 0; count < 60; count++)
    answers.push((await ask('only-settled', { max_tokens: 2000, messages: [user('[[sim:len n=3]] x')] })).status);
  expect(new Set(answers)).toEqual(new Set([200]));
});
