import type { ChatMessage } from '../../openai/chat/request.ts';
import type { Draft } from './draft.ts';
import type { MessageRules, UpstreamMessage } from './messages.ts';
import { flatText } from './parts.ts';

/** Some clients keep a model's thinking under this name. */
export const otherReasoning = (message: ChatMessage): string | null =>
  message.role === 'assistant' && typeof message['reasoning'] === 'string' ? message['reasoning'] : null;

/** An assistant's turn but for a deprecated `function_call`. Its content is '' where there is neither text nor refusal. */
export function carryAssistant(
  draft: Draft,
  message: ChatMessage,
  path: string,
  rules: MessageRules,
  withReasoning: boolean,
): UpstreamMessage {
  const { receipt } = draft;
  const text = flatText(draft, message, `${path}.content`);
  const refusal = message.refusal ?? '';
  if (refusal !== '' && text === '') receipt.note(`${path}.refusal`, 'renamed', 'the backend knows no refusals', { to: 'content' });
  else if (refusal !== '') receipt.note(`${path}.refusal`, 'dropped', 'the backend knows no refusals, and the message has a content');
  const turn: UpstreamMessage = { role: 'assistant', content: text || refusal };
  carryReasoning(draft, message, path, turn, withReasoning);
  if (message['partial'] === true) {
    if (rules.partial !== false) turn['partial'] = true;
    else receipt.note(`${path}.partial`, 'dropped', 'the backend cannot continue an assistant message', { alters: true });
  }
  const calls = message.tool_calls;
  if (calls === undefined || calls === null) return turn;
  turn['tool_calls'] = calls.map(({ id, function: { name, arguments: json } }, index) => ({
    id,
    type: 'function',
    function: { name: sentName(draft, name), arguments: carryArguments(draft, json, `${path}.tool_calls[${index}]`, rules) },
  }));
  return turn;
}

function carryReasoning(draft: Draft, message: ChatMessage, path: string, turn: UpstreamMessage, withReasoning: boolean): void {
  const thought = message.reasoning_content ?? otherReasoning(message);
  if (thought === null) return;
  if (!withReasoning) {
    draft.receipt.note(`${path}.reasoning_content`, 'dropped', 'the backend does not use the thinking of earlier turns');
    return;
  }
  turn['reasoning_content'] = thought;
  if (typeof message.reasoning_content !== 'string')
    draft.receipt.note(`${path}.reasoning`, 'renamed', 'the backend calls it reasoning_content', { to: 'reasoning_content' });
}

/** A function that is renamed on its way is so in earlier calls too. */
export function sentName(draft: Draft, name: string): string {
  for (const [sent, original] of draft.emulation.functionNames ?? []) if (original === name) return sent;
  return name;
}

/** Empty arguments are an empty object; a call that was cut off has arguments that are no JSON. */
export function carryArguments(draft: Draft, json: string, path: string, rules: Pick<MessageRules, 'jsonArguments'>): string {
  if (json.trim() === '') return '{}';
  if (rules.jsonArguments !== true || isJson(json)) return json;
  draft.receipt.note(`${path}.function.arguments`, 'emulated', 'the backend takes JSON only: the text is wrapped in an object', {
    alters: true,
  });
  return JSON.stringify({ text: json });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
