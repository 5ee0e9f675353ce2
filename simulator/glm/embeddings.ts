/** `POST …/embeddings` (GLM 3.3): floats only; `encoding_format` is taken and ignored. */
import type { Kernel } from '../kernel/types.ts';
import { illegal, notReceived, Refusal } from './errors.ts';
import { checkLength, checkTypes, type Fields, requiredString } from './fields.ts';
import { type EmbeddingModel, findModel } from './models.ts';
import { vector } from './vectors.ts';

const MAX_ITEMS = 64;
const SCHEMA = { model: 'string', dimensions: 'integer', request_id: 'string', user_id: 'string' } as const;
const TOLERATED = new Set(['input', 'encoding_format', 'user', 'sensitive_word_check', 'extra']);

export interface Embedded {
  readonly model: string;
  readonly tokens: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** All texts of a request as one, for directives; nothing is checked. */
export function peekInput(body: Fields): string {
  const input = body['input'];
  if (Array.isArray(input)) return input.filter((item) => typeof item === 'string').join('\n');
  return typeof input === 'string' ? input : '';
}

/** @throws Refusal 1211/1212/1213/1214/1210/1261 */
export function embed(body: Fields, kernel: Kernel, region: string): Embedded {
  const model = findModel(requiredString(body, 'model'), 'embedding', region);
  checkTypes(body, SCHEMA, TOLERATED);
  checkLength(body, 'request_id', 6, 64);
  checkLength(body, 'user_id', 6, 128);
  const items = readItems(body['input']);
  const dimensions = readDimensions(body, model);
  const counts = items.map((item) => kernel.countTokens(item));
  const tokens = counts.reduce((sum, count) => sum + count, 0);
  if (tokens > model.maxTotalTokens || counts.some((count) => count > model.maxItemTokens)) throw new Refusal('1261');
  const data = items.map((item, index) => ({ index, object: 'embedding', embedding: vector(item, dimensions) }));
  const usage = { prompt_tokens: tokens, completion_tokens: 0, total_tokens: tokens };
  return { model: model.name, tokens, body: { model: model.name, object: 'list', data, usage } };
}

function readItems(input: unknown): readonly string[] {
  if (input === undefined || input === null || input === '') throw notReceived('input');
  const items: readonly unknown[] = Array.isArray(input) ? input : [input];
  if (items.length === 0) throw notReceived('input');
  if (items.length > MAX_ITEMS)
    throw illegal('input', { zh: `数组最多 ${MAX_ITEMS} 条`, en: `array must hold at most ${MAX_ITEMS} items` });
  // Token arrays are not a form GLM knows.
  if (!items.every((item) => typeof item === 'string')) throw illegal('input', { zh: '类型错误', en: 'type error' });
  const empty = items.indexOf('');
  if (empty >= 0) throw notReceived(`input[${empty}]`);
  return items;
}

function readDimensions(body: Fields, model: EmbeddingModel): number {
  const asked = body['dimensions'];
  if (typeof asked !== 'number') return model.defaultDimensions;
  if (!model.dimensions.includes(asked)) throw illegal('dimensions');
  return asked;
}
