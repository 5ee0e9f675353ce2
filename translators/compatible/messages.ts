import type { ChatMessage, ContentPart } from '../../openai/chat/request.ts';
import type { Draft } from './draft.ts';
import { carryParts, textOf } from './parts.ts';

/** Where vendors differ in the messages they take. */
export interface MessageRules {
  /** What a vision or voice model's user parts look like; null refuses the part by name. */
  readonly part: (draft: Draft, part: ContentPart, path: string) => Record<string, unknown> | null;
  /** True keeps a text-only array as it is, e.g. because a part carries a cache mark. */
  readonly keepArray?: (parts: readonly ContentPart[]) => boolean;
  /** Whether `reasoning_content` of earlier turns goes along. */
  readonly reasoning: 'keep' | 'tool-loop' | 'drop';
  /** Whether `name` on a user message is carried. */
  readonly names: boolean;
  /** Neighbours of one role become one message (vendors that want alternation). */
  readonly joinNeighbours: boolean;
  /** The first message after the system must be a user's. */
  readonly userFirst: boolean;
  /** The last message must be a user's or a tool's. */
  readonly userLast: boolean;
  /** What stands for an empty text that must not be empty. */
  readonly emptyText: string;
  /** True where text parts beside images go out as `type` and `text` alone, and empty ones not at all; absent: as they came. */
  readonly plainParts?: boolean;
  /** False where the vendor has no `partial` (continue this assistant message); absent: it has. */
  readonly partial?: boolean;
}

export type UpstreamMessage = Record<string, unknown> & { role: string };

/**
 * OpenAI's messages as one system message, then user, assistant and tool turns with string contents.
 * Every change is in the receipt; no text is lost.
 */
export function carryMessages(draft: Draft, rules: MessageRules): UpstreamMessage[] {
  const { messages } = draft.request;
  const system: string[] = [];
  const out: UpstreamMessage[] = [];
  const lastUser = messages.findLastIndex((message) => message.role === 'user');
  let legacyCall: string | null = null;
  messages.forEach((message, index) => {
    const path = `messages[${index}]`;
    noteExtras(draft, message, path, rules);
    switch (message.role) {
      case 'developer':
      case 'system':
        carrySystem(draft, message, path, system, out.length > 0);
        break;
      case 'user':
        carryUser(draft, message, path, rules, out);
        break;
      case 'assistant': {
        const turn = carryAssistant(
          draft,
          message,
          path,
          rules.reasoning === 'keep' || (rules.reasoning === 'tool-loop' && index > lastUser),
          rules.partial !== false,
        );
        const calls = turn['tool_calls'] as { id: string }[] | undefined;
        legacyCall = message.function_call === undefined || message.function_call === null ? null : (calls?.[0]?.id ?? null);
        if (calls === undefined && turn['content'] === '') {
          draft.receipt.note(path, 'dropped', 'the backend takes no empty assistant message');
          break;
        }
        out.push(turn);
        break;
      }
      case 'tool':
        out.push({
          role: 'tool',
          tool_call_id: message.tool_call_id,
          content: flatText(draft, message, `${path}.content`) || rules.emptyText,
        });
        break;
      case 'function':
        draft.receipt.note(`${path}.role`, 'renamed', 'the deprecated role function is a tool message', { to: 'tool' });
        out.push({ role: 'tool', tool_call_id: legacyCall ?? legacyId(index), content: textOf(message.content) || rules.emptyText });
        break;
    }
  });
  return arrange(draft, system, rules.joinNeighbours ? joinNeighbours(draft, out) : out, rules);
}

/** The system message in front; user turns put in where the vendor insists on one. */
function arrange(draft: Draft, system: string[], turns: UpstreamMessage[], rules: MessageRules): UpstreamMessage[] {
  const text = [...system, ...draft.instructions].filter((entry) => entry !== '').join('\n\n');
  const { receipt } = draft;
  if (!turns.some((turn) => turn.role === 'user') && turns.length === 0) {
    receipt.note('messages', 'emulated', 'the backend needs a user message: the system text is sent as one too', { alters: true });
    turns.push({ role: 'user', content: system.join('\n\n') || rules.emptyText });
  }
  if (rules.userFirst && turns[0]?.role !== 'user') {
    receipt.note('messages', 'emulated', 'the backend wants a user message first: a short one is put in front', { alters: true });
    turns.unshift({ role: 'user', content: rules.emptyText });
  }
  const last = turns.at(-1);
  if (rules.userLast && last?.role === 'assistant' && last['partial'] !== true) {
    receipt.note('messages', 'emulated', 'the backend wants a user or tool message last: a short one is appended', { alters: true });
    turns.push({ role: 'user', content: 'Continue.' });
  }
  return text === '' ? turns : [{ role: 'system', content: text }, ...turns];
}

