import { OpenAIError } from '../errors.ts';
import {
  array,
  boolean,
  checkName,
  decimal,
  integer,
  isObject,
  listLength,
  missing,
  nonEmptyString,
  notEmpty,
  object,
  oneOf,
  string,
  wrongType,
  wrongValue,
} from './check.ts';
import { checkMessages } from './check-messages.ts';
import { checkSchema } from './check-schema.ts';
import { checkTools } from './check-tools.ts';
import type { ChatField, ChatRequest } from './request.ts';
import { strictFault } from './strict-schema.ts';
import { unsetNulls } from './unset-nulls.ts';

export interface RequestLimits {
  readonly maxMessages: number;
  readonly maxTools: number;
}

type Check = (value: unknown, path: string) => void;

/** Longest model name, in UTF-16 code units. */
const MAX_MODEL = 256;

const decimals =
  (min: number, max: number): Check =>
  (value, path) =>
    void decimal(path, value, min, max);
const integers =
  (min: number, max: number): Check =>
  (value, path) =>
    void integer(path, value, min, max);
const strings: Check = (value, path) => void string(path, value);
const booleans: Check = (value, path) => void boolean(path, value);
const objects: Check = (value, path) => void object(path, value);
const words =
  (...allowed: string[]): Check =>
  (value, path) =>
    void oneOf(path, value, allowed);

/** One check per documented field but those that need the rest of the body (messages, tools). Ranges are OpenAI's. */
const CHECKS: Readonly<Partial<Record<ChatField, Check>>> = {
  stream: booleans,
  stream_options: checkStreamOptions,
  max_completion_tokens: integers(1, Number.MAX_SAFE_INTEGER),
  max_tokens: integers(1, Number.MAX_SAFE_INTEGER),
  temperature: decimals(0, 2),
  top_p: decimals(0, 1),
  presence_penalty: decimals(-2, 2),
  frequency_penalty: decimals(-2, 2),
  logit_bias: checkLogitBias,
  logprobs: booleans,
  top_logprobs: integers(0, 20),
  n: integers(1, 128),
  stop: checkStop,
  // OpenAI takes an int64; JSON numbers beyond 2^53 arrive rounded, which a seed survives.
  seed: integers(-(2 ** 63), 2 ** 63),
  response_format: checkResponseFormat,
  parallel_tool_calls: booleans,
  reasoning_effort: words('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'),
  verbosity: words('low', 'medium', 'high'),
  modalities: checkModalities,
  audio: objects,
  prediction: objects,
  web_search_options: checkSearchOptions,
  service_tier: strings,
  store: booleans,
  metadata: checkMetadata,
  user: strings,
  safety_identifier: strings,
  prompt_cache_key: strings,
  prompt_cache_options: objects,
  prompt_cache_retention: strings,
  moderation: objects,
};

/** In the order in which the first fault is told. */
const CHECKED = Object.entries(CHECKS) as [ChatField, Check][];
const CHECK_OF: ReadonlyMap<string, Check> = new Map(CHECKED);

/**
 * Checks a parsed body against OpenAI's contract and gives it back as a `ChatRequest`: nulls mean "not sent" and are gone,
 * unknown fields stay for the receipt. The body itself is not changed.
 *
 * @throws OpenAIError 400 with OpenAI's code, the field in `param`
 */
export function checkChatRequest(body: Record<string, unknown>, limits: RequestLimits): ChatRequest {
  nonEmptyString('model', body['model'] ?? missing('model'), MAX_MODEL);
  if (body['messages'] == null) missing('messages');
  checkMessages(body['messages'], limits.maxMessages);
  checkTools(body, limits.maxTools);
  checkFields(body);
  if (body['stream_options'] != null && body['stream'] !== true) {
    throw new OpenAIError('stream_options_without_stream', "The 'stream_options' parameter is only allowed when 'stream' is enabled.", {
      param: 'stream_options',
    });
  }
  if (body['top_logprobs'] != null && body['logprobs'] !== true) {
    wrongValue('top_logprobs', "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.");
  }
  if (
    isObject(body['response_format']) &&
    body['response_format']['type'] === 'json_object' &&
    !saysJson(body['messages'] as Record<string, unknown>[])
  ) {
    throw new OpenAIError(
      'json_word_missing',
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
      { param: 'messages' },
    );
  }
  return unsetNulls(body) as unknown as ChatRequest;
}

