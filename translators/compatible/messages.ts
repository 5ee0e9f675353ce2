import type { ChatMessage, ContentPart } from '../../openai/chat/request.ts';
import { carryAssistant } from './assistant.ts';
import type { Draft } from './draft.ts';
import { LegacyCalls } from './legacy-calls.ts';
import { noteExtras } from './message-keys.ts';
import { carryParts, flatText, notEmpty, textOf } from './parts.ts';

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
  /** Keys of text parts that go along, e.g. a cache mark; only with `plainParts`. */
  readonly partKeys?: readonly string[];
  /** True drops a user message without content; absent: `emptyText` stands for it. */
  readonly dropEmptyUser?: boolean;
  /** True where the vendor parses the arguments of earlier calls: text that is no JSON is wrapped. */
  readonly jsonArguments?: boolean;
  /** False where the vendor has no `partial` (continue this assistant message); absent: it has. */
  readonly partial?: boolean;
}

export type UpstreamMessage = Record<string, unknown> & { role: string };

/** A system text; `parts` where they carry marks that must not be lost. */
interface SystemText {
  readonly text: string;
  readonly parts: readonly Record<string, unknown>[] | null;
}

/**
 * OpenAI's messages as one system message, then user, assistant and tool turns with string contents.
 * Every change is in the receipt; no text is lost.
 */
export function carryMessages(draft: Draft, rules: MessageRules): UpstreamMessage[] {
  const { messages } = draft.request;
  const system: SystemText[] = [];
  const out: UpstreamMessage[] = [];
  const lastUser = messages.findLastIndex((message) => message.role === 'user');
  const legacy = new LegacyCalls(draft, out, rules);
  messages.forEach((message, index) => {
    const path = `messages[${index}]`;
    noteExtras(draft, message, path, rules);
    if (message.role !== 'function' && message.role !== 'system' && message.role !== 'developer') legacy.close();
    switch (message.role) {
      case 'developer':
      case 'system':
        carrySystem(draft, message, path, system, out.length > 0, rules);
        break;
      case 'user':
        carryUser(draft, message, path, rules, out);
        break;
      case 'assistant': {
        const withReasoning = rules.reasoning === 'keep' || (rules.reasoning === 'tool-loop' && index > lastUser);
        const turn = carryAssistant(draft, message, path, rules, withReasoning);
        if (message.function_call !== undefined && message.function_call !== null && turn['tool_calls'] === undefined) {
          legacy.call(turn, message.function_call, index);
        }
        if (turn['tool_calls'] === undefined && turn['content'] === '') {
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
          content: notEmpty(draft, flatText(draft, message, `${path}.content`), path, rules.emptyText),
        });
        break;
      case 'function':
        legacy.answer(message, index);
        break;
    }
  });
  legacy.close();
  return arrange(draft, system, rules.joinNeighbours ? joinNeighbours(draft, out) : out, rules);
}

/** The system message in front; user turns put in where the vendor insists on one. */
function arrange(draft: Draft, system: readonly SystemText[], turns: UpstreamMessage[], rules: MessageRules): UpstreamMessage[] {
  const { receipt } = draft;
  const texts = system.map(({ text }) => text).filter((text) => text !== '');
  if (turns.length === 0) {
    receipt.note('messages', 'emulated', 'the backend needs a user message: the system text is sent as one too', { alters: true });
    turns.push({ role: 'user', content: texts.join('\n\n') || rules.emptyText });
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
  if (!turns.some((turn) => turn.role === 'user')) {
    receipt.note('messages', 'emulated', 'the backend needs a user message: a short one is put in front', { alters: true });
    turns.unshift({ role: 'user', content: rules.emptyText });
  }
  if (system.every(({ parts }) => parts === null)) {
    const text = [...texts, ...draft.instructions].join('\n\n');
    return text === '' ? turns : [{ role: 'system', content: text }, ...turns];
  }
  const parts = [
    ...system.flatMap(({ text, parts: marked }) => marked ?? (text === '' ? [] : [{ type: 'text', text }])),
    ...draft.instructions.map((text) => ({ type: 'text', text })),
  ];
  return [{ role: 'system', content: parts }, ...turns];
}

function carrySystem(draft: Draft, message: ChatMessage, path: string, system: SystemText[], late: boolean, rules: MessageRules): void {
  if (message.role === 'developer') draft.receipt.note(`${path}.role`, 'renamed', 'the backend knows no developer role', { to: 'system' });
  if (late)
    draft.receipt.note(path, 'emulated', 'the backend takes one system message, first: this later one is added to it', { alters: true });
  else if (system.length > 0)
    draft.receipt.note(path, 'emulated', 'the backend takes one system message: the texts are joined by a blank line');
  const content = message.content ?? '';
  if (typeof content !== 'string' && rules.keepArray?.(content) === true) {
    const parts = carryParts(draft, content, `${path}.content`, rules);
    system.push({ text: textOf(content), parts: typeof parts === 'string' || parts.length === 0 ? null : parts });
  } else system.push({ text: flatText(draft, message, `${path}.content`), parts: null });
}

function carryUser(draft: Draft, message: ChatMessage, path: string, rules: MessageRules, out: UpstreamMessage[]): void {
  const content = carryParts(draft, message.content ?? '', `${path}.content`, rules);
  if (content === '' || (Array.isArray(content) && content.length === 0)) {
    if (rules.dropEmptyUser === true) {
      draft.receipt.note(path, 'dropped', 'the backend takes no empty user message', { alters: true });
      return;
    }
    draft.receipt.note(`${path}.content`, 'defaulted', 'the backend takes no empty user message', {
      to: JSON.stringify(rules.emptyText),
      alters: true,
    });
    out.push({ role: 'user', content: rules.emptyText });
    return;
  }
  const turn: UpstreamMessage = { role: 'user', content };
  if (rules.names && message.name !== undefined) turn['name'] = message.name;
  out.push(turn);
}

function joinNeighbours(draft: Draft, turns: readonly UpstreamMessage[]): UpstreamMessage[] {
  const out: UpstreamMessage[] = [];
  for (const turn of turns) {
    const before = out.at(-1);
    const joinable = before !== undefined && before.role === turn.role && turn.role !== 'tool' && before['tool_calls'] === undefined;
    if (joinable && turn['tool_calls'] === undefined && typeof before['content'] === 'string' && typeof turn['content'] === 'string') {
      // Under one name, the words of two people would become those of the first.
      const strangers = before['name'] !== turn['name'];
      const reason = `the backend wants turns to alternate: two ${turn.role} messages are joined by a blank line`;
      draft.receipt.note('messages', 'emulated', strangers ? `${reason}, and their different names are left out` : reason, {
        alters: strangers,
      });
      if (strangers) delete before['name'];
      before['content'] = `${before['content']}\n\n${turn['content']}`;
      const thoughts = [before, turn].map((each) => each['reasoning_content']).filter((thought) => typeof thought === 'string');
      if (thoughts.length > 0) before['reasoning_content'] = thoughts.join('\n\n');
    } else out.push(turn);
  }
  return out;
}
