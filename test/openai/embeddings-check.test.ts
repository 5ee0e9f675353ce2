import { describe, expect, test } from 'vitest';
import { checkEmbeddingsRequest } from '../../openai/embeddings/check-request.ts';
import { textsOf } from '../../openai/embeddings/request.ts';
import { OpenAIError } from '../../openai/errors.ts';
import { checkRerankRequest } from '../../openai/rerank/check-request.ts';
import { validateEmbeddingsRequest } from '../contract/openai-schema.ts';

/** What a check says: nothing, or `code param`. */
function verdict(check: (body: Record<string, unknown>) => unknown, body: Record<string, unknown>): string {
  try {
    check(body);
    return '';
  } catch (error) {
    if (!(error instanceof OpenAIError)) throw error;
    expect(error.status).toBe(400);
    return `${error.code} ${error.details.param}`;
  }
}

const many = (count: number, entry: unknown = 'x'): unknown[] => new Array<unknown>(count).fill(entry);

describe('embeddings', () => {
  const good: [string, Record<string, unknown>][] = [
    ['a text', { input: 'x' }],
    ['texts', { input: ['x', 'y'] }],
    ['as many as OpenAI takes', { input: many(2048) }],
    ['tokens', { input: [1212, 318, 0] }],
    ['tokens of texts', { input: [[1212], [318, 257]] }],
    ['every field', { input: 'x', encoding_format: 'base64', dimensions: 256, user: 'u' }],
    ['float', { input: 'x', encoding_format: 'float' }],
  ];
  test.each(good)('%s', (_, body) => {
    expect(validateEmbeddingsRequest({ model: 'm', ...body })).toEqual([]);
    expect(verdict(checkEmbeddingsRequest, { model: 'm', ...body })).toBe('');
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['no model', { model: undefined, input: 'x' }, 'missing_required_parameter model'],
    ['a model that is no name', { model: 7, input: 'x' }, 'invalid_type model'],
    ['no input', {}, 'missing_required_parameter input'],
    ['null for it', { input: null }, 'missing_required_parameter input'],
    ['an empty text', { input: '' }, 'empty_string input'],
    ['an empty text among others', { input: ['x', ''] }, 'empty_string input[1]'],
    ['no texts', { input: [] }, 'empty_array input'],
    ['too many texts', { input: many(2049) }, 'array_above_max_length input'],
    ['too many tokens', { input: many(2049, 1) }, 'array_above_max_length input'],
    ['too many token lists', { input: many(2049, [1]) }, 'array_above_max_length input'],
    ['no tokens', { input: [[1], []] }, 'empty_array input[1]'],
    ['a number', { input: 7 }, 'invalid_type input'],
    ['an object', { input: { text: 'x' } }, 'invalid_type input'],
    ['objects', { input: [{ text: 'x' }] }, 'invalid_type input[0]'],
    ['a null among texts', { input: ['x', null] }, 'invalid_type input[1]'],
    ['a text among tokens', { input: [1, 'x'] }, 'invalid_type input[1]'],
    ['a token among texts', { input: ['x', 1] }, 'invalid_type input[1]'],
    ['a text among token lists', { input: [[1], 'x'] }, 'invalid_type input[1]'],
    ['half a token', { input: [[1, 1.5]] }, 'invalid_type input[0][1]'],
    ['a token below zero', { input: [-1] }, 'integer_below_min_value input[0]'],
    ['another encoding', { input: 'x', encoding_format: 'int8' }, 'invalid_value encoding_format'],
    ['no dimensions', { input: 'x', dimensions: 0 }, 'integer_below_min_value dimensions'],
    ['half a dimension', { input: 'x', dimensions: 1.5 }, 'invalid_type dimensions'],
    ['dimensions as text', { input: 'x', dimensions: '256' }, 'invalid_type dimensions'],
    ['a user that is no text', { input: 'x', user: 7 }, 'invalid_type user'],
  ])('%s is refused', (_, body, expected) => {
    expect(verdict(checkEmbeddingsRequest, { model: 'm', ...body })).toBe(expected);
  });

  test('nulls are gone, unknown fields stay for the receipt, texts are told from tokens', () => {
    const body = { model: 'm', input: 'x', dimensions: null, user: null, extra: 1 };
    expect(checkEmbeddingsRequest(body)).toEqual({ model: 'm', input: 'x', extra: 1 });
    expect(textsOf({ input: 'x' })).toEqual(['x']);
    expect(textsOf({ input: ['x', 'y'] })).toEqual(['x', 'y']);
    expect(textsOf({ input: [1] })).toBeNull();
    expect(textsOf({ input: [[1]] })).toBeNull();
  });
});

describe('rerank', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['texts', {}, ''],
    ['objects and texts', { documents: [{ text: 'a' }, 'b'] }, ''],
    ['every field', { top_n: 1, return_documents: true }, ''],
    ['no query', { query: undefined }, 'missing_required_parameter query'],
    ['an empty query', { query: '' }, 'empty_string query'],
    ['a query that is no text', { query: ['q'] }, 'invalid_type query'],
    ['no documents', { documents: undefined }, 'missing_required_parameter documents'],
    ['an empty list', { documents: [] }, 'empty_array documents'],
    ['one text', { documents: 'd' }, 'invalid_type documents'],
    ['too many', { documents: many(2049) }, 'array_above_max_length documents'],
    ['an empty document', { documents: ['a', ''] }, 'empty_string documents[1]'],
    ['an object without text', { documents: [{}] }, 'missing_required_parameter documents[0].text'],
    ['a number', { documents: ['a', 7] }, 'invalid_type documents[1]'],
    ['the best none', { top_n: 0 }, 'integer_below_min_value top_n'],
    ['a word for a truth', { return_documents: 'yes' }, 'invalid_type return_documents'],
  ])('%s', (_, body, expected) => {
    expect(verdict(checkRerankRequest, { model: 'm', query: 'q', documents: ['a'], ...body })).toBe(expected);
  });
});
