/** `POST /v2/embeddings`: strings only, 16 at most (tao-8k: 1), always floats of the model's own size. */

import type { Handled } from '../kernel/types.ts';
import { type Call, checkKeyModel, createdSeconds, handled, modelDenied, modelName } from './call.ts';
import { whole } from './envelope.ts';
import { badArgument, Refusal } from './errors.ts';
import { checkImageUrl } from './images.ts';
import { isObject, type JsonObject } from './json.ts';
import { checkLimits, rateHeaders } from './limits.ts';
import { EMBEDDING_MODELS, type EmbeddingModel } from './models.ts';
import { unitVector } from './vectors.ts';

const DOCUMENTED = new Set(['model', 'input', 'user', 'encoding_format']);
/** Tokens of a picture given to a multimodal model. */
const IMAGE_TOKENS = 256;

/** @throws Refusal */
export function embeddings(call: Call): Handled {
  const { body, kernel, wishes } = call;
  const name = modelName(body);
  const model = EMBEDDING_MODELS.find((entry) => entry.id === name);
  if (!model || call.plan) throw modelDenied(call);
  checkKeyModel(call, model.id);
  checkFields(body, wishes.profile === 'strict');
  const inputs = readInputs(body['input'], model);
  const counts = inputs.map((input) => (input.isImage ? IMAGE_TOKENS : kernel.countTokens(input.text)));
  checkSizes(inputs, counts, model);
  checkLimits(call, model.id);

  const promptTokens = counts.reduce((sum, count) => sum + count, 0);
  const reply = {
    id: call.ids.id,
    object: wishes.object ?? 'embedding_list',
    created: createdSeconds(call.incoming),
    model: model.id,
    data: inputs.map((input, index) => ({ object: 'embedding', index, embedding: unitVector(input.text, model.dims) })),
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
  };
  const headers = { ...call.ids.headers, ...rateHeaders(call, model.id, { requests: 1, tokens: promptTokens }) };
  return handled(whole(200, reply, headers), { model: model.id, promptTokens, keyName: call.key.name });
}

interface Input {
  readonly text: string;
  readonly isImage: boolean;
}

function readInputs(value: unknown, model: EmbeddingModel): readonly Input[] {
  const list: readonly unknown[] = typeof value === 'string' || isObject(value) ? [value] : Array.isArray(value) ? value : [];
  if (list.length === 0) throw badArgument('input must be a string or an array of string');
  const inputs = list.map((item) => readInput(item, model));
  if (inputs.length > model.maxInputs) throw badArgument(`the max length of input is ${model.maxInputs}`);
  return inputs;
}

function readInput(item: unknown, model: EmbeddingModel): Input {
  if (typeof item === 'string') {
    if (item === '') throw badArgument('the item of input cannot be empty');
    return { text: item, isImage: false };
  }
  if (model.multimodal && isObject(item)) {
    if (typeof item['text'] === 'string' && item['text'] !== '') return { text: item['text'], isImage: false };
    const image = item['image'];
    checkImageUrl(image);
    if (typeof image === 'string') return { text: image, isImage: true };
  }
  // Numbers are OpenAI's token arrays; the vendor has no such form.
  throw badArgument('the item of input must be a string');
}

function checkFields(body: JsonObject, strict: boolean): void {
  const format = body['encoding_format'] ?? 'float';
  if (format !== 'float') throw badArgument('encoding_format must be float');
  if (body['dimensions'] !== undefined) throw badArgument('dimensions is not supported');
  const { user } = body;
  if (user !== undefined && user !== null && typeof user !== 'string') throw badArgument('user must be a string');
  const stranger = strict ? Object.keys(body).find((name) => !DOCUMENTED.has(name)) : undefined;
  if (stranger !== undefined) throw badArgument(`unknown parameter ${stranger}`);
}

function checkSizes(inputs: readonly Input[], counts: readonly number[], model: EmbeddingModel): void {
  for (const [index, input] of inputs.entries()) {
    if (input.isImage) continue;
    if (model.maxChars !== null && input.text.length > model.maxChars) {
      throw new Refusal('characters_too_long', `the max input characters is ${model.maxChars}`);
    }
    if ((counts[index] ?? 0) > model.maxTokens) throw new Refusal('tokens_too_long');
  }
}
