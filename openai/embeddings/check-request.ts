import { integer, listLength, missing, nonEmptyString, notEmpty, oneOf, string, wrongType } from '../chat/check.ts';
import { withoutNulls } from '../without-nulls.ts';
import type { EmbeddingsRequest } from './request.ts';

/** Longest model name, in UTF-16 code units. */
const MAX_MODEL = 256;
/** OpenAI's own bound: of texts, of token arrays, and of the tokens of a single one. */
const MAX_LIST = 2048;

/**
 * Checks a parsed body against OpenAI's contract of embeddings.
 * @throws OpenAIError 400 with OpenAI's code, the field in `param`
 */
export function checkEmbeddingsRequest(body: Record<string, unknown>): EmbeddingsRequest {
  nonEmptyString('model', body['model'] ?? missing('model'), MAX_MODEL);
  checkInput(body['input'] ?? missing('input'));
  if (body['encoding_format'] != null) oneOf('encoding_format', body['encoding_format'], ['float', 'base64']);
  if (body['dimensions'] != null) integer('dimensions', body['dimensions'], 1, Number.MAX_SAFE_INTEGER);
  if (body['user'] != null) string('user', body['user']);
  return withoutNulls(body) as unknown as EmbeddingsRequest;
}

/** One text, texts, one text's tokens, or tokens of texts; a list is of one sort, that of its first entry. */
function checkInput(input: unknown): void {
  if (typeof input === 'string') {
    nonEmptyString('input', input, Number.POSITIVE_INFINITY);
    return;
  }
  if (!Array.isArray(input)) wrongType('input', 'a string, an array of strings, or arrays of tokens', input);
  const list = input as unknown[];
  notEmpty('input', list);
  listLength('input', list, MAX_LIST);
  const [first] = list;
  if (typeof first === 'string') {
    for (const [index, entry] of list.entries()) nonEmptyString(`input[${index}]`, entry, Number.POSITIVE_INFINITY);
  } else if (Array.isArray(first)) {
    for (const [index, entry] of list.entries()) checkTokens(`input[${index}]`, entry);
  } else if (typeof first === 'number') {
    checkTokens('input', list);
  } else {
    wrongType('input[0]', 'a string or an array of tokens', first);
  }
}

function checkTokens(path: string, value: unknown): void {
  if (!Array.isArray(value)) wrongType(path, 'an array of tokens', value);
  const tokens = value as unknown[];
  notEmpty(path, tokens);
  tokens.forEach((token, index) => {
    // The path is made only where it is needed: there may be millions of tokens.
    if (typeof token !== 'number' || !Number.isInteger(token) || token < 0) integer(`${path}[${index}]`, token, 0, Number.MAX_SAFE_INTEGER);
  });
}
