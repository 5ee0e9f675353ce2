/**
 * Checks every documented parameter of a chat request but `messages`, per model and generation, and reads them.
 * The place of an error is told in prose only: `parameter check failed, max_tokens range is [2, 12288]`.
 * Parameters a model does not follow are still range-checked (Qianfan: sampling of open-source-engine models).
 */

import { badArgument } from './errors.ts';
import type { Profile } from './faults.ts';
import { isObject, isStringArray, type JsonObject } from './json.ts';
import type { ChatModel } from './models.ts';
import { readTools, type Tools } from './tools.ts';

export interface Parameters {
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly usageInEveryChunk: boolean;
  /** Bound of the answer without its chain of thought. */
  readonly maxTokens: number | null;
  /** Bound of answer and chain of thought; wins over `maxTokens`. */
  readonly maxCompletionTokens: number | null;
  readonly stop: readonly string[];
  readonly seed: number | null;
  readonly tools: Tools;
  readonly json: null | { readonly kind: 'object' } | { readonly kind: 'schema'; readonly schema: unknown };
  readonly webSearch: WebSearch | null;
}

export interface WebSearch {
  readonly citation: boolean;
  readonly trace: boolean;
  readonly status: boolean;
  readonly results: number;
}

/** Everything the reference lists; the strict profile refuses any other key. */
const DOCUMENTED = new Set(
  `model messages stream stream_options temperature top_p penalty_score frequency_penalty presence_penalty repetition_penalty
  max_tokens max_completion_tokens seed stop tools tool_choice parallel_tool_calls response_format web_search user metadata
  enable_thinking thinking thinking_budget thinking_strategy reasoning_effort`.split(/\s+/),
);

/** @throws Refusal `invalid_argument` */
export function readParameters(body: JsonObject, model: ChatModel, profile: Profile): Parameters {
  if (profile === 'strict') checkStrict(body, model);
  if (model.refusesSampling) checkX1(body, model);
  const stream = flag(body, 'stream') ?? false;
  const options = readStreamOptions(body, stream);
  range(body, 'temperature', model.ernie ? { over: 0, max: 1 } : { min: 0, max: 2 });
  range(body, 'top_p', { min: 0, max: 1 });
  range(body, 'penalty_score', { min: 1, max: 2 });
  range(body, 'frequency_penalty', { min: -2, max: 2 });
  range(body, 'presence_penalty', { min: -2, max: 2 });
  range(body, 'repetition_penalty', { over: 0, max: 2 });
  checkUser(body);
  return {
    stream,
    ...options,
    maxTokens: whole(body, 'max_tokens', { min: model.minTokens, max: model.maxOutputTokens }),
    maxCompletionTokens: whole(body, 'max_completion_tokens', { min: model.minTokens, max: model.maxOutputTokens }),
    stop: readStop(body['stop']),
    seed: whole(body, 'seed', { over: 0, below: 2_147_483_647 }),
    tools: readTools(body, model),
    json: readFormat(body['response_format'], model),
    webSearch: readWebSearch(body['web_search'], model, profile),
  };
}

interface Range {
  readonly min?: number;
  /** Exclusive lower bound. */
  readonly over?: number;
  readonly max?: number;
  /** Exclusive upper bound. */
  readonly below?: number;
}

function rangeText(bounds: Range): string {
  const left = bounds.over === undefined ? `[${bounds.min ?? '-∞'}` : `(${bounds.over}`;
  const right = bounds.below === undefined ? `${bounds.max ?? '+∞'}]` : `${bounds.below})`;
  return `${left}, ${right}`;
}

/** Null and absent both mean "not sent". */
export function range(body: JsonObject, name: string, bounds: Range): number | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'number') throw badArgument(`${name} must be a number`);
  const inside =
    value >= (bounds.min ?? -Infinity) &&
    value <= (bounds.max ?? Infinity) &&
    (bounds.over === undefined || value > bounds.over) &&
    (bounds.below === undefined || value < bounds.below);
  if (!inside) throw badArgument(`${name} range is ${rangeText(bounds)}`);
  return value;
}

export function whole(body: JsonObject, name: string, bounds: Range): number | null {
  const value = range(body, name, bounds);
  if (value !== null && !Number.isInteger(value)) throw badArgument(`${name} must be an integer`);
  return value;
}

export function flag(body: JsonObject, name: string): boolean | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'boolean') throw badArgument(`${name} must be a boolean`);
  return value;
}

