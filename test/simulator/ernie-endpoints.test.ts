import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ACCESS_KEY, SECRET_KEY } from '../../simulator/ernie/bearer.ts';
import { keyText } from '../../simulator/ernie/keys.ts';
import { at, type Client, chatBody, type Json, json, startClient } from './ernie-client.ts';

const CHAT = '/v2/chat/completions';
let client: Client;
beforeAll(async () => {
  client = await startClient();
});
beforeEach(() => client.simulator.reset());
afterAll(() => client.close());

describe('embeddings', () => {
  const embed = (body: Json) => client.ask('/v2/embeddings', { model: 'bge-large-zh', ...body });

  test.each([
    ['embedding-v1', 384],
    ['bge-large-zh', 1_024],
    ['bge-large-en', 1_024],
    ['tao-8k', 1_024],
    ['qwen3-embedding-0.6b', 1_024],
    ['qwen3-embedding-4b', 2_560],
    ['gme-Qwen2-VL-2B-Instruct', 1_536],
  ])('%s gives unit vectors of %i numbers', async (model, dims) => {
    const body = json(await embed({ model, input: ['hello'] }));
    const vector = at(body, 'data', 0, 'embedding') as number[];
    expect(vector.length).toBe(dims);
    expect(Math.hypot(...vector)).toBeCloseTo(1, 4);
  });

  test('shape, order, sameness and nearness', async () => {
    const body = json(
      await embed({ input: ['red apple pie', 'red apple tart', 'tax law', 'red apple pie'], user: 'u', encoding_format: 'float' }),
    );
    expect(body).toMatchObject({ object: 'embedding_list', model: 'bge-large-zh', usage: { prompt_tokens: 14, total_tokens: 14 } });
    const data = body['data'] as { object: string; index: number; embedding: number[] }[];
    expect(data.map(({ object, index }) => [object, index])).toEqual([0, 1, 2, 3].map((index) => ['embedding', index]));
    const near = (a: number, b: number) =>
      (data[a]?.embedding ?? []).reduce((sum, value, i) => sum + value * (data[b]?.embedding[i] ?? 0), 0);
    expect(data[0]?.embedding).toEqual(data[3]?.embedding);
    expect(near(0, 1)).toBeGreaterThan(near(0, 2) + 0.3);
  });

  test('a string is one input; object may be list', async () => {
    const body = json(await embed({ input: 'hi [[sim:object value=list]]' }));
    expect([body['object'], (body['data'] as unknown[]).length]).toEqual(['list', 1]);
  });

  const many = (count: number): string[] => Array.from({ length: count }, (_, n) => `t${n}`);
  test.each<[string, Json, number, string | undefined]>([
    ['16 inputs', { input: many(16) }, 200, undefined],
    ['17 inputs', { input: many(17) }, 400, 'invalid_argument'],
    ['2 inputs to tao-8k', { model: 'tao-8k', input: many(2) }, 400, 'invalid_argument'],
    ['no input', {}, 400, 'invalid_argument'],
    ['no inputs', { input: [] }, 400, 'invalid_argument'],
    ['an empty string', { input: ['a', ''] }, 400, 'invalid_argument'],
    ['tokens', { input: [1, 2, 3] }, 400, 'invalid_argument'],
    ['token arrays', { input: [[1, 2]] }, 400, 'invalid_argument'],
    ['base64', { input: 'a', encoding_format: 'base64' }, 400, 'invalid_argument'],
    ['dimensions', { input: 'a', dimensions: 256 }, 400, 'invalid_argument'],
    ['513 tokens', { input: '天'.repeat(513) }, 400, 'tokens_too_long'],
    ['512 tokens', { input: '天'.repeat(512) }, 200, undefined],
    ['2001 characters', { input: 'a'.repeat(2_001) }, 400, 'characters_too_long'],
    ['a chat model', { model: 'ernie-5.1', input: 'a' }, 401, 'invalid_model'],
    ['no model', { model: '', input: 'a' }, 400, 'invalid_model'],
    ['an object to a text model', { input: [{ text: 'a' }] }, 400, 'invalid_argument'],
    ['an object to a multimodal model', { model: 'gme-Qwen2-VL-2B-Instruct', input: [{ text: 'a' }] }, 200, undefined],
    ['an unlisted key', { input: 'a', made_up: 1 }, 200, undefined],
    ['an unlisted key, strict', { input: 'a [[sim:profile value=strict]]', made_up: 1 }, 400, 'invalid_argument'],
    ['a fault', { input: ['a', 'b [[sim:arrears]]'] }, 403, 'account_overdue'],
  ])('%s', async (_name, body, status, code) => {
    const asked = await embed(body);
    expect([asked.status, at(json(asked), 'error', 'code')]).toEqual([status, code]);
  });
});

