import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkErrorResponse, checkHeaders, validateEmbeddings } from '../contract/openai-schema.ts';
import { type Rig, startRig } from './rig.ts';

/** One model of each vendor, and what it gives. */
const CASES = [
  { vendor: 'qwen', model: 'text-embedding-v4', size: 1024, items: 10 },
  { vendor: 'ernie', model: 'bge-large-zh', size: 1024, items: 16 },
  { vendor: 'glm', model: 'embedding-3', size: 2048, items: 64 },
] as const;

const PATH = '/v1/embeddings';
const texts = (count: number): string[] => Array.from({ length: count }, (_, index) => `word${index} and a sea of others`);

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({
    configExtra: {
      backends: { 'qwen-2': { simulated: 'qwen' }, again: { simulated: 'qwen', retries: 1 } },
      models: {
        'text-embedding-3-small': ['qwen/text-embedding-v4', 'glm/embedding-3', 'qwen-2/text-embedding-v4'],
        spread: [
          { to: 'glm/embedding-3', weight: 1 },
          { to: 'qwen/text-embedding-v4', weight: 9 },
        ],
      },
    },
    keyOptions: {
      strict: { strict: true },
      narrow: { permit: { vendors: ['glm'] } },
      small: { limits: { tpm: 200, concurrency: 5 } },
      poor: { limits: { rpm: 3 } },
      learning: { limits: { tpm: 10_000_000 } },
      drain: { onDisconnect: 'drain' },
    },
  });
});
afterAll(() => rig.close());
beforeEach(() => rig.reset());

/** Vectors of single texts, asked for as numbers. */
async function alone(model: string, list: readonly string[]): Promise<number[][]> {
  const answers = list.map((input) => rig.raw({ model, input, encoding_format: 'float' }, { path: PATH }));
  return (await Promise.all(answers)).map((answer) => (answer.json()['data'] as [{ embedding: number[] }])[0].embedding);
}

describe.each(CASES)('$vendor', ({ vendor, model, size, items }) => {
  test('the SDK’s default: it asks for base64 and gets the vendor’s numbers, as float32', async () => {
    const [vector] = await alone(model, ['whales']);
    const answer = await rig.client().embeddings.create({ model, input: 'whales' });
    expect(answer).toMatchObject({ object: 'list', model, data: [{ object: 'embedding', index: 0 }] });
    expect(answer.data[0]?.embedding).toEqual(vector?.map(Math.fround));
    expect(answer.data[0]?.embedding.length).toBe(size);
    expect(rig.lastBody()).toEqual({ model, input: ['whales'] });
    expect(answer.usage.prompt_tokens).toBe(answer.usage.total_tokens);
  });

  test('numbers, as OpenAI’s schema has them', async () => {
    const answer = await rig.raw({ model, input: ['a', 'b'], encoding_format: 'float' }, { path: PATH });
    expect(answer.status, answer.text).toBe(200);
    expect(validateEmbeddings(answer.json())).toEqual([]);
    expect(checkHeaders(answer.headers, 'json')).toEqual([]);
    expect(Object.keys(answer.json())).toEqual(['object', 'data', 'model', 'usage']);
    expect(answer.headers.get('x-estafet-backend')).toBe(vendor);
  });

  test('a list of any length comes back in order, its usage summed, as one request', async () => {
    const list = texts(items * 5 + 3);
    const answer = await rig.client().embeddings.create({ model, input: list, encoding_format: 'float' });
    expect(answer.data.map(({ index }) => index)).toEqual([...list.keys()]);
    const picked = [0, items - 1, items, items * 5 + 2];
    const counted = rig.simulator.usage().reduce((sum, { promptTokens }) => sum + promptTokens, 0);
    expect(rig.seen().length).toBe(6);
    expect(answer.usage.prompt_tokens).toBe(counted);
    const [record] = rig.records;
    expect(rig.records.length).toBe(1);
    expect(record).toMatchObject({ surface: 'embeddings', stream: false, reason: 'done', status: 200, model });
    expect(record?.usage).toMatchObject({ promptTokens: counted, paidPromptTokens: counted, completionTokens: 0, source: 'vendor' });
    expect(picked.map((index) => answer.data[index]?.embedding)).toEqual(
      await alone(
        model,
        picked.map((index) => list[index] as string),
      ),
    );
  });

  test('one call that fails makes the request fail, and says so once', async () => {
    const list = texts(items * 6);
    list[items * 2] = '[[sim:overload]]';
    const answer = await rig.raw({ model: `${vendor}/${model}`, input: list }, { path: PATH });
    expect(checkErrorResponse(answer.status, answer.json())).toEqual([]);
    expect(answer.json()).toMatchObject({ error: { code: 'upstream_overloaded' } });
    expect(answer.status).toBe(503);
    expect(rig.seen().length).toBeLessThanOrEqual(6);
    expect(rig.records).toMatchObject([{ reason: 'vendor_error', usage: null }]);
  });

  test('tokens are refused by name, and nothing is sent', async () => {
    const refused = rig.client().embeddings.create({ model, input: [1212, 318, 257] });
    await expect(refused).rejects.toMatchObject({ status: 400, code: 'unsupported_value', param: 'input' });
    await expect(rig.client().embeddings.create({ model, input: [[1], [2]] })).rejects.toMatchObject({ status: 400, param: 'input' });
    expect(rig.seen()).toEqual([]);
  });

  test('the books and the prices', async () => {
    await rig.client().embeddings.create({ model, input: texts(3) });
    const [record] = rig.records;
    if (vendor !== 'ernie') expect(record?.cost).toMatchObject({ amountNano: expect.any(Number) });
    const answer = await rig.raw(undefined, { method: 'GET', path: `/v1/estafet/requests/${record?.id}` });
    expect(answer.json()).toMatchObject({ surface: 'embeddings', usage: { promptTokens: record?.usage?.promptTokens } });
  });

  test('is listed', async () => {
    const list = await rig.client().models.list();
    expect(list.data.map(({ id }) => id)).toContain(model);
    expect((await rig.client().models.retrieve(model)).owned_by).toBe(vendor);
  });
});

