import { randomFrom } from '../kernel/random.ts';
import type { Call } from './call.ts';
import { invalid, invalidInside, Refusal } from './errors.ts';
import { refusalFrom } from './faults.ts';
import { given } from './json.ts';
import { EMBEDDING_MODELS, type EmbeddingModel } from './models.ts';

/** Words of a text that enter its vector; the rest changes nothing. */
const MAX_WORDS = 512;

/** POST /embeddings (Qwen: embedding API). @throws Refusal */
export function embed(call: Call): { model: string; promptTokens: number; body: Record<string, unknown> } {
  const { body, kernel } = call;
  const model = modelOf(body['model']);
  const refusal = refusalFrom(call.faults, { inputLimit: model.maxRowTokens, stream: false, waits: false });
  if (refusal !== null) throw refusal;
  const rows = rowsOf(body['input'], model);
  const format = given(body, 'encoding_format') ?? 'float';
  if (format !== 'float')
    throw invalidInside(`Value error, encoding_format must be float, got ${JSON.stringify(format)}.: parameters.encoding_format`);
  const size = given(body, 'dimensions') ?? model.dimensions[0] ?? 0;
  if (typeof size !== 'number' || !model.dimensions.includes(size)) {
    throw invalidInside(`Value error, dimension should be one of [${model.dimensions.join(', ')}].: parameters.dimension`);
  }
  const tokens = rows.map((row) => kernel.countTokens(row));
  if (tokens.some((count) => count > model.maxRowTokens)) throw invalidInside(`Range of input length should be [1, ${model.maxRowTokens}]`);
  const promptTokens = tokens.reduce((total, count) => total + count, 0);
  const data = rows.map((row, index) => ({ embedding: unitVector(model.id, row, size), index, object: 'embedding' }));
  const answer = {
    data,
    model: model.id,
    object: 'list',
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
    id: call.requestId,
  };
  return { model: model.id, promptTokens, body: answer };
}

function modelOf(name: unknown): EmbeddingModel {
  if (name === undefined || name === null || name === '') throw invalid('you must provide a model parameter');
  const model = typeof name === 'string' ? EMBEDDING_MODELS.get(name) : undefined;
  if (model === undefined) {
    throw new Refusal('model_not_found', { message: `The model \`${String(name)}\` does not exist or you do not have access to it.` });
  }
  return model;
}

function rowsOf(input: unknown, model: EmbeddingModel): readonly string[] {
  const rows = typeof input === 'string' ? [input] : input;
  if (!Array.isArray(rows) || rows.length === 0 || rows.some((row) => typeof row !== 'string')) {
    throw invalidInside('Value error, contents is neither str nor list of str.: input.contents');
  }
  if (rows.length > model.maxRows) {
    throw invalidInside(`Value error, batch size is invalid, it should not be larger than ${model.maxRows}.: input.contents`);
  }
  if (rows.includes('')) throw invalidInside('Value error, contents must not be empty.: input.contents');
  return rows as string[];
}

/** The sum of a vector for each word, scaled to length 1: same text, same vector; common words, near vectors. */
export function unitVector(model: string, text: string, size: number): number[] {
  const words = [...text.toLowerCase().matchAll(/\p{Script=Han}|[\p{L}\p{N}]+/gu)].slice(0, MAX_WORDS).map(([word]) => word);
  const sum = new Array<number>(size).fill(0);
  for (const word of words.length === 0 ? [text] : words) {
    const random = randomFrom(model, word);
    for (let at = 0; at < size; at += 1) sum[at] = (sum[at] ?? 0) + random.next() - 0.5;
  }
  const length = Math.hypot(...sum) || 1;
  return sum.map((value) => Number((value / length).toFixed(9)));
}
