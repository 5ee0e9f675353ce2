import { OpenAIError } from '../errors.ts';
import { array, isObject, listLength, missing, nonEmptyString, notEmpty, object, oneOf, string, wrongType, wrongValue } from './check.ts';
import type { Role } from './request.ts';

const ROLES: readonly Role[] = ['system', 'assistant', 'user', 'function', 'tool', 'developer'];

/** Part types each role may carry (OpenAI: system, developer and tool take text only; assistant text and refusals). */
const PARTS: Readonly<Record<Role, readonly string[]>> = {
  system: ['text'],
  developer: ['text'],
  tool: ['text'],
  function: ['text'],
  assistant: ['text', 'refusal'],
  user: ['text', 'image_url', 'input_audio', 'file'],
};

const MAX_PARTS = 4096;

/**
 * Checks `messages` as OpenAI does: roles, contents, parts, tool calls, and that each tool call is answered by exactly the tool
 * messages that follow it.
 */
export function checkMessages(value: unknown, maxMessages: number): void {
  const messages = array('messages', value);
  notEmpty('messages', messages);
  listLength('messages', messages, maxMessages);
  messages.forEach((message, index) => void checkMessage(`messages[${index}]`, message));
  checkToolAnswers(messages as Record<string, unknown>[]);
}

function checkMessage(path: string, value: unknown): void {
  const message = object(path, value);
  if (message['role'] === undefined) missing(`${path}.role`);
  const role = oneOf(`${path}.role`, message['role'], ROLES);
  if (message['name'] != null) string(`${path}.name`, message['name']);
  const calls = message['tool_calls'];
  if (role === 'assistant') {
    if (calls != null) checkToolCalls(`${path}.tool_calls`, calls);
    if (message['function_call'] != null) checkFunctionCall(`${path}.function_call`, message['function_call']);
    if (message['refusal'] != null) string(`${path}.refusal`, message['refusal']);
    if (message['reasoning_content'] != null) string(`${path}.reasoning_content`, message['reasoning_content']);
  }
  if (role === 'tool') {
    if (message['tool_call_id'] == null) missing(`${path}.tool_call_id`);
    string(`${path}.tool_call_id`, message['tool_call_id']);
  }
  if (role === 'function' && message['name'] == null) missing(`${path}.name`);
  checkContent(`${path}.content`, message, role);
}

function checkContent(path: string, message: Record<string, unknown>, role: Role): void {
  const content = message['content'];
  if (content == null) {
    if (role === 'function') return;
    if (
      role === 'assistant' &&
      (message['tool_calls'] != null || message['function_call'] != null || message['refusal'] != null || message['audio'] != null)
    )
      return;
    if (content === undefined) missing(path);
    wrongType(path, 'a string or an array of content parts', content);
  }
  if (typeof content === 'string') return;
  if (!Array.isArray(content)) wrongType(path, 'a string or an array of content parts', content);
  notEmpty(path, content as unknown[]);
  listLength(path, content as unknown[], MAX_PARTS);
  (content as unknown[]).forEach((part, index) => void checkPart(`${path}[${index}]`, part, role));
}

function checkPart(path: string, value: unknown, role: Role): void {
  const part = object(path, value);
  if (part['type'] === undefined) missing(`${path}.type`);
  const type = oneOf(`${path}.type`, part['type'], PARTS[role]);
  const field = type === 'refusal' ? 'refusal' : type;
  if (part[field] == null) missing(`${path}.${field}`);
  if (type === 'text' || type === 'refusal') {
    string(`${path}.${field}`, part[field]);
    return;
  }
  const inner = object(`${path}.${field}`, part[field]);
  if (type === 'image_url') {
    if (inner['url'] == null) missing(`${path}.image_url.url`);
    const url = nonEmptyString(`${path}.image_url.url`, inner['url'], Number.MAX_SAFE_INTEGER);
    if (!/^(https?:\/\/|data:image\/)/i.test(url.slice(0, 16))) {
      wrongValue(`${path}.image_url.url`, `Invalid '${path}.image_url.url': expected an http(s) URL or a data URL of an image.`);
    }
    if (inner['detail'] != null) oneOf(`${path}.image_url.detail`, inner['detail'], ['auto', 'low', 'high', 'original']);
  }
  if (type === 'input_audio') {
    if (inner['data'] == null) missing(`${path}.input_audio.data`);
    string(`${path}.input_audio.data`, inner['data']);
    oneOf(`${path}.input_audio.format`, inner['format'] ?? '', ['wav', 'mp3']);
  }
}

function checkToolCalls(path: string, value: unknown): void {
  const calls = array(path, value);
  notEmpty(path, calls);
  listLength(path, calls, 128);
  calls.forEach((entry, index) => {
    const at = `${path}[${index}]`;
    const call = object(at, entry);
    if (call['id'] == null) missing(`${at}.id`);
    nonEmptyString(`${at}.id`, call['id'], 512);
    if (call['type'] !== undefined) oneOf(`${at}.type`, call['type'], ['function', 'custom']);
    if (call['type'] === 'custom') {
      throw new OpenAIError('unsupported_value', `Unsupported value: '${at}.type' does not support 'custom' with this model.`, {
        param: `${at}.type`,
      });
    }
    checkFunctionCall(`${at}.function`, call['function']);
  });
}

function checkFunctionCall(path: string, value: unknown): void {
  if (value == null) missing(path);
  const call = object(path, value);
  if (call['name'] == null) missing(`${path}.name`);
  nonEmptyString(`${path}.name`, call['name'], 512);
  if (call['arguments'] == null) missing(`${path}.arguments`);
  string(`${path}.arguments`, call['arguments']);
}

/** Each id of an assistant's `tool_calls` is answered once before the next user or assistant turn, and by nothing else. */
function checkToolAnswers(messages: readonly Record<string, unknown>[]): void {
  let open = new Set<string>();
  let asked = new Set<string>();
  messages.forEach((message, index) => {
    if (message['role'] === 'tool') {
      const id = message['tool_call_id'] as string;
      if (open.delete(id)) return;
      throw new OpenAIError(
        'tool_message_orphan',
        asked.has(id)
          ? `Invalid parameter: more than one message with role 'tool' responds to the tool_call_id '${id}'.`
          : "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
        { param: `messages.[${index}].role` },
      );
    }
    if (open.size > 0) unanswered(open);
    const calls = message['tool_calls'];
    const ids = Array.isArray(calls) ? calls.filter(isObject).map((call) => call['id'] as string) : [];
    open = new Set(ids);
    asked = new Set(ids);
  });
  if (open.size > 0) unanswered(open);
}

function unanswered(open: ReadonlySet<string>): never {
  throw new OpenAIError(
    'tool_messages_missing',
    `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${[...open].join(', ')}`,
    { param: 'messages' },
  );
}
