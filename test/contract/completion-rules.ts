/**
 * What OpenAI's servers keep to in a chat completion although their schema does not ask for it (counted over recorded answers).
 * SDKs, agents and dashboards rely on these: `tool_calls: []` makes some agents loop, a repeated id makes two calls one.
 */
import { validateCompletion } from './schema-validators.ts';

export type Dict = { [key: string]: unknown };

export const isDict = (value: unknown): value is Dict => typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;

const COMPLETION_KEYS = [
  'id',
  'object',
  'created',
  'model',
  'choices',
  'usage',
  'service_tier',
  'system_fingerprint',
  'metadata',
  'moderation',
];
const CHOICE_KEYS = ['index', 'message', 'logprobs', 'finish_reason'];
// `reasoning_content` is no key of OpenAI's; every vendor, SDK and chat UI that shows thinking uses it.
const MESSAGE_KEYS = ['role', 'content', 'refusal', 'annotations', 'tool_calls', 'function_call', 'audio', 'reasoning_content'];

/** Keys of `usage`; those of the two lists are always there with at least 0, the rest appear on some models. */
const DETAILS = {
  prompt_tokens_details: { always: ['cached_tokens', 'audio_tokens'], sometimes: ['cache_write_tokens', 'text_tokens', 'image_tokens'] },
  completion_tokens_details: {
    always: ['reasoning_tokens', 'audio_tokens', 'accepted_prediction_tokens', 'rejected_prediction_tokens'],
    sometimes: ['text_tokens'],
  },
};

const ID = /^chatcmpl-[A-Za-z0-9_-]+$/;
const FINISH_REASONS = ['stop', 'length', 'tool_calls', 'content_filter', 'function_call'];
/** Reasons that cut an answer anywhere, so that arguments may be half a JSON text. */
const CUT = ['length', 'content_filter'];

/** A non-stream answer against the schema and the rules; problems are `path what`, empty when good. */
export function checkCompletion(value: unknown): string[] {
  const found = validateCompletion(value);
  if (!isDict(value)) return found;
  found.push(...unknownKeys(value, COMPLETION_KEYS, ''), ...checkHead(value), ...checkUsage(value['usage'], '/usage'));
  if (!Array.isArray(value['choices'])) return found;
  if (value['choices'].length === 0) found.push('/choices is empty');
  for (const [position, choice] of value['choices'].entries()) {
    if (isDict(choice)) found.push(...checkChoice(choice, position));
  }
  return found;
}

/** Rules on keys that answers and chunks share. `created` in milliseconds is found by the schema's `unixtime` format. */
export function checkHead(value: Dict): string[] {
  const found: string[] = [];
  if (typeof value['id'] === 'string' && !ID.test(value['id'])) found.push(`/id ${JSON.stringify(value['id'])} is not chatcmpl-…`);
  if (value['model'] === '') found.push('/model is empty');
  return found;
}

export function unknownKeys(value: Dict, known: readonly string[], path: string): string[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => `${path}/${key} is not a known key`);
}

function checkChoice(choice: Dict, position: number): string[] {
  const path = `/choices/${position}`;
  const found = unknownKeys(choice, CHOICE_KEYS, path);
  const { index, message, finish_reason: finish } = choice;
  if (index !== position) found.push(`${path}/index is ${JSON.stringify(index)}, expected ${position}`);
  if (typeof finish !== 'string' || !FINISH_REASONS.includes(finish)) {
    found.push(`${path}/finish_reason ${JSON.stringify(finish)} is not one of the five`);
  }
  if (!isDict(message)) return found;
  found.push(...unknownKeys(message, MESSAGE_KEYS, `${path}/message`));
  const calls = message['tool_calls'];
  const empty = calls === null || (Array.isArray(calls) && calls.length === 0);
  if ('tool_calls' in message && empty) found.push(`${path}/message/tool_calls is ${JSON.stringify(calls)}, must be absent when none`);
  const some = Array.isArray(calls) && calls.length > 0;
  if (some && message['content'] !== null) found.push(`${path}/message/content must be null beside tool_calls`);
  if (some && finish === 'stop') found.push(`${path}/finish_reason is stop beside tool_calls`);
  if (!some && finish === 'tool_calls') found.push(`${path}/finish_reason is tool_calls without tool_calls`);
  if (finish === 'function_call' && !isDict(message['function_call'])) {
    found.push(`${path}/finish_reason is function_call without function_call`);
  }
  // Recorded: with `stop`, content is null in refusals only; everything else that says nothing says "".
  if (finish === 'stop' && !some && message['content'] === null && typeof message['refusal'] !== 'string' && !isDict(message['audio'])) {
    found.push(`${path}/message/content is null without tool_calls, refusal or audio`);
  }
  if (some) found.push(...checkToolCalls(calls, `${path}/message/tool_calls`, !CUT.includes(String(finish))));
  return found;
}

/** Whole calls, as in a non-stream answer or after folding a stream. `whole`: the answer was not cut, so arguments must parse. */
export function checkToolCalls(calls: readonly unknown[], path: string, whole: boolean): string[] {
  const found: string[] = [];
  const ids = new Set<unknown>();
  for (const [position, call] of calls.entries()) {
    const at = `${path}/${position}`;
    if (!isDict(call)) continue; // the schema has said so
    const { id, type, function: target } = call;
    if (typeof id !== 'string' || id === '') found.push(`${at}/id is empty`);
    else if (ids.has(id)) found.push(`${at}/id ${JSON.stringify(id)} repeats`);
    ids.add(id);
    found.push(...unknownKeys(call, type === 'custom' ? ['id', 'type', 'custom'] : ['id', 'type', 'function'], at));
    if (!isDict(target)) continue;
    found.push(...unknownKeys(target, ['name', 'arguments'], `${at}/function`));
    if (target['name'] === '') found.push(`${at}/function/name is empty`);
    if (typeof target['arguments'] !== 'string') found.push(`${at}/function/arguments is not a string`);
    else if (whole && !parses(target['arguments'])) found.push(`${at}/function/arguments does not parse as JSON`);
  }
  return found;
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Token counts of a chat answer: the sum, and both details objects with integers. */
export function checkUsage(usage: unknown, path: string): string[] {
  if (!isDict(usage)) return [`${path} is missing`];
  const found = unknownKeys(usage, ['prompt_tokens', 'completion_tokens', 'total_tokens', ...Object.keys(DETAILS)], path);
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total } = usage;
  if (!isCount(prompt) || !isCount(completion) || !isCount(total)) found.push(`${path} has a count that is no integer of at least 0`);
  else if (total !== prompt + completion) found.push(`${path}/total_tokens is ${total}, expected ${prompt} + ${completion}`);
  for (const [name, { always, sometimes }] of Object.entries(DETAILS)) {
    const details = usage[name];
    if (!isDict(details)) {
      found.push(`${path}/${name} is missing`);
      continue;
    }
    found.push(...unknownKeys(details, [...always, ...sometimes], `${path}/${name}`));
    for (const key of new Set([...always, ...Object.keys(details)])) {
      if (!isCount(details[key])) found.push(`${path}/${name}/${key} is no integer of at least 0`);
    }
  }
  return found;
}
