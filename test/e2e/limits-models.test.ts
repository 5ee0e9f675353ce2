import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { checkErrorResponse } from '../contract/openai-schema.ts';
import { type Rig, startRig, user } from './rig.ts';

/** Limits of single models as callers meet them: each entry, and each key, is used by one test. */
let rig: Rig;

beforeAll(async () => {
  rig = await startRig({
    configExtra: {
      models: {
        'gpt-4o': ['qwen/qwen-plus'],
        'gpt-4.1': ['qwen/qwen-plus'],
        shared: ['qwen/qwen-plus'],
        common: ['qwen/qwen-plus'],
        dear: ['qwen/qwen-plus'],
        // GLM makes one choice a call.
        choices: ['glm/glm-4.6'],
      },
      team: { limits: { models: { shared: { rpd: 3 } } } },
    },
    keyOptions: {
      entry: { limits: { rpd: 100, models: { 'gpt-4*': { rpd: 2 } } } },
      exact: { limits: { models: { 'gpt-4*': { rpd: 1 }, 'gpt-4o': { rpd: 2 } } } },
      headers: { limits: { rpd: 10, tpd: 100_000, models: { common: { rpd: 5, tpd: 50_000 }, 'gpt-4o': { rpd: 30 } } } },
      slot: { limits: { concurrency: 10, models: { common: { concurrency: 1 } } } },
      spender: { limits: { models: { dear: { budget: { amount: 0.000_001, currency: 'CNY', per: 'day' } } } } },
      reserve: { limits: { tpd: 1000, outputReserve: 100, models: { common: { outputReserve: 2000 } } } },
      choices: { limits: { models: { choices: { rpd: 2 } } } },
      mate: {},
    },
  });
});
afterAll(() => rig.close());
beforeEach(() => rig.reset());

const ask = (key: string, model: string, more = {}) => rig.raw({ model, max_tokens: 2, messages: [user('x')], ...more }, { key });

test('all names of an entry share its bucket, and the limits of the key go on for other names', async () => {
  expect((await ask('entry', 'gpt-4o')).status).toBe(200);
  expect((await ask('entry', 'gpt-4.1')).status).toBe(200);
  const reached = rig.seen().length;
  for (const model of ['gpt-4o', 'gpt-4.1']) {
    const refused = await ask('entry', model);
    expect(refused.status).toBe(429);
    expect(checkErrorResponse(refused.status, refused.json())).toEqual([]);
    expect(refused.headers.get('x-estafet-limit')).toBe('key.model.rpd');
    expect(refused.text).toContain(`Rate limit reached for ${model} on requests per day (RPD): Limit 2, Used 2, Requested 1.`);
  }
  expect(rig.seen().length).toBe(reached);
  const other = await ask('entry', 'common');
  expect(other.status).toBe(200);
  // The refused ones took nothing of the key's own limit.
  expect(other.headers.get('x-ratelimit-remaining-requests')).toBe('97');
});

test('a name with an entry of its own does not count in the pattern’s', async () => {
  const answers = [];
  for (const model of ['gpt-4o', 'gpt-4o', 'gpt-4.1', 'gpt-4o', 'gpt-4.1']) answers.push((await ask('exact', model)).status);
  expect(answers).toEqual([200, 200, 200, 429, 429]);
});

test('a team’s entry holds for all its keys together', async () => {
  const answers = [];
  for (const key of ['main', 'mate', 'main', 'mate']) answers.push(await ask(key, 'shared'));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
  expect(answers.at(-1)?.headers.get('x-estafet-limit')).toBe('team.model.rpd');
  expect((await ask('mate', 'common')).headers.get('x-ratelimit-limit-requests')).toBeNull();
});

test('the headers are those of the tightest limit, whichever it is', async () => {
  const common = await ask('headers', 'common');
  expect(common.headers.get('x-ratelimit-limit-requests')).toBe('5');
  expect(common.headers.get('x-ratelimit-limit-tokens')).toBe('50000');
  const gpt = await ask('headers', 'gpt-4o');
  expect(gpt.headers.get('x-ratelimit-limit-requests')).toBe('10');
  expect(gpt.headers.get('x-ratelimit-limit-tokens')).toBe('100000');
});

test('slots of a model', async () => {
  const stream = await rig
    .client({ key: 'slot' })
    .chat.completions.create({ model: 'common', stream: true, messages: [user('[[sim:stall after=1]]')] });
  const refused = await ask('slot', 'common');
  expect([refused.status, refused.headers.get('x-estafet-limit')]).toEqual([429, 'key.model.concurrency']);
  expect((await ask('slot', 'gpt-4o')).status).toBe(200);
  stream.controller.abort();
  await expect.poll(async () => (await ask('slot', 'common')).status, { timeout: 5000 }).toBe(200);
});

test('a budget of a model is spent for that model only', async () => {
  const refused = await ask('spender', 'dear', { max_tokens: 100 });
  expect(refused.json()['error']).toMatchObject({ type: 'insufficient_quota', code: 'insufficient_quota' });
  expect(refused.headers.get('x-estafet-limit')).toBe('key.model.budget.day.cny');
  expect((await ask('spender', 'common')).status).toBe(200);
});

test('the reserve of an entry replaces that of the key', async () => {
  expect((await ask('reserve', 'gpt-4o', { max_tokens: undefined })).status).toBe(200);
  const refused = await ask('reserve', 'common', { max_tokens: undefined });
  expect(refused.text).toContain('Request too large for common on tokens per day (TPD): Limit 1000, Requested 20');
});

test('several choices, made by parallel calls, are one request of the limits', async () => {
  const answer = await ask('choices', 'choices', { n: 3 });
  expect(answer.status).toBe(200);
  expect(rig.seen().length).toBe(3);
  expect(answer.headers.get('x-ratelimit-remaining-requests')).toBe('1');
  expect(answer.record().attempts).toHaveLength(1);
});
