import { describe, expect, test } from 'vitest';
import { likeness } from '../../simulator/glm/vectors.ts';
import { type Ask, openDesk } from './glm-desk.ts';

const embed = (body: Record<string, unknown>, more: Partial<Ask> = {}) =>
  openDesk().ask({ path: '/api/paas/v4/embeddings', body: { model: 'embedding-3', ...body }, ...more });
const rank = (body: Record<string, unknown>, more: Partial<Ask> = {}) =>
  openDesk().ask({ path: '/api/paas/v4/rerank', body: { model: 'rerank', ...body }, ...more });
const vectors = (told: ReturnType<typeof embed>) =>
  (told.json['data'] as unknown as { embedding: number[] }[]).map(({ embedding }) => embedding);

describe('embeddings', () => {
  test('answer the documented shape', () => {
    const told = embed({ input: ['first text', 'second text'], dimensions: 256 });
    expect(told.json).toEqual({
      model: 'embedding-3',
      object: 'list',
      data: [0, 1].map((index) => ({ index, object: 'embedding', embedding: expect.any(Array) })),
      usage: { prompt_tokens: 6, completion_tokens: 0, total_tokens: 6 },
    });
    expect(told.accounting.promptTokens).toBe(6);
  });

  test.each([
    ['embedding-3', undefined, 2048],
    ['embedding-3', 256, 256],
    ['embedding-3', 512, 512],
    ['embedding-3', 1024, 1024],
    ['embedding-2', undefined, 1024],
  ])('%s with dimensions %s has unit vectors of %i', (model, dimensions, length) => {
    const [vector] = vectors(embed({ model, input: 'a river in France', dimensions }));
    expect(vector).toHaveLength(length);
    expect(Math.hypot(...vector!)).toBeCloseTo(1, 6);
  });

  test('are repeatable, differ by text, and shared words bring texts together', () => {
    const [cat, again, similar, far] = vectors(
      embed({ input: ['the black cat sleeps', 'the black cat sleeps', 'a black cat runs', 'quarterly tax report'] }),
    );
    expect(again).toEqual(cat);
    expect(likeness(cat!, similar!)).toBeGreaterThan(likeness(cat!, far!) + 0.2);
    expect(likeness(cat!, similar!)).toBeLessThan(0.99);
  });

  test('ignore encoding_format: floats always', () => {
    expect(vectors(embed({ input: 'x', encoding_format: 'base64' }))[0]![0]).toBeTypeOf('number');
  });

  test.each<[string, Record<string, unknown>, string | null]>([
    ['64 inputs', { input: Array(64).fill('x'), dimensions: 256 }, null],
    ['65 inputs', { input: Array(65).fill('x') }, '1214'],
    ['a token array', { input: [1, 2, 3] }, '1214'],
    ['token arrays', { input: [[1, 2], [3]] }, '1214'],
    ['no input', {}, '1213'],
    ['an empty list', { input: [] }, '1213'],
    ['an empty text', { input: ['a', ''] }, '1213'],
    ['other dimensions', { input: 'x', dimensions: 300 }, '1214'],
    ['dimensions of embedding-2', { model: 'embedding-2', input: 'x', dimensions: 256 }, '1214'],
    ['a text over 3072 tokens', { input: '字'.repeat(3073) }, '1261'],
    ['a text over 512 tokens for embedding-2', { model: 'embedding-2', input: '字'.repeat(513) }, '1261'],
    ['over 8K tokens in all for embedding-2', { model: 'embedding-2', input: Array(17).fill('字'.repeat(500)) }, '1261'],
    ['an unknown model', { model: 'text-embedding-3-small', input: 'x' }, '1211'],
    ['a chat model', { model: 'glm-4.7', input: 'x' }, '1212'],
    ['user_id too short', { input: 'x', user_id: 'abc' }, '1214'],
    ['a fault in a text', { input: ['[[sim:rate-limit]]'] }, '1302'],
  ])('%s', (_, body, code) => {
    expect(embed(body).accounting.errorCode).toBe(code);
  });
});

describe('rerank', () => {
  const documents = ['tax report', 'the black cat sleeps', 'a cat'];

  test('sorts by relevance and keeps the indexes', () => {
    const told = rank({ query: 'black cat', documents, return_documents: true, request_id: 'relay-000001' });
    expect(told.json).toEqual({
      id: expect.stringMatching(/^20260901101530[0-9a-f]{16}$/),
      request_id: 'relay-000001',
      results: [1, 2, 0].map((index) => ({ index, relevance_score: expect.any(Number), document: documents[index] })),
      usage: { prompt_tokens: told.accounting.promptTokens, total_tokens: told.accounting.promptTokens },
    });
    const scores = (told.json['results'] as unknown as { relevance_score: number }[]).map((result) => result.relevance_score);
    expect(scores[0]).toBeLessThanOrEqual(1);
    expect(scores[2]).toBeGreaterThanOrEqual(0);
  });

  test.each([
    [0, 3],
    [2, 2],
    [9, 3],
  ])('top_n %i gives %i', (top_n, count) => {
    const results = rank({ query: 'cat', documents, top_n }).json['results']!;
    expect(results).toHaveLength(count);
    expect(results['0']).not.toHaveProperty('document');
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['no query', { documents }, '1213'],
    ['a long query', { query: 'x'.repeat(4097), documents }, '1214'],
    ['no documents', { query: 'x' }, '1213'],
    ['129 documents', { query: 'x', documents: Array(129).fill('x') }, '1214'],
    ['a long document', { query: 'x', documents: ['x'.repeat(4097)] }, '1214'],
    ['a document that is no text', { query: 'x', documents: [{ text: 'x' }] }, '1214'],
    ['a negative top_n', { query: 'x', documents, top_n: -1 }, '1214'],
    ['an unknown model', { model: 'rerank-9', query: 'x', documents }, '1211'],
  ])('%s', (_, body, code) => {
    expect(rank(body).accounting.errorCode).toBe(code);
  });
});
