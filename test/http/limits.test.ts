import OpenAI from 'openai';
import request from 'supertest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkHeaders } from '../contract/openai-schema.ts';
import { digestOf, KEY, openSimulated, type SimulatedDesk } from './desk.ts';

const OTHER = 'sk-test-key-of-the-same-team-0001';
const FREE = 'sk-test-key-without-any-limit-001';

let desk: SimulatedDesk;
beforeAll(async () => {
  desk = await openSimulated(
    '',
    `models: { gpt-4o: [qwen/qwen-plus] }
teams:
  t:
    permit: { vendors: [qwen], regions: ['*'] }
    limits: { rpm: 600, concurrency: 4, budget: { amount: 500, currency: CNY, per: month } }
  free: { permit: { vendors: [qwen], regions: ['*'] } }
keys:
  - { name: app, team: t, key: '${digestOf(KEY)}', limits: { tpd: 100000, models: { 'gpt-*': { rpd: 9 } } } }
  - { name: other, team: t, key: '${digestOf(OTHER)}' }
  - { name: free, team: free, key: '${digestOf(FREE)}' }
`,
  );
});
afterAll(() => desk.close());

interface Told {
  readonly object: string;
  readonly key: string;
  readonly team: string;
  readonly limits: readonly (Readonly<Record<string, unknown>> & { readonly name: string; readonly remaining: number })[];
  readonly open: object;
}

const told = async (key = KEY, path = '/v1/estafet/limits'): Promise<Told> => {
  const answer = await request(desk.url).get(path).set('authorization', `Bearer ${key}`);
  expect([answer.status, checkHeaders(new Headers(answer.headers as Record<string, string>), 'json')]).toEqual([200, []]);
  return answer.body as Told;
};

test('every limit that can hold for the key, unused', async () => {
  const { limits, ...rest } = await told();
  expect(rest).toEqual({ object: 'estafet.limits', key: 'app', team: 't', open: { requests: 0, tokens: 0, cost: { CNY: '0.00' } } });
  const count = { model: null, currency: null, reset: '0s', window_end: null };
  const now = new Date();
  expect(limits).toEqual([
    { ...count, name: 'team.rpm', measure: 'requests', limit: 600, remaining: 600 },
    { ...count, name: 'team.concurrency', measure: 'concurrency', limit: 4, remaining: 4, reset: null },
    {
      name: 'team.budget.month.cny',
      model: null,
      measure: 'money',
      currency: 'CNY',
      limit: '500.00',
      remaining: '500.00',
      reset: expect.stringMatching(/^\d+h\d+m[\d.]+s$/),
      window_end: new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1)).toISOString(),
    },
    { ...count, name: 'key.tpd', measure: 'tokens', limit: 100_000, remaining: 100_000 },
    { ...count, name: 'key.model.rpd', model: 'gpt-*', measure: 'requests', limit: 9, remaining: 9 },
  ]);
});

test('while a stream runs: what it holds, and of another key’s only what the team has left', async () => {
  const client = new OpenAI({ baseURL: `${desk.url}/v1`, apiKey: KEY, maxRetries: 0 });
  const stream = await client.chat.completions.create({
    model: 'gpt-4o',
    stream: true,
    max_tokens: 100,
    messages: [{ role: 'user', content: '[[sim:tokens n=80]] [[sim:slow chunkMs=20]]' }],
  });
  const left = ({ limits }: Told): Record<string, unknown> => Object.fromEntries(limits.map(({ name, remaining }) => [name, remaining]));
  const [own, other] = [await told(), await told(OTHER, '/estafet/limits?key=app&team=free')];
  expect(left(own)).toMatchObject({ 'team.concurrency': 3, 'key.model.rpd': 8 });
  expect(own.open).toMatchObject({ requests: 1 });
  expect((own.open as { tokens: number }).tokens).toBe(100_000 - Number(left(own)['key.tpd']));
  expect(other).toMatchObject({ key: 'other', open: { requests: 0, tokens: null, cost: { CNY: '0.00' } } });
  expect(Object.keys(left(other))).toEqual(['team.rpm', 'team.concurrency', 'team.budget.month.cny']);
  expect(left(other)).toMatchObject({ 'team.concurrency': 3 });
  for await (const _ of stream);
  await expect.poll(async () => (await told()).open).toMatchObject({ requests: 0, tokens: 0, cost: { CNY: '0.00' } });
  expect(left(await told())).toMatchObject({ 'team.concurrency': 4, 'key.model.rpd': 8 });
});

test('a key without limits has an empty list', async () => {
  expect(await told(FREE)).toEqual({
    object: 'estafet.limits',
    key: 'free',
    team: 'free',
    limits: [],
    open: { requests: 0, tokens: null, cost: {} },
  });
});

test.each([
  ['GET', {}, 401],
  ['GET', { authorization: 'Bearer sk-nobody' }, 401],
  ['POST', { authorization: `Bearer ${KEY}` }, 405],
])('%s with %j: %d', async (method, headers, status) => {
  const answer = await fetch(`${desk.url}/v1/estafet/limits`, { method, headers });
  expect(answer.status).toBe(status);
  expect((await answer.json()) as object).toMatchObject({ error: { message: expect.any(String), type: 'invalid_request_error' } });
});
