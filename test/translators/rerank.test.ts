import { describe, expect, test } from 'vitest';
import { claims, outcome, rerankSent, texts, translator } from './lists.ts';

const VENDORS = [
  { vendor: 'qwen', model: 'qwen3-rerank', path: '/../../compatible-api/v1/reranks', documents: 500 },
  { vendor: 'ernie', model: 'bce-reranker-base', path: '/rerank', documents: 64 },
  { vendor: 'glm', model: 'rerank', path: '/rerank', documents: 128 },
] as const;

describe.each(VENDORS)('$vendor', ({ vendor, model, path, documents: most }) => {
  test('documents go as texts, and are never asked back: the relay has them', () => {
    expect(rerankSent(vendor, model, { documents: ['a', { text: 'b' }], return_documents: true })).toEqual({
      path,
      shares: [{ from: 0, to: 2 }],
      bodies: [{ model, query: 'q', documents: ['a', 'b'] }],
      changes: [],
    });
  });

  test('more than it takes go in several calls, each asked for as many of the best as it has', () => {
    const documents = texts(most + 5);
    const { bodies, changes } = rerankSent(vendor, model, { documents, top_n: 9 });
    expect(bodies.map(({ documents: list, top_n }) => [(list as string[]).length, top_n])).toEqual([
      [most, 9],
      [5, 5],
    ]);
    expect(bodies.flatMap(({ documents: list }) => list)).toEqual(documents);
    expect(changes).toEqual(['documents=emulated!']);
    expect(outcome(() => rerankSent(vendor, model, { documents }, true))).toBe('400 unsupported_parameter documents');
    expect(rerankSent(vendor, model, { documents: texts(most) }).bodies.length).toBe(1);
  });

  test('what it does not document is dropped, and refused for a strict key', () => {
    expect(rerankSent(vendor, model, { truncation: true }).changes).toEqual(['truncation=dropped!']);
    expect(outcome(() => rerankSent(vendor, model, { truncation: true }, true))).toBe('400 unsupported_parameter truncation');
  });

  const read = (body: unknown) => outcome(() => translator('rerank', vendor).whole(body, { from: 10, to: 13 }));

  test('positions become those of the request', () => {
    const results = [
      { index: 2, relevance_score: 0.9, document: 'c' },
      { index: 0, relevance_score: -0.1 },
    ];
    expect(read({ results, usage: { total_tokens: 12 } })).toEqual({
      scores: [
        { index: 12, score: 0.9 },
        { index: 10, score: -0.1 },
      ],
      usage: { prompt: 12, completion: 0, cached: 0, reasoning: 0 },
    });
  });

  test.each<[string, unknown[]]>([
    ['a position beyond the list', [{ index: 3, relevance_score: 1 }]],
    [
      'the same twice',
      [
        { index: 1, relevance_score: 1 },
        { index: 1, relevance_score: 1 },
      ],
    ],
    ['no score', [{ index: 1 }]],
    ['a score as text', [{ index: 1, relevance_score: '1' }]],
    ['nothing', [null]],
  ])('garbage is no answer: %s', (_, results) => expect(read({ results })).toBe('502 upstream_invalid_response undefined'));

  test('neither is anything else', () => expect(read({ output: [] })).toMatch(/^502 /));
});

describe('lengths', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['ernie', { query: 'q'.repeat(1_601) }, '400 context_length_exceeded query'],
    ['ernie', { documents: ['a', 'd'.repeat(4_097)] }, '400 context_length_exceeded documents[1]'],
    ['glm', { query: 'q'.repeat(4_097) }, '400 context_length_exceeded query'],
    ['glm', { documents: ['a', { text: 'd'.repeat(4_097) }] }, '400 context_length_exceeded documents[1]'],
  ])('%s refuses what is too long before anything is sent', (vendor, request, expected) => {
    expect(outcome(() => rerankSent(vendor, 'm', request))).toBe(expected);
  });

  test('Ernie reads a beginning only: said, and refused for a strict key', () => {
    const request = { query: '汉'.repeat(1_000), documents: ['a', '汉'.repeat(3_000), '汉'.repeat(3_000)] };
    expect(rerankSent('ernie', 'bce-reranker-base', request).changes).toEqual(['query=clamped!', 'documents[1]=clamped!']);
    expect(outcome(() => rerankSent('ernie', 'bce-reranker-base', request, true))).toBe('400 unsupported_parameter query');
    expect(rerankSent('ernie', 'bce-reranker-base', { query: '汉'.repeat(500), documents: ['a'.repeat(4_000)] }).changes).toEqual([]);
  });

  test('Qwen counts the query once for each document, and 120,000 tokens a call', () => {
    // At most 4,500 and 1,500 tokens by the relay's careful count: 20 documents fill a call.
    const { shares } = rerankSent('qwen', 'qwen3-rerank', { query: '汉'.repeat(4_500), documents: texts(50, '汉'.repeat(1_490)) });
    expect(shares.map(({ from, to }) => to - from)).toEqual([20, 20, 10]);
  });
});

test.each<[string, string, unknown]>([
  ['qwen', 'instruct', 'by topic'],
  ['ernie', 'user', 'u'],
  ['glm', 'user_id', 'user-1'],
])('%s has a field of its own: %s', (vendor, field, value) => {
  expect(rerankSent(vendor, 'm', { [field]: value })).toMatchObject({ bodies: [{ [field]: value }], changes: [] });
});

test.each<[string, readonly string[]]>([
  ['qwen3-rerank', ['qwen']],
  ['qwen9-vl-rerank', ['qwen']],
  ['bce-reranker-base', ['ernie']],
  ['qwen3-reranker-4b', ['ernie']],
  ['rerank', ['glm']],
  ['rerank-2', ['glm']],
  ['qwen-plus', []],
  ['some-rerank-model', []],
])('%s looks like a model of %j', (name, expected) => {
  expect(VENDORS.filter(({ vendor }) => claims('rerank', vendor, name)).map(({ vendor }) => vendor)).toEqual(expected);
});
