import { readContent } from './content.ts';
import { invalid, invalidInside } from './errors.ts';
import { isObject, type JsonObject, parseJson } from './json.ts';
import type { ChatModel } from './models.ts';

/** What a conversation says, once it has passed the vendor's checks (Qwen: messages, error messages). */
export interface Conversation {
  readonly system: string;
  readonly lastUser: string;
  readonly toolResults: readonly string[];
  readonly continueText: string | null;
  readonly images: number;
  /** Text of every message, in order, for token counts, moderation and the prompt cache. */
  readonly texts: readonly string[];
}

const ROLES = ['system', 'assistant', 'user', 'tool', 'function'];

/** @throws Refusal 400 */
export function readMessages(value: unknown, model: ChatModel, options: { strict: boolean; countReasoning: boolean }): Conversation {
  if (!Array.isArray(value)) throw invalid('messages is a required field and must be a list.');
  if (value.length === 0) throw invalid("[] is too short - 'messages'");
  const messages = value.map((message: unknown, index) => checkedMessage(message, index, model, options.strict));
  if (options.strict && model.systemFirst && messages.some((message, index) => index > 0 && message.role === 'system')) {
    throw invalidInside('System message must be at the beginning.');
  }
  if (!messages.some((message) => message.role === 'user'))
    throw invalid('The input messages do not contain elements with the role of user.');
  checkToolTurns(messages);
  const last = messages.at(-1);
  const partial = last?.role === 'assistant' && last.raw['partial'] === true;
  if (last?.role !== 'user' && last?.role !== 'tool' && last?.role !== 'function' && !partial) {
    throw invalidInside('The last message must have the role user or tool.');
  }
  const afterAnswer = messages.slice(messages.findLastIndex((message) => message.role === 'assistant') + 1);
  return {
    system: messages
      .filter((message) => message.role === 'system')
      .map((message) => message.text)
      .join('\n\n'),
    lastUser: messages.findLast((message) => message.role === 'user')?.text ?? '',
    toolResults: afterAnswer.filter((message) => message.role === 'tool' || message.role === 'function').map((message) => message.text),
    continueText: partial ? (last?.text ?? '') : null,
    images: messages.reduce((total, message) => total + message.images, 0),
    texts: messages.map((message) => wholeText(message, options.countReasoning)),
  };
}

interface Message {
  readonly raw: JsonObject;
  readonly role: string;
  readonly text: string;
  readonly images: number;
  readonly calls: readonly JsonObject[];
}

function checkedMessage(raw: unknown, index: number, model: ChatModel, strict: boolean): Message {
  if (!isObject(raw)) throw invalid(`Input should be a valid dictionary - 'messages.[${index}]'`);
  const role = raw['role'];
  if (typeof role !== 'string' || !ROLES.includes(role)) {
    throw invalid(`${String(role)} is not one of ['system', 'assistant', 'user', 'tool', 'function'] - 'messages.['${index}].role'`);
  }
  const calls = checkedCalls(raw['tool_calls']);
  const content = raw['content'];
  const mayBeEmpty = role === 'assistant' && calls.length > 0;
  if (content === undefined || (content === null && !mayBeEmpty)) throw invalid('The content field is a required field.');
  const { text, images } = content === null ? { text: '', images: 0 } : readContent(content, role, model, strict);
  if (role === 'user' && text === '' && images === 0) {
    throw invalidInside('Role must be user or assistant and Content length must be greater than 0');
  }
  return { raw, role, text, images, calls };
}

function checkedCalls(value: unknown): readonly JsonObject[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid('tool_calls must be a list.');
  if (value.length === 0) throw invalid("[] is too short - 'tool_calls'");
  return value.map((call: unknown) => {
    const details = isObject(call) ? call['function'] : undefined;
    if (!isObject(call) || !isObject(details) || typeof details['name'] !== 'string')
      throw invalid('tool_calls: each needs an id and a function with a name.');
    const text = details['arguments'];
    if (typeof text !== 'string' || parseJson(text) === undefined) {
      throw invalidInside('The "function.arguments" parameter of the code model must be in JSON format.');
    }
    return call;
  });
}

/** Every call is answered, right after the turn that made it, and every answer belongs to a call. */
function checkToolTurns(messages: readonly Message[]): void {
  let open = new Set<string>();
  for (const message of messages) {
    if (message.role === 'tool') {
      const id = message.raw['tool_call_id'];
      if (typeof id !== 'string' || !open.delete(id)) {
        throw invalidInside('messages with role "tool" must be a response to a preceeding message with "tool_calls".');
      }
      continue;
    }
    refuseOpen(open);
    open = new Set(message.calls.map((call) => String(call['id'])));
  }
  refuseOpen(open);
}

function refuseOpen(open: ReadonlySet<string>): void {
  if (open.size === 0) return;
  throw invalidInside(
    'An assistant message with "tool_calls" must be followed by tool messages responding to each "tool_call_id". ' +
      `The following tool_call_ids did not have response messages: ${[...open].join(', ')}`,
  );
}

function wholeText(message: Message, countReasoning: boolean): string {
  const calls = message.calls.map((call) => {
    const details = call['function'];
    return isObject(details) ? `${String(details['name'])} ${String(details['arguments'])}` : '';
  });
  const reasoning = message.raw['reasoning_content'];
  return [countReasoning && typeof reasoning === 'string' ? reasoning : '', message.text, ...calls]
    .filter((text) => text !== '')
    .join('\n');
}