describe('rerank', () => {
  const rank = (body: Json) =>
    client.ask('/v2/rerank', {
      model: 'bce-reranker-base',
      query: 'red apple',
      documents: ['tax law', 'a red apple', 'red wine'],
      ...body,
    });

  test('best first, with the old index and the document', async () => {
    const body = json(await rank({ top_n: 2 }));
    expect(body).toMatchObject({ object: 'reranker_list', model: 'bce-reranker-base', id: expect.stringMatching(/^as-/) });
    expect(body['results']).toEqual([
      { document: 'a red apple', relevance_score: expect.any(Number), index: 1 },
      { document: 'red wine', relevance_score: expect.any(Number), index: 2 },
    ]);
    expect(Number(at(body, 'results', 0, 'relevance_score'))).toBeGreaterThan(Number(at(body, 'results', 1, 'relevance_score')));
  });

  test.each<[string, Json, number]>([
    ['64 documents', { documents: Array<string>(64).fill('a') }, 200],
    ['65 documents', { documents: Array<string>(65).fill('a') }, 400],
    ['a document of 4097 characters', { documents: ['a'.repeat(4_097)] }, 400],
    ['a query of 1601 characters', { query: 'a'.repeat(1_601) }, 400],
    ['no query', { query: '' }, 400],
    ['documents as objects', { documents: [{ text: 'a' }] }, 400],
    ['top_n 0', { top_n: 0 }, 400],
    ['an unknown model', { model: 'x' }, 401],
  ])('%s', async (_name, body, status) => {
    expect((await rank(body)).status).toBe(status);
  });

  test('long texts are cut, not refused', async () => {
    const body = json(await rank({ query: '天'.repeat(1_000), documents: ['地'.repeat(3_000)] }));
    expect(at(body, 'usage', 'prompt_tokens')).toBe(400 + 1_024);
  });
});

describe('models', () => {
  test('lists ids with empty owners, without retired ones', async () => {
    const body = json(await client.ask('/v2/models', undefined, { method: 'GET' }));
    const ids = (body['data'] as Json[]).map((entry) => entry['id']);
    expect(at(body, 'data', 0)).toEqual({ id: expect.any(String), object: 'model', owned_by: '', created: 0 });
    expect(ids).toEqual(expect.arrayContaining(['ernie-5.1', 'ernie-4.5-turbo-128k', 'bge-large-zh', 'bce-reranker-base']));
    expect(ids).not.toContain('ernie-3.5-8k');
  });

  test.each([null, 'plan'])('key %s: flat 403', async (key) => {
    const asked = await client.ask('/v2/models', undefined, { method: 'GET', key });
    expect(asked.status).toBe(403);
    expect(json(asked)).toEqual({ code: 'AccessDenied', message: 'Access denied.', requestId: expect.any(String) });
  });

  test('a dead key set by the admin API is flat here, too', async () => {
    client.simulator.setFault({ name: 'dead-key', vendor: 'ernie' });
    expect(json(await client.ask('/v2/models', undefined, { method: 'GET' }))['code']).toBe('AccessDenied');
  });
});

describe('limits', () => {
  const code = async (key: string, text = '[[sim:tokens n=1]]', model = 'ernie-5.1'): Promise<unknown> =>
    at(json(await client.ask(CHAT, chatBody(text, { model }), { key })), 'error', 'code');

  test('RPM holds for the account and the model, and ends after a minute', async () => {
    expect([await code('tiny'), await code('tiny-twin'), await code('tiny')]).toEqual([undefined, undefined, undefined]);
    expect(await code('tiny-twin')).toBe('rpm_rate_limit_exceeded');
    expect(await code('tiny', 'hi', 'ernie-5.0')).toBeUndefined();
    client.advance(60_001);
    expect(await code('tiny')).toBeUndefined();
  });

  test('TPM counts input and output', async () => {
    expect(await code('tiny', `${'天'.repeat(1_990)} [[sim:tokens n=20]]`)).toBeUndefined();
    expect(await code('tiny')).toBe('tpm_rate_limit_exceeded');
  });

  test('limits fall when a pack ends', async () => {
    expect(await code('good')).toBeUndefined();
    client.simulator.setFault({ name: 'limits', vendor: 'ernie', args: { rpm: '1' } });
    const asked = await client.ask(CHAT, chatBody('hi', { model: 'ernie-5.1' }));
    expect([asked.status, asked.headers['x-ratelimit-limit-requests'], asked.headers['x-ratelimit-remaining-requests']]).toEqual([
      429,
      '1',
      '0',
    ]);
  });

  test('limits of the admin API speak Qianfan', async () => {
    client.simulator.setLimits('ernie', { rpm: 1 });
    expect([await code('good'), await code('good')]).toEqual([undefined, 'rpm_rate_limit_exceeded']);
  });

  const NEW = ['limit-input-tokens', 'limit-output-tokens', 'remaining-input-tokens', 'remaining-output-tokens'];
  const OLD = ['limit-tokens', 'remaining-tokens'];
  const BOTH = ['limit-requests', 'remaining-requests'];
  test.each([
    ['', [...BOTH, ...NEW]],
    ['[[sim:profile value=2025]]', [...BOTH, ...OLD]],
    ['[[sim:rate-headers value=both]]', [...BOTH, ...NEW, ...OLD]],
    ['[[sim:rate-headers value=none]]', []],
  ])('headers with "%s"', async (text, names) => {
    const asked = await client.ask(CHAT, chatBody(`hi ${text}`), { key: 'small' });
    const found = Object.keys(asked.headers).flatMap((name) =>
      name.startsWith('x-ratelimit-') ? [name.slice('x-ratelimit-'.length)] : [],
    );
    expect(found.sort()).toEqual([...names].sort());
    if (names.length > 0)
      expect([asked.headers['x-ratelimit-limit-requests'], asked.headers['x-ratelimit-remaining-requests']]).toEqual(['300', '299']);
  });
});

