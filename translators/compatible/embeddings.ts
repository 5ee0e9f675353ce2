import { type EmbeddingsRequest, textsOf } from '../../openai/embeddings/request.ts';
import { OpenAIError } from '../../openai/errors.ts';
import { mostTokens } from '../../openai/token-estimate.ts';
import type { Receipt } from '../receipt.ts';
import type { UpstreamFailure } from '../translator.ts';
import type { EmbeddingFacts, EmbeddingsTranslator, Share, SplitPlan } from '../vectors-translator.ts';
import { listFailure, listIn } from './list-failure.ts';
import { listUsage } from './list-usage.ts';
import { garbage, isObject } from './read-wire.ts';
import { sharesOf } from './shares.ts';

/** What a vendor does in its own way; the answer has OpenAI's form everywhere. */
export interface EmbeddingsDialect {
  /** `/embeddings` unless told. */
  readonly path?: string;
  /** Carries the end user's id, as far as the vendor takes one. */
  readonly carryUser: (user: string, body: Record<string, unknown>, receipt: Receipt) => void;
  readonly failure: (failure: UpstreamFailure) => OpenAIError;
}

export function embeddingsTranslator(dialect: EmbeddingsDialect): EmbeddingsTranslator {
  return {
    request: (request, model, facts, receipt) => plan(dialect, request, model, facts, receipt),
    whole(body, share, dimensions) {
      const { entries, body: answer } = listIn(body, 'data', (failure) => this.failure(failure, share));
      return { vectors: vectorsIn(entries, share, dimensions), usage: listUsage(answer) };
    },
    failure: (failure, share) => listFailure(dialect.failure(failure), 'input', share),
  };
}

const FIELDS = new Set(['model', 'input', 'encoding_format', 'dimensions', 'user']);

function plan(dialect: EmbeddingsDialect, request: EmbeddingsRequest, model: string, facts: EmbeddingFacts, receipt: Receipt): SplitPlan {
  const texts = textsOf(request);
  if (texts === null) {
    receipt.refuse(
      'input',
      "Unsupported value: 'input' does not support arrays of tokens with this model. Its tokens are not OpenAI's: send the text itself.",
      'unsupported_value',
    );
  }
  const shared: Record<string, unknown> = { model };
  checkLengths(texts, facts.maxItemChars);
  carryDimensions(request.dimensions, facts, shared, receipt);
  if (request.encoding_format === 'base64')
    receipt.note('encoding_format', 'emulated', 'the backend answers numbers: the relay encodes them');
  if (request.user !== undefined) dialect.carryUser(request.user, shared, receipt);
  for (const field of Object.keys(request)) {
    if (!FIELDS.has(field)) receipt.note(field, 'dropped', 'neither OpenAI nor this backend documents the field', { alters: true });
  }
  const { maxItems: items, maxTokensPerCall: tokens } = facts;
  const weightOf = tokens === null ? () => 0 : (index: number) => mostTokens(texts[index] as string);
  const shares = sharesOf(texts.length, { items, weight: tokens ?? 0 }, weightOf);
  if (shares.length > 1)
    receipt.note('input', 'emulated', `the backend takes at most ${items} texts a call: ${shares.length} calls are made`);
  return { path: dialect.path ?? '/embeddings', shares, body: ({ from, to }) => ({ ...shared, input: texts.slice(from, to) }) };
}

function checkLengths(texts: readonly string[], max: number | null): void {
  const index = max === null ? -1 : texts.findIndex((text) => text.length > max);
  if (index < 0) return;
  const message = `This model's maximum input length is ${max} characters. However, input ${index} has ${texts[index]?.length}. Please shorten it.`;
  throw new OpenAIError('context_length_exceeded', message, { param: texts.length === 1 ? 'input' : `input[${index}]` });
}

/** Sent where the model can choose, left out where it gives that size anyway, else refused: no index survives vectors of another size. */
function carryDimensions(
  asked: number | undefined,
  { dimensions, defaultDimensions, acceptsDimensions }: EmbeddingFacts,
  body: Record<string, unknown>,
  receipt: Receipt,
): void {
  if (asked === undefined) return;
  if (acceptsDimensions === false) {
    if (asked !== defaultDimensions) {
      const size = defaultDimensions === null ? '' : `; its vectors have ${defaultDimensions}`;
      receipt.refuse('dimensions', `Unsupported parameter: 'dimensions' cannot be chosen with this model${size}.`);
    }
    receipt.note('dimensions', 'dropped', `the model's vectors have ${asked} dimensions by themselves`);
    return;
  }
  if (dimensions !== null && !dimensions.includes(asked)) {
    receipt.refuse(
      'dimensions',
      `Invalid 'dimensions': ${asked} is not supported with this model. Supported values are: ${dimensions.join(', ')}.`,
      'unsupported_value',
    );
  }
  body['dimensions'] = asked;
}

/** One vector for each text, by the positions the vendor gave. */
function vectorsIn(entries: readonly unknown[], { from, to }: Share, dimensions: number | undefined): readonly number[][] {
  const count = to - from;
  if (entries.length !== count) throw garbage(`${entries.length} vectors for ${count} texts`);
  const vectors = new Array<number[]>(count);
  let size = dimensions;
  for (const entry of entries) {
    const { index, embedding } = isObject(entry) ? entry : {};
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= count || vectors[index] !== undefined) {
      throw garbage('vectors whose positions are not those of the texts');
    }
    if (!isVector(embedding)) throw garbage('a vector that is no list of numbers');
    size ??= embedding.length;
    if (embedding.length !== size) throw garbage(`a vector of ${embedding.length} dimensions instead of ${size}`);
    vectors[index] = embedding;
  }
  return vectors;
}

const isVector = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === 'number' && Number.isFinite(entry));
