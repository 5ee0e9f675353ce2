import { OpenAIError } from '../../openai/errors.ts';
import type { UpstreamFailure } from '../translator.ts';
import type { Share } from '../vectors-translator.ts';
import { isObject } from './read-wire.ts';

type Failure = (failure: UpstreamFailure) => OpenAIError;

/** Errors that are about what was sent; where the vendor's table, made for chat, finds no field or says `messages`, it is the texts. */
const ABOUT_THE_REQUEST = new Set([
  'invalid_value',
  'invalid_request',
  'context_length_exceeded',
  'content_filter',
  'missing_required_parameter',
]);

/** The vendor's refusal of one call, as a refusal of the whole request: the field by its name here, positions counted over all texts. */
export function listFailure(error: OpenAIError, field: 'input' | 'documents', { from, to }: Share): OpenAIError {
  if (!ABOUT_THE_REQUEST.has(error.kind)) return error;
  const position = new RegExp(`\\b${field}(?:\\.contents)?\\[(\\d+)\\]`, 'g');
  const shifted = (text: string): string => text.replace(position, (_, index: string) => `${field}[${from + Number(index)}]`);
  const message = shifted(error.message);
  // `invalid_request` is what the tables say where they find no field.
  const kind = error.kind === 'invalid_request' ? 'invalid_value' : error.kind;
  return new OpenAIError(kind, message, { ...error.details, param: paramOf(message, field, { from, to }) });
}

function paramOf(message: string, field: string, { from, to }: Share): string {
  const named = new RegExp(`\\b${field}\\[\\d+\\]`).exec(message)?.[0];
  if (named !== undefined) return named;
  for (const other of ['dimension', 'top_n', 'query', 'user']) {
    if (new RegExp(`\\b${other}s?\\b`).test(message)) return other === 'dimension' ? 'dimensions' : other;
  }
  return to - from === 1 && from > 0 ? `${field}[${from}]` : field;
}

/** Vendors put errors into HTTP 200. @throws OpenAIError when there is one where `list` should be */
export function listIn(
  body: unknown,
  list: 'data' | 'results',
  failure: Failure,
): { entries: readonly unknown[]; body: Record<string, unknown> } {
  const answer = isObject(body) ? body : {};
  const entries = answer[list];
  if (Array.isArray(entries)) return { entries, body: answer };
  throw failure({ status: 200, headers: {}, body: JSON.stringify(body) });
}
