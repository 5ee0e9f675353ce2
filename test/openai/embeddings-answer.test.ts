import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { base64Floats, EmbeddingsAnswer } from '../../openai/embeddings/answer.ts';
import { rerankJson } from '../../openai/rerank/answer.ts';
import { validateEmbeddings } from '../contract/openai-schema.ts';

/** As the official SDKs read it. */
function floats(text: string): number[] {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(index * 4, true));
}

test('base64: the vector OpenAI documents', () => {
  expect(base64Floats([0.5, -1, 0.25])).toBe('AAAAPwAAgL8AAIA+');
});

test('base64: every float32 comes back bit by bit', () => {
  fc.assert(
    fc.property(fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 300 }), (vector) => {
      const back = floats(base64Floats(vector));
      expect(back.length).toBe(vector.length);
      for (const [index, value] of vector.entries()) expect(Object.is(back[index], value)).toBe(true);
    }),
  );
});

test('base64: a double becomes the nearest float32', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, min: -1, max: 1 }), (value) => {
      expect(floats(base64Floats([value]))[0]).toBe(Math.fround(value));
    }),
  );
});

describe('the answer', () => {
  test.each(['float', 'base64'] as const)('vectors in any order come out in theirs (%s)', (encoding) => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6], { minLength: 7 }), fc.nat(), (order, tokens) => {
        const answer = new EmbeddingsAnswer('a "model"\n', order.length, encoding);
        for (const index of order) answer.put(index, [index, -index / 2]);
        const body = JSON.parse(answer.json(tokens));
        expect(validateEmbeddings(body)).toEqual([]);
        expect(body.model).toBe('a "model"\n');
        expect(body.usage).toEqual({ prompt_tokens: tokens, total_tokens: tokens });
        const vectors = body.data.map(({ embedding }: { embedding: string | number[] }) =>
          typeof embedding === 'string' ? floats(embedding) : embedding,
        );
        expect(vectors.map(([first]: number[]) => first)).toEqual([0, 1, 2, 3, 4, 5, 6]);
        expect(body.data.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
      }),
    );
  });

  test('numbers are the vendor’s, to the last digit', () => {
    const answer = new EmbeddingsAnswer('m', 1, 'float');
    answer.put(0, [0.1, -1.234567890123456e-7, 3]);
    expect(answer.json(1)).toContain('"embedding":[0.1,-1.234567890123456e-7,3]');
  });
});

describe('rerank', () => {
  const request = { model: 'm', query: 'q', documents: ['a', { text: 'b' }, 'c', 'd'] };
  const scores = [
    { index: 2, score: 0.1 },
    { index: 3, score: 0.9 },
    { index: 1, score: 0.9 },
    { index: 0, score: -2 },
  ];
  test('best first, equals in the order of the request', () => {
    expect(JSON.parse(rerankJson('rerank-1', request, scores, 7))).toEqual({
      id: 'rerank-1',
      model: 'm',
      results: [
        { index: 1, relevance_score: 0.9 },
        { index: 3, relevance_score: 0.9 },
        { index: 2, relevance_score: 0.1 },
        { index: 0, relevance_score: -2 },
      ],
      usage: { prompt_tokens: 7, total_tokens: 7 },
    });
  });
  test('the best with their documents', () => {
    const body = JSON.parse(rerankJson('rerank-1', { ...request, top_n: 1, return_documents: true }, scores, 7));
    expect(body.results).toEqual([{ index: 1, relevance_score: 0.9, document: { text: 'b' } }]);
  });
});
