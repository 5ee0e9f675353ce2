import type { ChatEvents, Citation, FinishReason, Usage } from '../../openai/chat/events.ts';

/** What the filter does with tool calls. */
export interface CallFilterRules {
  /** Only call 0 of each choice goes on. */
  readonly firstOnly: boolean;
  /** No call goes on; a choice that ended in calls ends in `stop`. */
  readonly none: boolean;
  /** Names as the vendor knows them → as the caller does. */
  readonly names: ReadonlyMap<string, string> | undefined;
}

/** Swallows and renames tool calls: `parallel_tool_calls: false`, `tool_choice: "none"`, reserved function names. */
export class CallFilter implements ChatEvents {
  readonly #next: ChatEvents;
  readonly #rules: CallFilterRules;

  constructor(next: ChatEvents, rules: CallFilterRules) {
    this.#next = next;
    this.#rules = rules;
  }

  text(choice: number, text: string, logprobs?: readonly unknown[]): void {
    this.#next.text(choice, text, logprobs);
  }

  reasoning(choice: number, text: string): void {
    this.#next.reasoning(choice, text);
  }

  tool(choice: number, call: number, id: string, name: string): void {
    if (this.#passes(call)) this.#next.tool(choice, call, id, this.#rules.names?.get(name) ?? name);
  }

  args(choice: number, call: number, piece: string): void {
    if (this.#passes(call)) this.#next.args(choice, call, piece);
  }

  citations(choice: number, list: readonly Citation[]): void {
    this.#next.citations(choice, list);
  }

  finish(choice: number, reason: FinishReason): void {
    this.#next.finish(choice, reason === 'tool_calls' && this.#rules.none ? 'stop' : reason);
  }

  usage(usage: Usage): void {
    this.#next.usage(usage);
  }

  #passes(call: number): boolean {
    return !this.#rules.none && (call === 0 || !this.#rules.firstOnly);
  }
}