/** A request has a handful of all fields: those are looked at, and all in order only where one is at fault. */
function checkFields(body: Readonly<Record<string, unknown>>): void {
  try {
    for (const field of Object.keys(body)) {
      const value = body[field];
      if (value != null) CHECK_OF.get(field)?.(value, field);
    }
  } catch {
    for (const [field, check] of CHECKED) {
      const value = body[field];
      if (value != null) check(value, field);
    }
  }
}

function saysJson(messages: readonly Record<string, unknown>[]): boolean {
  return messages.some(({ content }) => {
    if (typeof content === 'string') return /json/i.test(content);
    return (
      Array.isArray(content) && content.some((part) => isObject(part) && typeof part['text'] === 'string' && /json/i.test(part['text']))
    );
  });
}

function checkStreamOptions(value: unknown, path: string): void {
  const options = object(path, value);
  for (const key of ['include_usage', 'include_obfuscation']) {
    if (options[key] != null) boolean(`${path}.${key}`, options[key]);
  }
}

function checkSearchOptions(value: unknown, path: string): void {
  const { search_context_size: size, user_location: place } = object(path, value);
  if (size != null) oneOf(`${path}.search_context_size`, size, ['low', 'medium', 'high']);
  if (place == null) return;
  const at = `${path}.user_location`;
  const { type, approximate } = object(at, place);
  oneOf(`${at}.type`, type ?? missing(`${at}.type`), ['approximate']);
  object(`${at}.approximate`, approximate ?? missing(`${at}.approximate`));
}

function checkLogitBias(value: unknown, path: string): void {
  for (const [token, bias] of Object.entries(object(path, value))) integer(`${path}.${token.slice(0, 32)}`, bias, -100, 100);
}

function checkStop(value: unknown, path: string): void {
  if (typeof value === 'string') return;
  if (!Array.isArray(value)) wrongType(path, 'a string or an array of strings', value);
  const list = value as unknown[];
  listLength(path, list, 4);
  notEmpty(path, list);
  list.forEach((entry, index) => void string(`${path}[${index}]`, entry));
}

function checkResponseFormat(value: unknown, path: string): void {
  const format = object(path, value);
  if (format['type'] === undefined) missing(`${path}.type`);
  const type = oneOf(`${path}.type`, format['type'], ['text', 'json_object', 'json_schema']);
  if (type !== 'json_schema') return;
  if (format['json_schema'] == null) missing(`${path}.json_schema`);
  const spec = object(`${path}.json_schema`, format['json_schema']);
  checkName(`${path}.json_schema.name`, spec['name']);
  if (spec['description'] != null) string(`${path}.json_schema.description`, spec['description']);
  if (spec['strict'] != null) boolean(`${path}.json_schema.strict`, spec['strict']);
  if (spec['schema'] == null) return;
  const schema = object(`${path}.json_schema.schema`, spec['schema']);
  if (spec['strict'] === true && schema['type'] !== 'object') {
    throw new OpenAIError(
      'invalid_json_schema',
      `Invalid schema for response_format '${String(spec['name'])}': schema must be a JSON Schema of 'type: "object"', got 'type: ${JSON.stringify(schema['type'] ?? null)}'.`,
      { param: path },
    );
  }
  checkSchema(schema, String(spec['name']), path);
  const fault = spec['strict'] === true ? strictFault(schema) : null;
  if (fault !== null) {
    throw new OpenAIError('invalid_json_schema', `Invalid schema for response_format '${String(spec['name'])}': ${fault}`, { param: path });
  }
}

function checkModalities(value: unknown, path: string): void {
  array(path, value).forEach((entry, index) => void oneOf(`${path}[${index}]`, entry, ['text', 'audio']));
}

function checkMetadata(value: unknown, path: string): void {
  const entries = Object.entries(object(path, value));
  if (entries.length > 16)
    wrongValue(path, `Invalid '${path}': too many properties. Expected an object with at most 16 properties, but got ${entries.length}.`);
  for (const [key, entry] of entries) string(`${path}.${key.slice(0, 64)}`, entry);
}
