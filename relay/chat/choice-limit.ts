import type { ChatEvents, Citation, FinishReason, Usage } from '../../openai/chat/events.ts';

/**
 * Early in a leg's chain: choices beyond those asked for go no further. A backend that makes more would otherwise give the caller choices
 * that were never asked for, or, where each choice is a call of its own, mix two calls' texts into one choice.
 */
export class ChoiceLimit implements ChatEvents {
  readonly #next: ChatEvents;
  readonly #choices: number;

  constructor(next: ChatEvents, choices: number) {
    this.#next = next;
    this.#choices = choices;
  }

  text(choice: number, text: string, logprobs?: readonly unknown[]): void {
    if (choice < this.#choices) this.#next.text(choice, text, logprobs);
  }

  reasoning(choice: number, text: string): void {
    if (choice < this.#choices) this.#next.reasoning(choice, text);
  }

  tool(choice: number, call: number, id: string, name: string): void {
    if (choice < this.#choices) this.#next.tool(choice, call, id, name);
  }

  args(choice: number, call: number, piece: string): void {
    if (choice < this.#choices) this.#next.args(choice, call, piece);
  }

  citations(choice: number, list: readonly Citation[]): void {
    if (choice < this.#choices) this.#next.citations(choice, list);
  }

  finish(choice: number, reason: FinishReason): void {
    if (choice < this.#choices) this.#next.finish(choice, reason);
  }

  usage(usage: Usage): void {
    this.#next.usage(usage);
  }
}
