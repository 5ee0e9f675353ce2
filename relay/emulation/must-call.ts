import type { ChatEvents, Citation, FinishReason, Usage } from '../../openai/chat/events.ts';
import { OpenAIError } from '../../openai/errors.ts';

/** Text held back while the call is awaited, in UTF-16 code units. */
const MAX_HELD = 1024 * 1024;

/**
 * Holds an answer to `tool_choice: "required"` or a named function: nothing but thinking goes out until the call has begun.
 * An answer that ends without it is an error, raised before a caller has seen text, so that the relay can ask once more; but not before the
 * vendor has told what it counted, since it bills the answer all the same. Without a count, whoever sees the end asks for `broken`.
 * `length` and `content_filter` are no broken promise: the model was stopped.
 */
export class MustCall implements ChatEvents {
  readonly #next: ChatEvents;
  readonly #name: string | null;
  readonly #held: { text: string; logprobs: unknown[] | null }[] = [];
  readonly #called = new Set<number>();
  #broken: OpenAIError | null = null;

  constructor(next: ChatEvents, name: string | null) {
    this.#next = next;
    this.#name = name;
  }

  /** Set from the finish that broke the promise. */
  get broken(): OpenAIError | null {
    return this.#broken;
  }

  text(choice: number, text: string, logprobs?: readonly unknown[]): void {
    if (this.#called.has(choice)) {
      this.#next.text(choice, text, logprobs);
      return;
    }
    const held = (this.#held[choice] ??= { text: '', logprobs: null });
    held.text += text;
    if (held.text.length > MAX_HELD) throw unmet(this.#name);
    for (const entry of logprobs ?? []) (held.logprobs ??= []).push(entry);
  }

  reasoning(choice: number, text: string): void {
    this.#next.reasoning(choice, text);
  }

  tool(choice: number, call: number, id: string, name: string): void {
    if (this.#name !== null && name !== this.#name) throw unmet(this.#name);
    if (!this.#called.has(choice)) {
      this.#called.add(choice);
      this.#release(choice);
    }
    this.#next.tool(choice, call, id, name);
  }

  args(choice: number, call: number, piece: string): void {
    this.#next.args(choice, call, piece);
  }

  citations(choice: number, list: readonly Citation[]): void {
    this.#next.citations(choice, list);
  }

  finish(choice: number, reason: FinishReason): void {
    if (!this.#called.has(choice)) {
      if (reason !== 'length' && reason !== 'content_filter') {
        this.#broken = unmet(this.#name);
        return;
      }
      this.#release(choice);
    }
    this.#next.finish(choice, reason);
  }

  usage(usage: Usage): void {
    this.#next.usage(usage);
    if (this.#broken !== null) throw this.#broken;
  }

  #release(choice: number): void {
    const held = this.#held[choice];
    if (held !== undefined && held.text !== '') this.#next.text(choice, held.text, held.logprobs ?? undefined);
    this.#held[choice] = { text: '', logprobs: null };
  }
}

const unmet = (name: string | null): OpenAIError =>
  new OpenAIError(
    'upstream_unmet',
    `The model did not call ${name === null ? 'a function' : `the function '${name}'`}, although it was told to.`,
    { fallback: true },
  );