describe('dimensions', () => {
  test.each([
    ['text-embedding-v4', 256],
    ['embedding-3', 512],
  ])('%s gives %i where it is asked to', async (model, dimensions) => {
    const answer = await rig.client().embeddings.create({ model, input: texts(12), dimensions });
    expect(new Set(answer.data.map(({ embedding }) => embedding.length))).toEqual(new Set([dimensions]));
  });

  test('another size is refused with those there are', async () => {
    const refused = rig.client().embeddings.create({ model: 'text-embedding-v4', input: 'x', dimensions: 1000 });
    await expect(refused).rejects.toMatchObject({ status: 400, param: 'dimensions', message: expect.stringContaining('1536, 1024, 768') });
    expect(rig.seen()).toEqual([]);
    expect(rig.records.at(-1)?.decision).toMatchObject({ unmet: ['dimensions'] });
  });
});

describe('where a request may go', () => {
  test('never to another model than the first, whatever the weights and the failures', async () => {
    const input = '[[sim:overload]]';
    const answer = await rig.raw({ model: 'text-embedding-3-small', input }, { path: PATH });
    expect(answer.status).toBe(503);
    expect(answer.record().attempts.map(({ backend }) => backend)).toEqual(['qwen', 'qwen-2']);
    for (let round = 0; round < 3; round++) await rig.raw({ model: 'spread', input: 'x' }, { path: PATH });
    expect(new Set(rig.records.slice(1).map(({ attempts }) => attempts[0]?.model))).toEqual(new Set(['embedding-3']));
  });

  test('to the same model elsewhere when the first fails, and the answer is whole', async () => {
    const list = texts(25);
    const [vector] = await alone('text-embedding-v4', [list[24] as string]);
    rig.simulator.setFault({ vendor: 'qwen', name: 'overload', args: {}, times: 1 });
    const answer = await rig.client().embeddings.create({ model: 'text-embedding-3-small', input: list, encoding_format: 'float' });
    expect(answer.model).toBe('text-embedding-3-small');
    expect(answer.data.length).toBe(25);
    expect(answer.data[24]?.embedding).toEqual(vector);
    expect(rig.records.at(-1)?.attempts.map(({ backend, error }) => [backend, error])).toEqual([
      ['qwen', 'upstream_overloaded'],
      ['qwen-2', null],
    ]);
  });

  test('there again, the whole list, when one of its calls fails', async () => {
    rig.simulator.setFault({ vendor: 'qwen', name: 'overload', args: {}, times: 1, skip: 1 });
    const answer = await rig.client().embeddings.create({ model: 'again/text-embedding-v4', input: texts(25), encoding_format: 'float' });
    expect(answer.data.length).toBe(25);
    const [record] = rig.records;
    expect(record?.attempts.map(({ backend, error }) => [backend, error])).toEqual([
      ['again', 'upstream_overloaded'],
      ['again', null],
    ]);
    const second = rig.seen().filter(({ headers }) => headers['x-request-id']?.includes('-r1'));
    expect(second.flatMap(({ body }) => (body as { input: string[] }).input).toSorted()).toEqual(texts(25).toSorted());
  });

  test('not to a vendor without permit: its model is unknown, and it sees no packet', async () => {
    for (const model of ['text-embedding-v4', 'qwen/text-embedding-v4', 'qwen3-rerank']) {
      const path = model === 'qwen3-rerank' ? '/v1/rerank' : PATH;
      const answer = await rig.raw({ model, input: 'x', query: 'q', documents: ['d'] }, { key: 'narrow', path });
      expect([answer.status, answer.json()['error']]).toMatchObject([404, { code: 'model_not_found', param: null }]);
    }
    const allowed = await rig.raw({ model: 'text-embedding-3-small', input: 'x' }, { key: 'narrow', path: PATH });
    expect(allowed.record().attempts.map(({ backend }) => backend)).toEqual(['glm']);
    expect(new Set(rig.seen().map(({ vendor }) => vendor))).toEqual(new Set(['glm']));
    const list = await rig.client({ key: 'narrow' }).models.list();
    const ids = list.data.map(({ id }) => id);
    expect(ids).toContain('embedding-3');
    expect(ids).not.toContain('text-embedding-v4');
  });

  test.each([
    ['qwen-plus', PATH, 'This is not an embedding model'],
    ['qwen3-rerank', PATH, 'This is not an embedding model'],
    ['text-embedding-v4', '/v1/rerank', 'This is not a rerank model'],
    ['text-embedding-v4', '/v1/chat/completions', 'This is not a chat model'],
    ['text-embedding-3-small', '/v1/chat/completions', 'This is not a chat model'],
  ])('%s at %s is told where it belongs', async (model, path, words) => {
    const answer = await rig.raw({ model, input: 'x', query: 'q', documents: ['d'], messages: [{ role: 'user', content: 'x' }] }, { path });
    expect(answer.status).toBe(404);
    expect(checkErrorResponse(404, answer.json())).toEqual([]);
    expect(answer.json()).toMatchObject({ error: { param: 'model', code: null, message: expect.stringContaining(words) } });
    expect(rig.seen()).toEqual([]);
  });
});

