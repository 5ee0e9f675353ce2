import type { ChatMessage } from '../../openai/chat/request.ts';
import { carryArguments, sentName } from './assistant.ts';
import type { Draft } from './draft.ts';
import type { MessageRules, UpstreamMessage } from './messages.ts';
import { flatText, notEmpty } from './parts.ts';

/**
 * The deprecated `function_call` and role `function` as tool calls and tool messages. The old form has no ids and its order is
 * free; vendors want each call answered, and each answer to follow a call: what is missing of a pair is made up.
 */
export class LegacyCalls {
  readonly #draft: Draft;
  readonly #out: UpstreamMessage[];
  readonly #rules: Pick<MessageRules, 'emptyText' | 'jsonArguments'>;
  /** Id of the call that waits for its answer. */
  #open: string | null = null;

  constructor(draft: Draft, out: UpstreamMessage[], rules: Pick<MessageRules, 'emptyText' | 'jsonArguments'>) {
    this.#draft = draft;
    this.#out = out;
    this.#rules = rules;
  }

  /** Puts the call of message number `index` into its turn. */
  call(turn: UpstreamMessage, { name, arguments: json }: { readonly name: string; readonly arguments: string }, index: number): void {
    const path = `messages[${index}].function_call`;
    this.#draft.receipt.note(path, 'renamed', 'the deprecated function_call is a tool call', { to: 'tool_calls' });
    this.#open = legacyId(index + 1);
    const args = carryArguments(this.#draft, json, path, this.#rules);
    turn['tool_calls'] = [{ id: this.#open, type: 'function', function: { name: sentName(this.#draft, name), arguments: args } }];
  }

  answer(message: ChatMessage, index: number): void {
    const path = `messages[${index}]`;
    const { receipt } = this.#draft;
    receipt.note(`${path}.role`, 'renamed', 'the deprecated role function is a tool message', { to: 'tool' });
    let id = this.#open;
    if (id === null) {
      id = legacyId(index);
      receipt.note(path, 'emulated', 'no function_call stands before it, and the backend wants one: a call without arguments is put there');
      const name = sentName(this.#draft, message.name ?? 'function');
      this.#out.push({ role: 'assistant', content: '', tool_calls: [{ id, type: 'function', function: { name, arguments: '{}' } }] });
    }
    this.#open = null;
    const text = flatText(this.#draft, message, `${path}.content`);
    this.#out.push({ role: 'tool', tool_call_id: id, content: notEmpty(this.#draft, text, path, this.#rules.emptyText) });
  }

  /** The conversation goes on: a call that waits gets an empty answer. */
  close(): void {
    if (this.#open === null) return;
    this.#draft.receipt.note(
      'messages',
      'emulated',
      'a function_call has no answer, and the backend wants one: an empty one is put there',
      { alters: true },
    );
    this.#out.push({ role: 'tool', tool_call_id: this.#open, content: this.#rules.emptyText });
    this.#open = null;
  }
}

/** Made from the place in the request, so that the same conversation always has the same ids (prompt caches). */
const legacyId = (index: number): string => `call_legacy_${index}`;