function readStreamOptions(body: JsonObject, stream: boolean): { includeUsage: boolean; usageInEveryChunk: boolean } {
  const options = body['stream_options'];
  if (options === undefined || options === null) return { includeUsage: false, usageInEveryChunk: false };
  if (!isObject(options)) throw badArgument('stream_options must be an object');
  if (!stream) throw badArgument('stream_options is only allowed when stream is true');
  return {
    includeUsage: flag(options, 'include_usage') ?? false,
    usageInEveryChunk: flag(options, 'chunk_include_usage') ?? false,
  };
}

function readStop(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!isStringArray(value)) throw badArgument('stop must be an array of string');
  if (value.length > 4) throw badArgument('the length of stop cannot exceed 4');
  // Counted in characters as a reader sees them, not in UTF-16 units.
  if (value.some((word) => [...word].length > 20)) throw badArgument('the length of each item of stop cannot exceed 20');
  return value;
}

function readFormat(value: unknown, model: ChatModel): Parameters['json'] {
  if (value === undefined || value === null) return null;
  if (!isObject(value)) throw badArgument('response_format must be an object');
  switch (value['type']) {
    case 'text':
      return null;
    case 'json_object':
      if (!model.jsonObject) throw badArgument(`response_format json_object is not supported by model ${model.id}`);
      return { kind: 'object' };
    case 'json_schema': {
      if (!model.jsonSchema) throw badArgument(`response_format json_schema is not supported by model ${model.id}`);
      const wrapped = value['json_schema'];
      if (!isObject(wrapped)) throw badArgument('json_schema must be an object');
      // Both a bare schema and OpenAI's {name, schema, strict} are taken: the reference does not say which it means.
      return { kind: 'schema', schema: isObject(wrapped['schema']) ? wrapped['schema'] : wrapped };
    }
    default:
      throw badArgument('the type of response_format must be text, json_object or json_schema');
  }
}

function readWebSearch(value: unknown, model: ChatModel, profile: Profile): WebSearch | null {
  if (value === undefined || value === null) return null;
  if (!isObject(value)) throw badArgument('web_search must be an object');
  const mode = value['search_mode'];
  if (mode !== undefined && mode !== 'auto' && mode !== 'required') throw badArgument('search_mode must be auto or required');
  if (mode !== undefined && model.ernie && profile === 'strict') throw badArgument(`search_mode is not supported by model ${model.id}`);
  const fetched = whole(value, 'search_number', { min: 1, max: 28 }) ?? 10;
  const quoted = whole(value, 'reference_number', { min: 1, max: 28 });
  if (quoted !== null && quoted > fetched) throw badArgument('reference_number cannot exceed search_number');
  const enabled = flag(value, 'enable') ?? false;
  const citation = flag(value, 'enable_citation') ?? false;
  const trace = flag(value, 'enable_trace') ?? false;
  const status = flag(value, 'enable_status') ?? false;
  return enabled ? { citation, trace, status, results: quoted ?? Math.min(fetched, 3) } : null;
}

function checkUser(body: JsonObject): void {
  const { user, metadata } = body;
  if (user !== undefined && user !== null && typeof user !== 'string') throw badArgument('user must be a string');
  if (metadata === undefined || metadata === null) return;
  if (!isObject(metadata) || Object.values(metadata).some((value) => typeof value !== 'string')) {
    throw badArgument('metadata must be a map of string to string');
  }
  if (Object.keys(metadata).length > 16) throw badArgument('the length of metadata cannot exceed 16');
}

function checkX1(body: JsonObject, model: ChatModel): void {
  const format = body['response_format'];
  const refused = ['seed', 'stop', 'penalty_score'].filter((name) => body[name] !== undefined && body[name] !== null);
  if (isObject(format) && format['type'] !== 'text') refused.push('response_format');
  if (refused.length > 0) throw badArgument(`${refused[0]} is not supported by model ${model.id}`);
}

function checkStrict(body: JsonObject, model: ChatModel): void {
  const stranger = Object.keys(body).find((name) => !DOCUMENTED.has(name));
  if (stranger !== undefined) throw badArgument(`unknown parameter ${stranger}`);
  const thinkingKeys = ['enable_thinking', 'thinking', 'thinking_budget', 'thinking_strategy', 'reasoning_effort'];
  const idle = model.thinking === 'none' ? thinkingKeys.find((name) => body[name] !== undefined) : undefined;
  if (idle !== undefined) throw badArgument(`${idle} is not supported by model ${model.id}`);
  if (!model.penaltyScore && body['penalty_score'] !== undefined) throw badArgument(`penalty_score is not supported by model ${model.id}`);
}
