import type { ChatEvents, Citation, FinishReason, Usage } from '../../openai/chat/events.ts';
import { OpenAIError } from '../../openai/errors.ts';
import { JsonScanner } from './json-scanner.ts';
import { probabilitiesOf } from './token-probabilities.ts';

/**
 * Checks a JSON text against a schema somewhere off the event loop; resolves to what is wrong with it, or null.
 * Rejects with an OpenAIError `invalid_json_schema` when the schema itself cannot be used, with another error when the check was not made.
 */
export type SchemaCheck = (schema: Readonly<Record<string, unknown>>, text: string) => Promise<string | null>;

interface ChoiceState {
  readonly scanner: JsonScanner;
  text: string;
  /** Something was said before the value. */
  prose: boolean;
  finish: FinishReason | null;
}

/** Of a caller who gave stop words. */
export interface OwnStops {
  /** True when the relay cut the choice before one; what a backend cut by itself it does not tell. */
  wasCut(choice: number): boolean;
}

/** Bound on what is gathered for the check, in UTF-16 code units. */
const MAX_TEXT = 4 * 1024 * 1024;

/**
 * Holds an answer to a JSON mode that the vendor has not: only the JSON value goes out, and the finish waits until the value has
 * been found whole and, where there is a schema, valid. A stream shows the value as it grows, but ends in an error rather
 * than in `stop` when it turns out wrong. A value that one of the caller's own stop words cut is what the caller asked for.
 */
export class JsonGuard implements ChatEvents {
  readonly #next: ChatEvents;
  readonly #schema: Readonly<Record<string, unknown>> | null;
  readonly #check: SchemaCheck;
  readonly #stops: OwnStops | null;
  readonly #choices: ChoiceState[] = [];

  constructor(next: ChatEvents, schema: Readonly<Record<string, unknown>> | null, check: SchemaCheck, stops: OwnStops | null = null) {
    this.#next = next;
    this.#schema = schema;
    this.#check = check;
    this.#stops = stops;
  }

  text(choice: number, text: string, logprobs?: readonly unknown[]): void {
    const state = this.#state(choice);
    const part = state.scanner.take(text);
    if (part === '') {
      state.prose ||= /\S/.test(text);
      return;
    }
    state.text += part;
    if (state.text.length > MAX_TEXT) throw unmet('it is too long to be checked');
    if (logprobs === undefined) {
      this.#next.text(choice, part);
      return;
    }
    // The part is the beginning of the text, or begins with its first bracket.
    const start = text.indexOf(part);
    this.#next.text(choice, part, probabilitiesOf(logprobs, text, start, start + part.length));
  }

  reasoning(choice: number, text: string): void {
    this.#next.reasoning(choice, text);
  }

  tool(choice: number, call: number, id: string, name: string): void {
    this.#next.tool(choice, call, id, name);
  }

  args(choice: number, call: number, piece: string): void {
    this.#next.args(choice, call, piece);
  }

  citations(choice: number, list: readonly Citation[]): void {
    this.#next.citations(choice, list);
  }

  finish(choice: number, reason: FinishReason): void {
    this.#state(choice).finish ??= reason;
  }

  usage(usage: Usage): void {
    this.#next.usage(usage);
  }

  /**
   * Checks what has come and lets the finishes through.
   * @throws OpenAIError `upstream_unmet`, `invalid_json_schema`, `draining` when the relay could not check
   */
  async settle(): Promise<void> {
    for (const [choice, state] of this.#choices.entries()) {
      if (state === undefined || state.finish === null) continue;
      if (state.finish === 'stop' && !this.#endedEarly(choice, state)) await this.#verify(state);
      this.#next.finish(choice, state.finish);
    }
  }

  /** A stop word may also come before the value has begun; prose and no value is no such answer. */
  #endedEarly(choice: number, { scanner, text, prose }: ChoiceState): boolean {
    if (this.#stops === null) return false;
    return this.#stops.wasCut(choice) || (!scanner.complete && (text !== '' || !prose));
  }

  async #verify(state: ChoiceState): Promise<void> {
    if (!state.scanner.complete) throw unmet('it holds no whole JSON value');
    try {
      JSON.parse(state.text);
    } catch {
      throw unmet('it is not valid JSON');
    }
    const fault = this.#schema === null ? null : await this.#check(this.#schema, state.text);
    if (fault !== null) throw unmet(fault);
  }

  #state(choice: number): ChoiceState {
    return (this.#choices[choice] ??= { scanner: new JsonScanner(), text: '', prose: false, finish: null });
  }
}

const unmet = (why: string): OpenAIError =>
  new OpenAIError('upstream_unmet', `The model's answer does not keep to 'response_format': ${why.slice(0, 300)}.`, { fallback: true });