describe('short-term bearer', () => {
  const hmac = (key: string, text: string): string => createHmac('sha256', key).update(text).digest('hex');
  const PATH = '/v1/BCE-BEARER/token';
  /** Signs over x-bce-date alone; the header is the vendor's own scheme. */
  function signed(query: string, secret = SECRET_KEY, accessKey = ACCESS_KEY, date = '2025-11-24T16:00:00Z'): Record<string, string> {
    const prefix = `bce-auth-v1/${accessKey}/${date}/1800`;
    const canonical = ['GET', PATH, query, `x-bce-date:${encodeURIComponent(date)}`].join('\n');
    return { 'x-bce-date': date, authorization: `${prefix}/x-bce-date/${hmac(hmac(secret, prefix), canonical)}` };
  }
  const token = (query: string, headers: Record<string, string>) =>
    client.ask(`${PATH}?${query}`, undefined, { method: 'GET', key: null, headers });
  let now: Client;
  // The clock of the other tests has moved; this one starts where the signatures are dated.
  beforeAll(async () => {
    now = client;
    client = await startClient();
  });
  afterAll(async () => {
    await client.close();
    client = now;
  });

  test('a signed call gives a token that works until it expires', async () => {
    const asked = await token('expireInSeconds=300', signed('expireInSeconds=300'));
    expect(json(asked)).toMatchObject({ status: 'enable', createTime: '2025-11-24T16:00:00.000Z', expireTime: '2025-11-24T16:05:00.000Z' });
    const headers = { authorization: `Bearer ${String(json(asked)['token'])}` };
    expect((await client.ask(CHAT, chatBody('hi'), { key: null, headers })).status).toBe(200);
    client.advance(300_000);
    expect(at(json(await client.ask(CHAT, chatBody('hi'), { key: null, headers })), 'error', 'code')).toBe('invalid_iam_token');
    client.advance(-300_000);
  });

  test.each([
    ['a wrong secret', signed('expireInSeconds=300', 'wrong'), 'SignatureDoesNotMatch'],
    ['an unknown access key', signed('expireInSeconds=300', SECRET_KEY, 'ALTAKnobody'), 'InvalidAccessKeyId'],
    ['an old signature', signed('expireInSeconds=300', SECRET_KEY, ACCESS_KEY, '2025-11-24T15:00:00Z'), 'RequestExpired'],
    ['a bearer', { authorization: `Bearer ${keyText('good')}` }, 'IamSignatureInvalid'],
  ])('%s: told in headers only', async (_name, headers, code) => {
    const asked = await token('expireInSeconds=300', headers);
    expect([asked.status, asked.text, asked.headers['x-bce-error-code']]).toEqual([403, '', code]);
  });

  test.each(['299', '2592001', 'x'])('expireInSeconds=%s is out of range', async (seconds) => {
    const query = `expireInSeconds=${seconds}`;
    expect((await token(query, signed(query))).status).toBe(400);
  });

  test('the scheme gives the published check value', () => {
    const prefix = 'bce-auth-v1/ALTAKexampleexampleexample0/2026-11-24T08:00:00Z/1800';
    expect(hmac('0123456789abcdef0123456789abcdef', prefix)).toBe('d08a230cf5ca0ced5e2fb9463b14ba1ad6411d91bcd40c4ac376883d6582b222');
  });
});

test('the journal and the totals know key and model by name', async () => {
  await client.ask(CHAT, chatBody('[[sim:say text="one two"]]'));
  await client.ask(CHAT, chatBody('[[sim:arrears]]'));
  expect(client.simulator.usage()).toEqual([
    expect.objectContaining({ vendor: 'ernie', model: 'ernie-4.5-turbo-128k', key: 'good', requests: 2, errors: 1, completionTokens: 2 }),
  ]);
  expect(client.simulator.journal().map((entry) => entry.accounting?.errorCode)).toEqual([null, 'account_overdue']);
});

test('the admin’s strict profile reaches the vendor', async () => {
  client.simulator.setStrict('ernie', true);
  expect((await client.ask(CHAT, chatBody('hi', { n: 1 }))).status).toBe(400);
});