function carrySystem(draft: Draft, message: ChatMessage, path: string, system: string[], late: boolean): void {
  if (message.role === 'developer') draft.receipt.note(`${path}.role`, 'renamed', 'the backend knows no developer role', { to: 'system' });
  if (late)
    draft.receipt.note(path, 'emulated', 'the backend takes one system message, first: this later one is added to it', { alters: true });
  else if (system.length > 0)
    draft.receipt.note(path, 'emulated', 'the backend takes one system message: the texts are joined by a blank line');
  system.push(flatText(draft, message, `${path}.content`));
}

function carryUser(draft: Draft, message: ChatMessage, path: string, rules: MessageRules, out: UpstreamMessage[]): void {
  const content = carryParts(draft, message.content ?? '', `${path}.content`, rules);
  if (content === '' || (Array.isArray(content) && content.length === 0)) {
    draft.receipt.note(`${path}.content`, 'defaulted', 'the backend takes no empty user message', { to: JSON.stringify(rules.emptyText) });
    out.push({ role: 'user', content: rules.emptyText });
    return;
  }
  const turn: UpstreamMessage = { role: 'user', content };
  if (rules.names && message.name !== undefined) turn['name'] = message.name;
  out.push(turn);
}

/** Some clients keep a model's thinking under this name. */
const otherReasoning = (message: ChatMessage): string | null =>
  message.role === 'assistant' && typeof message['reasoning'] === 'string' ? message['reasoning'] : null;

function carryAssistant(draft: Draft, message: ChatMessage, path: string, withReasoning: boolean, withPartial: boolean): UpstreamMessage {
  const turn: UpstreamMessage = { role: 'assistant', content: flatText(draft, message, `${path}.content`) || (message.refusal ?? '') };
  const thought = message.reasoning_content ?? otherReasoning(message);
  if (thought !== null) {
    if (withReasoning) {
      turn['reasoning_content'] = thought;
      if (typeof message.reasoning_content !== 'string')
        draft.receipt.note(`${path}.reasoning`, 'renamed', 'the backend calls it reasoning_content', { to: 'reasoning_content' });
    } else draft.receipt.note(`${path}.reasoning_content`, 'dropped', 'the backend does not use the thinking of earlier turns');
  }
  if (message['partial'] === true) {
    if (withPartial) turn['partial'] = true;
    else draft.receipt.note(`${path}.partial`, 'dropped', 'the backend cannot continue an assistant message', { alters: true });
  }
  if (message.tool_calls !== undefined && message.tool_calls !== null) {
    turn['tool_calls'] = message.tool_calls.map((call) => ({
      id: call.id,
      type: 'function',
      function: { name: call.function.name, arguments: call.function.arguments.trim() === '' ? '{}' : call.function.arguments },
    }));
  } else if (message.function_call !== undefined && message.function_call !== null) {
    draft.receipt.note(`${path}.function_call`, 'renamed', 'the deprecated function_call is a tool call', { to: 'tool_calls' });
    const index = draft.request.messages.indexOf(message);
    turn['tool_calls'] = [{ id: legacyId(index + 1), type: 'function', function: { ...message.function_call } }];
  }
  return turn;
}

/** The id of a deprecated function call is made from where its answer stands, so that both get the same. */
const legacyId = (answerIndex: number): string => `call_legacy_${answerIndex}`;

/** A content as one text; arrays of text parts are joined by a line break. */
function flatText(draft: Draft, message: ChatMessage, path: string): string {
  if (Array.isArray(message.content) && message.content.length > 1) {
    draft.receipt.note(path, 'emulated', 'the backend takes a string here: the text parts are joined by line breaks');
  }
  return textOf(message.content);
}

function joinNeighbours(draft: Draft, turns: readonly UpstreamMessage[]): UpstreamMessage[] {
  const out: UpstreamMessage[] = [];
  for (const turn of turns) {
    const before = out.at(-1);
    const joinable =
      before !== undefined &&
      before.role === turn.role &&
      turn.role !== 'tool' &&
      before['tool_calls'] === undefined &&
      // Joined under one name, the words of two people would become those of the first.
      before['name'] === turn['name'];
    if (joinable && turn['tool_calls'] === undefined && typeof before['content'] === 'string' && typeof turn['content'] === 'string') {
      draft.receipt.note(
        'messages',
        'emulated',
        `the backend wants turns to alternate: two ${turn.role} messages are joined by a blank line`,
      );
      before['content'] = `${before['content']}\n\n${turn['content']}`;
    } else out.push(turn);
  }
  return out;
}

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
function noteExtras(draft: Draft, message: ChatMessage, path: string, rules: MessageRules): void {
  if (message.name !== undefined && message.role !== 'function' && !(rules.names && message.role === 'user')) {
    draft.receipt.note(`${path}.name`, 'dropped', 'the backend knows no names on messages', { alters: message.role === 'user' });
  }
  for (const key of Object.keys(message)) {
    if (KNOWN.has(key) || (key === 'reasoning' && otherReasoning(message) !== null)) continue;
    draft.receipt.note(`${path}.${key}`, 'dropped', 'the backend does not know this key of a message', { alters: key === 'audio' });
  }
}
