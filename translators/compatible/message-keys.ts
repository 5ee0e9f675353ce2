import type { ChatMessage } from '../../openai/chat/request.ts';
import { otherReasoning } from './assistant.ts';
import type { Draft } from './draft.ts';
import type { MessageRules } from './messages.ts';

const KNOWN = new Set([
  'role',
  'content',
  'name',
  'tool_calls',
  'tool_call_id',
  'function_call',
  'refusal',
  'reasoning_content',
  'partial',
  'annotations',
]);

/** Keys of a message that go nowhere. */
export function noteExtras(draft: Draft, message: ChatMessage, path: string, rules: MessageRules): void {
  if (message.name !== undefined && message.role !== 'function' && !(rules.names && message.role === 'user')) {
    draft.receipt.note(`${path}.name`, 'dropped', 'the backend knows no names on messages', { alters: message.role === 'user' });
  }
  for (const key of Object.keys(message)) {
    if (KNOWN.has(key) || (key === 'reasoning' && otherReasoning(message) !== null)) continue;
    draft.receipt.note(`${path}.${key}`, 'dropped', 'the backend does not know this key of a message', { alters: true });
  }
}
