import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.close());

const GOOD = { model: 'qwen3-rerank', query: 'blue whales', documents: ['red cars', 'blue whales swim', 'whales'] };

async function post(change: Record<string, unknown>, path = '/compatible-api/v1/reranks') {
  const vendor = simulator.vendors.qwen;
  const response = await fetch(`${vendor?.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${vendor?.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...GOOD, ...change }),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

test('best first; the total of tokens is the only count', async () => {
  const { status, json } = await post({});
  expect(status).toBe(200);
  expect(Object.keys(json)).toEqual(['id', 'object', 'model', 'results', 'usage']);
  expect((json['results'] as { index: number }[]).map(({ index }) => index)).toEqual([1, 2, 0]);
  // The query counts once for each document: a list costs what its documents cost one by one.
  const alone = await Promise.all(GOOD.documents.map((document) => post({ documents: [document] })));
  const total = alone.reduce((sum, answer) => sum + (answer.json['usage'] as { total_tokens: number }).total_tokens, 0);
  expect(json['usage']).toEqual({ total_tokens: total });
});

test('the best, with their documents', async () => {
  const { json } = await post({ top_n: 1, return_documents: true });
  expect(json['results']).toEqual([{ index: 1, relevance_score: expect.any(Number), document: { text: 'blue whales swim' } }]);
});

test.each<[string, Record<string, unknown>, number]>([
  ['another model', { model: 'gte-rerank' }, 404],
  ['no query', { query: '' }, 400],
  ['no documents', { documents: [] }, 400],
  ['objects', { documents: [{ text: 'a' }] }, 400],
  ['an empty document', { documents: ['a', ''] }, 400],
  ['too many documents', { documents: new Array(501).fill('a') }, 400],
  ['a query that is too long', { query: 'word '.repeat(4_001) }, 400],
  ['more tokens than a call takes', { query: 'word '.repeat(1_000), documents: new Array(150).fill('a') }, 400],
  ['the best none', { top_n: 0 }, 400],
  ['overload', { query: '[[sim:overload]]' }, 503],
])('%s: refused', async (_, change, status) => expect((await post(change)).status).toBe(status));

test('under the base of all else the path is dead', async () => {
  expect((await post({}, '/compatible-mode/v1/reranks')).status).toBe(404);
});
