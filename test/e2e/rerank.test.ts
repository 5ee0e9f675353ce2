import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkErrorResponse } from '../contract/openai-schema.ts';
import { type Rig, startRig } from './rig.ts';

const CASES = [
  { vendor: 'qwen', model: 'qwen3-rerank', documents: 500 },
  { vendor: 'ernie', model: 'bce-reranker-base', documents: 64 },
  { vendor: 'glm', model: 'rerank', documents: 128 },
] as const;

const PATH = '/v1/rerank';

interface Answer {
  id: string;
  model: string;
  results: { index: number; relevance_score: number; document?: unknown }[];
  usage: { prompt_tokens: number; total_tokens: number };
}

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({
    configExtra: { models: { ranker: ['qwen/qwen3-rerank', 'glm/rerank'] } },
    keyOptions: { strict: { strict: true }, narrow: { permit: { vendors: ['glm'] } }, learning: { limits: { tpm: 10_000_000 } } },
  });
});
afterAll(() => rig.close());
beforeEach(() => rig.reset());

const ask = async (body: Record<string, unknown>, key = 'main'): Promise<Answer> => {
  const answer = await rig.raw(body, { path: PATH, key });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as unknown as Answer;
};

describe.each(CASES)('$vendor', ({ vendor, model, documents: most }) => {
  const documents = ['red cars', { text: 'blue whales swim' }, 'whales', 'nothing of the kind'];

  test('the best first, with the documents that were sent', async () => {
    const answer = await ask({ model, query: 'blue whales', documents, return_documents: true });
    expect(Object.keys(answer)).toEqual(['id', 'model', 'results', 'usage']);
    expect(answer).toMatchObject({ id: expect.stringMatching(/^rerank-[0-9a-f]{24}$/), model });
    expect(answer.results.map(({ index }) => index).slice(0, 2)).toEqual([1, 2]);
    expect(answer.results.map(({ index }) => index).toSorted()).toEqual([0, 1, 2, 3]);
    expect(answer.results[0]?.document).toEqual({ text: 'blue whales swim' });
    expect(answer.results[1]?.document).toEqual({ text: 'whales' });
    const scores = answer.results.map(({ relevance_score }) => relevance_score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    const counted = rig.simulator.usage().reduce((sum, { promptTokens }) => sum + promptTokens, 0);
    expect(answer.usage).toEqual({ prompt_tokens: counted, total_tokens: counted });
    expect(rig.records).toMatchObject([{ surface: 'rerank', reason: 'done', usage: { promptTokens: counted, source: 'vendor' } }]);
    expect(rig.seen()[0]?.vendor).toBe(vendor);
  });

  test('the best of them, without their documents', async () => {
    const answer = await ask({ model, query: 'blue whales', documents, top_n: 1 });
    expect(answer.results).toEqual([{ index: 1, relevance_score: expect.any(Number) }]);
    expect(rig.lastBody()).toEqual({
      model,
      query: 'blue whales',
      documents: documents.map((one) => (typeof one === 'string' ? one : one.text)),
      top_n: 1,
    });
  });

  test('a long list in several calls is one list in the end', async () => {
    const list = Array.from({ length: most + 20 }, (_, index) => `paper ${index}`);
    list[most + 10] = 'blue whales swim';
    list[3] = 'whales';
    const answer = await ask({ model, query: 'blue whales', documents: list, top_n: 2 });
    expect(answer.results.map(({ index }) => index)).toEqual([most + 10, 3]);
    expect(rig.seen().length).toBe(2);
    expect(rig.records).toMatchObject([
      { surface: 'rerank', receipt: { changes: [{ field: 'documents', fate: 'emulated', alters: true }] } },
    ]);
    const strict = await rig.raw({ model, query: 'q', documents: list }, { path: PATH, key: 'strict' });
    expect([strict.status, strict.json()['error']]).toMatchObject([400, { param: 'documents' }]);
  });

  test('a refusal', async () => {
    const answer = await rig.raw({ model, query: '[[sim:rate-limit]]', documents }, { path: PATH });
    expect(checkErrorResponse(answer.status, answer.json())).toEqual([]);
    expect([answer.status, answer.headers.get('x-estafet-limit')]).toEqual([429, 'upstream']);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

test('another model may rank when the first fails: the scores are all of one', async () => {
  rig.simulator.setFault({ vendor: 'qwen', name: 'overload', args: {} });
  const answer = await ask({ model: 'ranker', query: 'whales', documents: ['a', 'whales'] });
  expect(answer.model).toBe('ranker');
  expect(answer.results[0]?.index).toBe(1);
  expect(rig.records[0]?.attempts.map(({ model, error }) => [model, error])).toEqual([
    ['qwen3-rerank', 'upstream_overloaded'],
    ['rerank', null],
  ]);
});

test('only where the key may go', async () => {
  await ask({ model: 'ranker', query: 'whales', documents: ['a'] }, 'narrow');
  expect(rig.seen().map(({ vendor }) => vendor)).toEqual(['glm']);
});

test.each([
  [{ query: 'q', documents: [] }, 'documents'],
  [{ documents: ['a'] }, 'query'],
  [{ query: 'q', documents: ['a', { title: 'no text' }] }, 'documents[1].text'],
])('%j is refused: %s', async (body, param) => {
  const answer = await rig.raw({ model: 'rerank', ...body }, { path: PATH });
  expect([answer.status, answer.json()['error']]).toMatchObject([400, { param, type: 'invalid_request_error' }]);
  expect(rig.seen()).toEqual([]);
});

test('what is reserved counts the query with each document, and comes nearer to what the vendor counts', async () => {
  const body = {
    model: 'qwen3-rerank',
    query: 'blue whales '.repeat(20),
    documents: Array.from({ length: 10 }, () => 'whales '.repeat(20)),
  };
  for (let request = 0; request < 30; request++) await ask(body, 'learning');
  const estimates = rig.records.map(({ estimate }) => estimate?.promptTokens ?? 0);
  const counted = rig.records[0]?.usage?.promptTokens ?? 0;
  expect(estimates).toHaveLength(30);
  expect(estimates[0]).toBeGreaterThan(counted);
  expect(estimates.at(-1)).toBeLessThan(0.95 * (estimates[0] as number));
  expect(estimates.at(-1)).toBeGreaterThanOrEqual(counted);
});
