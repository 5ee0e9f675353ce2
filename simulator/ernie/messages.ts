/**
 * Checks the `messages` of a chat request and reads them into plain text.
 * ERNIE of 2025 wanted an odd count and strict alternation; what later models still want is not documented,
 * so the default profile asks only for what the current reference says.
 */

import { badArgument, badMessages } from './errors.ts';
import type { Profile } from './faults.ts';
import { checkImageUrl, checkVideoUrl } from './images.ts';
import { isObject, type JsonObject } from './json.ts';
import type { ChatModel } from './models.ts';

export interface Message {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly text: string;
  /** Pictures and videos in it. */
  readonly media: number;
  /** Ids of the tool calls an assistant message carries. */
  readonly callIds: readonly string[];
  /** JSON text of those calls, for token counting. */
  readonly callText: string;
}

const ROLES = ['system', 'user', 'assistant', 'tool'] as const;

/** @throws Refusal `invalid_messages`, `invalid_argument` or `invalid_image_url` */
export function readMessages(value: unknown, model: ChatModel, profile: Profile): readonly Message[] {
  if (!Array.isArray(value)) throw badMessages('messages must be an array');
  if (value.length === 0) throw badMessages('messages cannot be empty');
  const known = new Set<string>();
  const messages = value.map((item: unknown, index) => readMessage(item, index, model, known, profile));
  checkEnds(messages, model);
  if (profile === '2025' && model.ernie) checkOrder(messages);
  return messages;
}

function readMessage(item: unknown, index: number, model: ChatModel, known: Set<string>, profile: Profile): Message {
  const at = `messages[${index}]`;
  if (!isObject(item)) throw badMessages(`${at} must be an object`);
  const role = ROLES.find((name) => name === item['role']);
  if (!role) throw badMessages(`the role of ${at} must be one of system, user, assistant, tool`);
  if (item['name'] !== undefined && typeof item['name'] !== 'string') throw badMessages(`the name of ${at} must be a string`);

  const calls = role === 'assistant' ? readCalls(item['tool_calls'], at) : { ids: [], text: '' };
  if (role === 'tool') {
    const id = item['tool_call_id'];
    if (typeof id !== 'string' || id === '') throw badMessages(`${at} needs a tool_call_id`);
    if (!known.has(id)) throw badMessages(`the tool_call_id of ${at} is not found in the tool_calls before it`);
  }
  for (const id of calls.ids) known.add(id);
  const { text, media } = readContent(item, at, model, calls.ids.length > 0, profile);
  return { role, text, media, callIds: calls.ids, callText: calls.text };
}

function readContent(item: JsonObject, at: string, model: ChatModel, hasCalls: boolean, profile: Profile): { text: string; media: number } {
  const content = item['content'];
  if (hasCalls && (content === '' || (profile === '2026' && (content === null || content === undefined)))) return { text: '', media: 0 };
  if (typeof content === 'string') {
    if (content === '') throw badMessages(`the content of ${at} cannot be empty`);
    return { text: content, media: 0 };
  }
  if (!Array.isArray(content)) throw badMessages(`the content of ${at} must be a string${model.vision ? ' or an array' : ''}`);
  if (!model.vision) throw badMessages(`the content of ${at} must be a string for model ${model.id}`);
  if (content.length === 0) throw badMessages(`the content of ${at} cannot be empty`);
  const texts: string[] = [];
  for (const [position, part] of content.entries()) {
    const text = readPart(part, `${at}.content[${position}]`, model);
    if (text !== null) texts.push(text);
  }
  return { text: texts.join('\n'), media: content.length - texts.length };
}

/** The text of a text part; null for a picture or video that passed its checks. */
function readPart(part: unknown, at: string, model: ChatModel): string | null {
  if (!isObject(part)) throw badMessages(`${at} must be an object`);
  switch (part['type']) {
    case 'text':
      if (typeof part['text'] !== 'string' || part['text'] === '') throw badMessages(`the text of ${at} cannot be empty`);
      return part['text'];
    case 'image_url': {
      const image = part['image_url'];
      if (!isObject(image)) throw badMessages(`the image_url of ${at} must be an object`);
      const detail = image['detail'];
      if (detail !== undefined && !['low', 'high', 'auto'].includes(String(detail))) throw badArgument('detail must be low, high or auto');
      checkImageUrl(image['url']);
      return null;
    }
    case 'video_url': {
      const video = part['video_url'];
      if (!model.videoUrl) throw badMessages(`model ${model.id} does not support video_url`);
      if (!isObject(video)) throw badMessages(`the video_url of ${at} must be an object`);
      const fps = video['fps'];
      if (fps !== undefined && !(typeof fps === 'number' && fps >= 0.2 && fps <= 5)) throw badArgument('fps range is [0.2, 5]');
      const roomy = model.id.startsWith('ernie-4.5-turbo-vl') || model.id.startsWith('ernie-5.0-thinking');
      checkVideoUrl(video['url'], roomy ? 128 : 64);
      return null;
    }
    default:
      throw badMessages(`the type of ${at} is not supported`);
  }
}

function readCalls(value: unknown, at: string): { ids: readonly string[]; text: string } {
  if (value === undefined || value === null) return { ids: [], text: '' };
  if (!Array.isArray(value)) throw badMessages(`the tool_calls of ${at} must be an array`);
  const ids = value.map((call: unknown, index) => {
    const place = `${at}.tool_calls[${index}]`;
    if (!isObject(call) || typeof call['id'] !== 'string' || call['id'] === '') throw badMessages(`${place} needs an id`);
    if (call['type'] !== 'function') throw badMessages(`the type of ${place} must be function`);
    const target = call['function'];
    if (!isObject(target) || typeof target['name'] !== 'string' || target['name'] === '')
      throw badMessages(`${place} needs a function name`);
    if (typeof target['arguments'] !== 'string') throw badMessages(`the arguments of ${place} must be a string`);
    return call['id'];
  });
  return { ids, text: ids.length > 0 ? JSON.stringify(value) : '' };
}

/** Blank here means only space, \n, \r and \f; a tab counts as text (Qianfan: messages.content). */
const BLANK = /^[ \n\r\f]+$/;

function checkEnds(messages: readonly Message[], model: ChatModel): void {
  const last = messages[messages.length - 1];
  if (!last) return;
  if (last.media === 0 && BLANK.test(last.text)) throw badMessages('the content of the last message cannot be blank');
  // Models of other makers are not strict about who speaks last.
  if (model.ernie && last.role !== 'user' && last.role !== 'tool') throw badMessages('the role of the last message must be user or tool');
}

/** After an optional leading system message: odd count, user and assistant in turn. Not applied where tools speak. */
function checkOrder(messages: readonly Message[]): void {
  const rest = messages[0]?.role === 'system' ? messages.slice(1) : messages;
  if (rest.some((message) => message.role === 'system')) throw badMessages('the system message must be the first of messages');
  if (rest.some((message) => message.role === 'tool' || message.callIds.length > 0)) return;
  if (rest.length % 2 === 0) throw badArgument('the length of messages must be an odd number');
  const wrong = rest.findIndex((message, index) => message.role !== (index % 2 === 0 ? 'user' : 'assistant'));
  if (wrong >= 0) throw badMessages('the role of messages must be user and assistant alternately');
}
