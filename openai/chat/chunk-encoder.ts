import { toolCallId } from '../ids.ts';
import { Annotations } from './annotations.ts';
import type { AnswerHead, ChatEvents, Citation, FinishReason, Usage } from './events.ts';
import { usageJson } from './events.ts';
import { SurrogateJoin } from './surrogates.ts';

interface ChoiceState {
  /** Everything of a chunk up to the delta. */
  readonly head: string;
  readonly content: SurrogateJoin;
  readonly reasoning: SurrogateJoin;
  readonly args: SurrogateJoin;
  readonly annotations: Annotations;
  /** Call whose arguments `args` joins. */
  argsOf: number;
  started: boolean;
  finished: boolean;
}

/**
 * Writes events as `chat.completion.chunk` frames in OpenAI's form: role in the first delta of each choice only, id and
 * name of a tool call once, one last chunk with an empty delta, `usage` on a chunk of its own when asked for.
 *
 * Frames collect in a string until `take`: all frames of one network read leave in one write. Only caller text passes
 * through JSON.stringify; the rest of a frame is made once per stream.
 */
export class ChunkEncoder implements ChatEvents {
  readonly #head: AnswerHead;
  readonly #tail: string;
  readonly #before: string;
  readonly #includeUsage: boolean;
  readonly #choices: ChoiceState[] = [];
  #out = '';
  #chunks = 0;
  #usage: Usage | null = null;

  constructor(head: AnswerHead, includeUsage: boolean) {
    this.#head = head;
    this.#includeUsage = includeUsage;
    this.#before = `data: {"id":${JSON.stringify(head.id)},"object":"chat.completion.chunk","created":${head.created},"model":${JSON.stringify(head.model)},"choices":[`;
    this.#tail = includeUsage
      ? `,"logprobs":null,"finish_reason":null}],"usage":null}\n\n`
      : `,"logprobs":null,"finish_reason":null}]}\n\n`;
  }

  /** True once there is something a caller would see. */
  get pending(): boolean {
    return this.#out !== '';
  }

  /** Written so far; `[DONE]` is none. */
  get chunks(): number {
    return this.#chunks;
  }

  get lastUsage(): Usage | null {
    return this.#usage;
  }

  /** The frames written since the last call. */
  take(): string {
    const out = this.#out;
    this.#out = '';
    return out;
  }

  text(choice: number, text: string, logprobs?: readonly unknown[]): void {
    const state = this.#choice(choice);
    if (state.finished) return;
    const whole = state.content.join(text);
    if (whole === '' && logprobs === undefined) return;
    this.#start(state, '""');
    state.annotations.read(whole);
    this.#chunks++;
    if (logprobs === undefined) this.#out += `${state.head}{"content":${JSON.stringify(whole)}}${this.#tail}`;
    else {
      const usage = this.#includeUsage ? ',"usage":null' : '';
      this.#out += `${state.head}{"content":${JSON.stringify(whole)}},"logprobs":{"content":${JSON.stringify(logprobs)},"refusal":null},"finish_reason":null}]${usage}}\n\n`;
    }
  }

  reasoning(choice: number, text: string): void {
    if (!this.#head.showReasoning) return;
    const state = this.#choice(choice);
    if (state.finished) return;
    const whole = state.reasoning.join(text);
    if (whole === '') return;
    this.#start(state, '""');
    this.#chunks++;
    this.#out += `${state.head}{"reasoning_content":${JSON.stringify(whole)}}${this.#tail}`;
  }

  tool(choice: number, call: number, id: string, name: string): void {
    const state = this.#choice(choice);
    if (state.finished) return;
    this.#start(state, 'null');
    this.#endArgs(state);
    this.#chunks++;
    this.#out += this.#head.legacyFunctions
      ? `${state.head}{"function_call":{"name":${JSON.stringify(name)},"arguments":""}}${this.#tail}`
      : `${state.head}{"tool_calls":[{"index":${call},"id":${JSON.stringify(id || toolCallId())},"type":"function","function":{"name":${JSON.stringify(name)},"arguments":""}}]}${this.#tail}`;
  }

  args(choice: number, call: number, piece: string): void {
    const state = this.#choice(choice);
    if (state.finished) return;
    if (call !== state.argsOf) this.#endArgs(state);
    state.argsOf = call;
    const whole = state.args.join(piece);
    if (whole !== '') this.#argsChunk(state, call, JSON.stringify(whole));
  }

  #argsChunk(state: ChoiceState, call: number, json: string): void {
    this.#chunks++;
    this.#out += this.#head.legacyFunctions
      ? `${state.head}{"function_call":{"arguments":${json}}}${this.#tail}`
      : `${state.head}{"tool_calls":[{"index":${call},"function":{"arguments":${json}}}]}${this.#tail}`;
  }

  #endArgs(state: ChoiceState): void {
    const rest = state.args.rest();
    if (rest !== '') this.#argsChunk(state, state.argsOf, `"${rest}"`);
  }

  citations(choice: number, list: readonly Citation[]): void {
    const state = this.#choice(choice);
    if (!state.finished) state.annotations.cite(list);
  }

  finish(choice: number, reason: FinishReason): void {
    const state = this.#choice(choice);
    if (state.finished) return;
    this.#start(state, '""');
    const reasoning = state.reasoning.rest();
    if (reasoning !== '') this.#chunk(state, `{"reasoning_content":"${reasoning}"}`);
    const content = state.content.rest();
    if (content !== '') this.#chunk(state, `{"content":"${content}"}`);
    this.#endArgs(state);
    const annotations = state.annotations.list();
    if (annotations.length > 0) this.#chunk(state, `{"annotations":${JSON.stringify(annotations)}}`);
    state.finished = true;
    this.#chunks++;
    const word = reason === 'tool_calls' && this.#head.legacyFunctions ? 'function_call' : reason;
    this.#out += `${state.head}{},"logprobs":null,"finish_reason":"${word}"}]${this.#includeUsage ? ',"usage":null' : ''}}\n\n`;
  }

  usage(usage: Usage): void {
    this.#usage = usage;
  }

  /** Ends a stream that is complete: the usage chunk if asked for, then `[DONE]`. */
  done(): void {
    if (this.#includeUsage && this.#usage !== null) {
      this.#chunks++;
      this.#out += `${this.#before}],"usage":${usageJson(this.#usage)}}\n\n`;
    }
    this.#out += 'data: [DONE]\n\n';
  }

  #choice(index: number): ChoiceState {
    return (this.#choices[index] ??= {
      head: `${this.#before}{"index":${index},"delta":`,
      content: new SurrogateJoin(),
      reasoning: new SurrogateJoin(),
      args: new SurrogateJoin(),
      annotations: new Annotations(),
      argsOf: 0,
      started: false,
      finished: false,
    });
  }

  /** `content` is null when the answer begins with a tool call, as OpenAI sends it. */
  #start(state: ChoiceState, content: '""' | 'null'): void {
    if (state.started) return;
    state.started = true;
    this.#chunk(state, `{"role":"assistant","content":${content},"refusal":null}`);
  }

  #chunk({ head }: ChoiceState, delta: string): void {
    this.#chunks++;
    this.#out += `${head}${delta}${this.#tail}`;
  }
}
