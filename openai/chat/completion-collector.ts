import { OpenAIError } from '../errors.ts';
import { toolCallId } from '../ids.ts';
import { Annotations } from './annotations.ts';
import type { AnswerHead, ChatEvents, Citation, FinishReason, Usage } from './events.ts';
import { usageJson } from './events.ts';

interface Call {
  readonly id: string;
  readonly name: string;
  arguments: string;
}

interface Choice {
  content: string;
  reasoning: string;
  readonly calls: Call[];
  readonly annotations: Annotations;
  logprobs: unknown[] | null;
  finish: FinishReason | null;
}

/** Gathers events into one `chat.completion`. The counterpart of `ChunkEncoder` for callers that do not stream. */
export class CompletionCollector implements ChatEvents {
  readonly #head: AnswerHead;
  readonly #choices: Choice[] = [];
  readonly #maxChars: number;
  #chars = 0;
  #usage: Usage | null = null;

  /** @param maxChars bound on everything gathered, in UTF-16 code units; beyond it an event throws `upstream_invalid_response`. */
  constructor(head: AnswerHead, maxChars = 32 * 1024 * 1024) {
    this.#head = head;
    this.#maxChars = maxChars;
  }

  get lastUsage(): Usage | null {
    return this.#usage;
  }

  text(choice: number, text: string, logprobs?: readonly unknown[]): void {
    const state = this.#choice(choice);
    if (state.finish !== null) return;
    this.#count(text);
    state.content += text;
    state.annotations.read(text);
    if (logprobs === undefined) return;
    // One by one: a whole answer's list may be longer than a call takes arguments.
    for (const entry of logprobs) (state.logprobs ??= []).push(entry);
    this.#count(JSON.stringify(logprobs));
  }

  reasoning(choice: number, text: string): void {
    const state = this.#choice(choice);
    if (state.finish !== null || !this.#head.showReasoning) return;
    this.#count(text);
    state.reasoning += text;
  }

  tool(choice: number, call: number, id: string, name: string): void {
    const state = this.#choice(choice);
    if (state.finish !== null) return;
    this.#count(id);
    this.#count(name);
    state.calls[call] = { id: id || toolCallId(), name, arguments: '' };
  }

  args(choice: number, call: number, piece: string): void {
    const state = this.#choice(choice);
    const open = state.calls[call];
    if (state.finish !== null || open === undefined) return;
    this.#count(piece);
    open.arguments += piece;
  }

  citations(choice: number, list: readonly Citation[]): void {
    const state = this.#choice(choice);
    if (state.finish !== null) return;
    this.#count(JSON.stringify(list));
    state.annotations.cite(list);
  }

  finish(choice: number, reason: FinishReason): void {
    this.#choice(choice).finish ??= reason;
  }

  usage(usage: Usage): void {
    this.#usage = usage;
  }

  /** True when every choice has ended: only then may the completion be sent. */
  get complete(): boolean {
    return this.#choices.length > 0 && this.#choices.every((choice) => choice.finish !== null);
  }

  /** The completion as JSON text. */
  json(): string {
    const choices = this.#choices.map((choice, index) => this.#choiceJson(choice, index)).join(',');
    const { id, created, model } = this.#head;
    const usage = this.#usage === null ? '' : `,"usage":${usageJson(this.#usage)}`;
    return `{"id":${JSON.stringify(id)},"object":"chat.completion","created":${created},"model":${JSON.stringify(model)},"choices":[${choices}]${usage}}`;
  }

  #choiceJson(choice: Choice, index: number): string {
    const calls = choice.calls.filter((call) => call !== undefined);
    const content = calls.length > 0 && choice.content === '' ? null : choice.content.toWellFormed();
    const message: Record<string, unknown> = { role: 'assistant', content, refusal: null };
    if (choice.reasoning !== '') message['reasoning_content'] = choice.reasoning.toWellFormed();
    message['annotations'] = choice.annotations.list();
    const first = calls[0];
    if (first !== undefined && this.#head.legacyFunctions) {
      message['function_call'] = { name: first.name, arguments: first.arguments.toWellFormed() };
    } else if (first !== undefined) {
      message['tool_calls'] = calls.map(({ id, name, arguments: text }) => ({
        id,
        type: 'function',
        function: { name, arguments: text.toWellFormed() },
      }));
    }
    const finish = choice.finish === 'tool_calls' && this.#head.legacyFunctions ? 'function_call' : choice.finish;
    const logprobs = choice.logprobs === null ? null : { content: choice.logprobs, refusal: null };
    return JSON.stringify({ index, message, logprobs, finish_reason: finish });
  }

  #choice(index: number): Choice {
    return (this.#choices[index] ??= {
      content: '',
      reasoning: '',
      calls: [],
      annotations: new Annotations(),
      logprobs: null,
      finish: null,
    });
  }

  #count(text: string): void {
    this.#chars += text.length;
    if (this.#chars <= this.#maxChars) return;
    throw new OpenAIError('upstream_invalid_response', `The backend's answer is larger than ${this.#maxChars} characters.`);
  }
}