describe('limits', () => {
  test('a request counts once, with its tokens, however many calls it takes', async () => {
    const answer = await rig.raw({ model: 'text-embedding-v4', input: texts(12) }, { key: 'poor', path: PATH });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers.get('x-ratelimit-remaining-requests')).toBe('2');
    expect(rig.seen().length).toBe(2);
  });

  test('what is reserved comes nearer to what the vendor counts', async () => {
    const input = texts(8);
    for (let request = 0; request < 30; request++) await rig.raw({ model: 'text-embedding-v4', input }, { key: 'learning', path: PATH });
    const estimates = rig.records.map(({ estimate }) => estimate?.promptTokens ?? 0);
    const counted = rig.records[0]?.usage?.promptTokens ?? 0;
    expect(estimates).toHaveLength(30);
    expect(estimates[0]).toBeGreaterThan(counted);
    expect(estimates.at(-1)).toBeLessThan(0.95 * (estimates[0] as number));
    expect(estimates.at(-1)).toBeGreaterThanOrEqual(counted);
  });

  test('one that is larger than the limit is refused before anything is sent', async () => {
    const answer = await rig.raw({ model: 'text-embedding-v4', input: texts(200) }, { key: 'small', path: PATH });
    expect([answer.status, answer.headers.get('x-should-retry')]).toEqual([429, 'false']);
    expect(answer.json()).toMatchObject({ error: { type: 'tokens', code: 'rate_limit_exceeded' } });
    expect(rig.seen()).toEqual([]);
    expect(rig.records).toMatchObject([{ surface: 'embeddings', status: 429 }]);
    expect((await rig.raw({ model: 'text-embedding-v4', input: 'hello' }, { key: 'small', path: PATH })).status).toBe(200);
  });
});

describe('a caller who leaves', () => {
  test.each([
    ['main', false],
    ['drain', true],
  ])('%s: read to the end %s', async (key, whole) => {
    const leave = new AbortController();
    // A call that was cancelled may reach the vendor late, during the next case.
    const input = [...texts(59), '[[sim:slow firstByteMs=1000]]'].map((text) => `${key} ${text}`);
    const seen = () => rig.seen().filter(({ body }) => JSON.stringify(body).includes(`${key} `));
    const asked = rig.client({ key }).embeddings.create({ model: 'text-embedding-v4', input }, { signal: leave.signal });
    // Of a caller who has left no more calls are made, and none that has no connection yet is sent: only those that arrived are drained.
    await expect.poll(() => seen().length, { timeout: 5_000, interval: 10 }).toBeGreaterThanOrEqual(whole ? 6 : 1);
    leave.abort();
    await expect(asked).rejects.toThrow();
    await expect.poll(() => rig.records.length, { timeout: 5_000 }).toBe(1);
    expect(rig.records).toMatchObject([
      { reason: 'client_gone', surface: 'embeddings', usage: { source: whole ? 'vendor' : expect.any(String) } },
    ]);
    if (whole) expect(seen().length).toBe(6);
  });
});

test('strict keys get what the relay does exactly, and no more', async () => {
  expect((await rig.client({ key: 'strict' }).embeddings.create({ model: 'text-embedding-v4', input: texts(11) })).data.length).toBe(11);
  const answer = await rig.raw({ model: 'text-embedding-v4', input: 'x', input_type: 'query' }, { key: 'strict', path: PATH });
  expect([answer.status, answer.json()['error']]).toMatchObject([400, { param: 'input_type' }]);
});

test('2,048 long texts stay within bounds', async () => {
  const input = Array.from({ length: 2048 }, (_, index) => `${index} ${'lighthouse '.repeat(60)}`);
  const answer = await rig.raw({ model: 'embedding-3', input, encoding_format: 'base64', dimensions: 256 }, { path: PATH });
  expect(answer.status, answer.text.slice(0, 300)).toBe(200);
  const data = answer.json()['data'] as { index: number; embedding: string }[];
  expect(data.length).toBe(2048);
  expect(data.every(({ index, embedding }, at) => index === at && Buffer.from(embedding, 'base64').length === 1024)).toBe(true);
  expect(rig.seen().length).toBe(32);
});
