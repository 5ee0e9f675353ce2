import { invalid, Refusal } from './errors.ts';
import { given, isObject, type JsonObject } from './json.ts';
import type { ChatModel } from './models.ts';

/** Fields with a range (Qwen: chat reference). Null counts as left out. */
export interface Sampling {
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly n: number;
  readonly seed: number | null;
  readonly stop: readonly string[];
  /** Bounds the answer without the reasoning. */
  readonly maxTokens: number | null;
  /** Bounds answer and reasoning together. */
  readonly maxCompletionTokens: number | null;
  /** How many rivals of each token are told; null = no probabilities. */
  readonly topLogprobs: number | null;
}

/** @throws Refusal 400 */
export function readSampling(body: JsonObject, model: ChatModel, maxSeed = 2_147_483_647): Sampling {
  const stream = readBoolean(body, 'stream') ?? false;
  const streamOptions = given(body, 'stream_options');
  if (streamOptions !== undefined && !isObject(streamOptions)) throw invalid("'stream_options' must be an object");
  if (streamOptions !== undefined && !stream) throw invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.");
  ranged(body, 'temperature', (value) => value >= 0 && value < 2, 'Temperature should be in [0.0, 2.0)');
  ranged(body, 'top_p', (value) => value > 0 && value <= 1, 'Range of top_p should be (0.0, 1.0]');
  ranged(body, 'presence_penalty', (value) => value >= -2 && value <= 2, 'Presence_penalty should be in [-2.0, 2.0]');
  ranged(body, 'repetition_penalty', (value) => value > 0, 'Repetition_penalty should be greater than 0.0');
  whole(body, 'top_k', (value) => value >= 0, 'Parameter top_k be greater than or equal to 0');
  const logprobs = readBoolean(body, 'logprobs') === true && model.logprobs;
  const top = whole(body, 'top_logprobs', (value) => value >= 0 && value <= 5, 'Range of top_logprobs should be [0, 5]');
  return {
    topLogprobs: logprobs ? (top ?? 0) : null,
    stream,
    includeUsage: isObject(streamOptions) && streamOptions['include_usage'] === true,
    n: whole(body, 'n', (value) => value >= 1 && value <= 4, 'Range of n should be [1, 4]') ?? 1,
    seed: readSeed(body, maxSeed),
    stop: readStop(given(body, 'stop')),
    maxTokens: whole(
      body,
      'max_tokens',
      (value) => value >= 1 && value <= model.maxOutput,
      `Range of max_tokens should be [1, ${model.maxOutput}]`,
    ),
    maxCompletionTokens: model.completionLimit
      ? whole(body, 'max_completion_tokens', (value) => value >= 1, 'max_completion_tokens must be greater than or equal to 1')
      : null,
  };
}

/** @throws Refusal 400 */
export function readBoolean(body: JsonObject, name: string): boolean | null {
  const value = given(body, name);
  if (value === undefined) return null;
  if (typeof value !== 'boolean') throw invalid(`'${name}' must be Boolean`);
  return value;
}

/** A whole number, or null when left out. @throws Refusal 400 */
export function whole(body: JsonObject, name: string, good: (value: number) => boolean, message: string): number | null {
  const value = given(body, name);
  if (value === undefined) return null;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw invalid(`'${name}' must be Integer`);
  if (!good(value)) throw invalid(`<400> InternalError.Algo.InvalidParameter: ${message}`);
  return value;
}

function ranged(body: JsonObject, name: string, good: (value: number) => boolean, message: string): void {
  const value = given(body, name);
  if (value === undefined) return;
  if (typeof value !== 'number') throw invalid(`'${name}' must be Float`);
  if (!good(value)) throw invalid(`<400> InternalError.Algo.InvalidParameter: ${message}`);
}

function readSeed(body: JsonObject, max: number): number | null {
  const seed = given(body, 'seed');
  if (seed === undefined) return null;
  if (typeof seed !== 'number' || !Number.isInteger(seed)) throw invalid("'seed' must be Integer");
  if (seed < 0) throw new Refusal('invalid_value', { message: `${seed} is lesser than the minimum of 0 - 'seed'` });
  if (seed > max) throw new Refusal('invalid_value', { message: `${seed} is greater than the maximum of ${max} - 'seed'` });
  return seed;
}

/** Texts are used; token ids are accepted and change nothing, for the simulated model has no token ids. */
function readStop(value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) throw invalid("'stop' must be a string or a list");
  const texts = value.filter((item) => typeof item === 'string');
  if (texts.length > 0 && texts.length < value.length) throw invalid("'stop' must not mix strings and token ids");
  return texts;
}
