import type { ChatEvents, Citation, FinishReason, Usage } from '../../openai/chat/events.ts';

/** What one choice said, as far as it is kept. */
export interface SaidChoice {
  content: string;
  reasoning: string;
  readonly calls: { readonly name: string; arguments: string }[];
}

/** What was said to a caller whose team has its prompts logged. For the log alone: no record, no book, no trace has a field for it. */
export interface Said {
  readonly choices: readonly SaidChoice[];
  /** UTF-16 code units that were said beyond the bound, and are not kept. */
  readonly cutChars: number;
}

/** Kept of an answer, all choices together. */
export const MOST_SAID = 16 * 1024;
/** Kept of its tool calls, names and all. */
const MOST_CALLS = 128;

/** Between meter and encoder: keeps what goes by, up to a bound. Thinking that is hidden from the caller is not kept either. */
export class Transcript implements ChatEvents {
  readonly #next: ChatEvents;
  readonly #showReasoning: boolean;
  readonly #choices = new Map<number, SaidChoice>();
  #left = MOST_SAID;
  #cut = 0;

  constructor(next: ChatEvents, showReasoning: boolean) {
    this.#next = next;
    this.#showReasoning = showReasoning;
  }

  get said(): Said {
    return { choices: [...this.#choices.entries()].sort(([a], [b]) => a - b).map(([, choice]) => choice), cutChars: this.#cut };
  }

  text(choice: number, text: string, logprobs?: readonly unknown[]): void {
    this.#choice(choice).content += this.#kept(text);
    this.#next.text(choice, text, logprobs);
  }

  reasoning(choice: number, text: string): void {
    if (this.#showReasoning) this.#choice(choice).reasoning += this.#kept(text);
    this.#next.reasoning(choice, text);
  }

  tool(choice: number, call: number, id: string, name: string): void {
    if (call < MOST_CALLS) this.#choice(choice).calls[call] = { name: this.#kept(name), arguments: '' };
    else this.#cut += name.length;
    this.#next.tool(choice, call, id, name);
  }

  args(choice: number, call: number, piece: string): void {
    const open = this.#choice(choice).calls[call];
    if (open === undefined) this.#cut += piece.length;
    else open.arguments += this.#kept(piece);
    this.#next.args(choice, call, piece);
  }

  citations(choice: number, list: readonly Citation[]): void {
    this.#next.citations(choice, list);
  }

  finish(choice: number, reason: FinishReason): void {
    this.#next.finish(choice, reason);
  }

  usage(usage: Usage): void {
    this.#next.usage(usage);
  }

  #choice(index: number): SaidChoice {
    let choice = this.#choices.get(index);
    if (choice === undefined) this.#choices.set(index, (choice = { content: '', reasoning: '', calls: [] }));
    return choice;
  }

  #kept(text: string): string {
    const kept = text.length <= this.#left ? text : text.slice(0, this.#left);
    this.#left -= kept.length;
    this.#cut += text.length - kept.length;
    return kept;
  }
}
