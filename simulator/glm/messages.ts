/** Reads `messages` the way GLM does, quirks included (GLM 2.3). */
import { illegal, notReceived, wrong } from './errors.ts';
import { type Fields, isFields } from './fields.ts';
import type { ChatModel } from './models.ts';
import { readParts } from './parts.ts';

export interface Conversation {
  readonly system: string;
  readonly lastUser: string;
  /** Tool results after the last assistant turn. */
  readonly toolResults: readonly string[];
  readonly images: number;
  /** Number of messages; each costs a few tokens of its own. */
  readonly messages: number;
  /** Everything the model reads, for counting and for the prompt cache. */
  readonly text: string;
}

const ROLES = new Set(['system', 'user', 'assistant', 'tool']);

/** Text of the last user message without any check, so that directives work in requests that are otherwise wrong. */
export function peekLastUser(body: Fields): string {
  const messages = Array.isArray(body['messages']) ? (body['messages'] as unknown[]) : [];
  const last = messages.findLast((message) => isFields(message) && message['role'] === 'user');
  const content = isFields(last) ? last['content'] : '';
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: unknown) => (isFields(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('\n');
}

/**
 * @param keepReasoning whether past `reasoning_content` stays in the prompt (`clear_thinking: false`)
 * @throws Refusal 1213 empty content · 1214 order, roles, shapes · 1210 pictures that cannot be read
 */
export function readMessages(body: Fields, model: ChatModel, old: boolean, keepReasoning: boolean): Conversation {
  const messages = body['messages'];
  if (messages === undefined) throw notReceived('messages');
  if (!Array.isArray(messages)) throw wrong('messages must be of type array', 'messages 的类型应为 array');
  if (messages.length === 0) throw illegal('messages');
  const list = messages.map((message: unknown, index) => checkMessage(message, index));
  checkOrder(list.map((message) => String(message['role'])));

  const system: string[] = [];
  const text: string[] = [];
  let lastUser = '';
  let toolResults: string[] = [];
  let images = 0;
  for (const [index, message] of list.entries()) {
    const content = contentOf(message, index, model, old);
    images += content.images;
    text.push(content.text);
    switch (message['role']) {
      case 'system':
        system.push(content.text);
        break;
      case 'user':
        lastUser = content.text;
        break;
      case 'tool':
        toolResults.push(content.text);
        break;
      default:
        toolResults = [];
        if (message['tool_calls'] !== undefined) text.push(JSON.stringify(message['tool_calls']));
        if (keepReasoning && typeof message['reasoning_content'] === 'string') text.push(message['reasoning_content']);
    }
  }
  if (images > model.maxImages) throw illegal('messages', { zh: '图片数量超出上限', en: `holds more than ${model.maxImages} images` });
  return { system: system.join('\n\n'), lastUser, toolResults, images, messages: list.length, text: text.join('\n') };
}

function checkMessage(message: unknown, index: number): Fields {
  if (!isFields(message)) throw illegal(`messages[${index}]`);
  const { role, content } = message;
  if (typeof role !== 'string' || !ROLES.has(role)) {
    throw illegal(`messages[${index}].role`, { zh: '角色信息不正确', en: 'Incorrect role information' });
  }
  const empty = content === undefined || content === null || content === '';
  if (role === 'assistant') {
    const calls = message['tool_calls'];
    if (calls !== undefined && !Array.isArray(calls)) throw illegal(`messages[${index}].tool_calls`);
    if (empty && (!Array.isArray(calls) || calls.length === 0)) {
      throw illegal(`messages[${index}]:content`, {
        zh: '和 tool_calls 不能同时为空',
        en: 'and tool_calls must not both be empty',
      });
    }
    for (const [position, call] of (calls ?? []).entries()) checkCall(call, `messages[${index}].tool_calls[${position}]`);
  } else if (role === 'tool') {
    if (content === undefined || content === null) throw notReceived(`messages[${index}].content`);
    if (typeof message['tool_call_id'] !== 'string') throw notReceived(`messages[${index}].tool_call_id`);
  } else if (empty) throw notReceived(`messages[${index}].content`);
  return message;
}

function checkCall(call: unknown, where: string): void {
  const target = isFields(call) ? call['function'] : undefined;
  if (!isFields(target) || typeof target['name'] !== 'string') throw illegal(`${where}.function`);
  if (typeof target['arguments'] !== 'string') throw illegal(`${where}.function.arguments`);
}

function checkOrder(roles: readonly string[]): void {
  const only = (role: string): boolean => roles.every((item) => item === role);
  if (only('system') || only('assistant')) throw illegal('messages');
  // An assistant turn straight after the system text, with no user turn between, is refused.
  if (roles.find((role) => role !== 'system') === 'assistant') throw illegal('messages');
}

function contentOf(message: Fields, index: number, model: ChatModel, old: boolean): { text: string; images: number } {
  const { role, content } = message;
  if (typeof content === 'string') return { text: content, images: 0 };
  if (content === null || content === undefined) return { text: '', images: 0 };
  if (!Array.isArray(content)) throw illegal(`messages[${index}].content`, { zh: '类型错误', en: 'type error' });
  // The chat template prints nothing for list content of these roles; no error tells the caller (GLM 2.3).
  if (role === 'tool' || role === 'assistant') return { text: '', images: 0 };
  return readParts(content, index, role === 'user' ? model : { ...model, maxImages: 0 }, old);
}
