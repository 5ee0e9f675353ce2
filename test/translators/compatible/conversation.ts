/** Conversations and what a backend that nobody makes is sent of them. */
import { carryMessages, type MessageRules } from '../../../translators/compatible/messages.ts';
import { changes, draft } from './drafting.ts';

export const RULES: MessageRules = {
  part: (_draft, part) => (part.type === 'image_url' ? { type: 'image_url', image_url: { url: part.image_url.url } } : null),
  plainParts: true,
  reasoning: 'drop',
  names: false,
  joinNeighbours: false,
  userFirst: false,
  userLast: false,
  emptyText: '-',
};

export const user = (content: unknown, more: object = {}) => ({ role: 'user', content, ...more });
export const system = (content: unknown) => ({ role: 'system', content });
export const assistant = (content: unknown, more: object = {}) => ({ role: 'assistant', content, ...more });
export const text = (words: string, more: object = {}) => ({ type: 'text', text: words, ...more });
export const call = (id: string, args = '{}', name = 'look') => ({ id, type: 'function', function: { name, arguments: args } });
export const answer = (id: string, content: unknown) => ({ role: 'tool', tool_call_id: id, content });
export const said = { role: 'assistant', content: null, function_call: { name: 'look', arguments: '{"a":1}' } };
export const heard = (content: unknown = 'A river') => ({ role: 'function', name: 'look', content });

export function carry(messages: readonly object[], rules: Partial<MessageRules> = {}, instructions: string[] = []) {
  const made = draft({ messages });
  made.instructions.push(...instructions);
  const sent = carryMessages(made, { ...RULES, ...rules });
  return { sent, changes: changes(made) };
}

export type Row = [string, object[], object[], string[], Partial<MessageRules>?];
