import type { ChatEvents, FinishReason, Usage } from '../../openai/chat/events.ts';
import { OpenAIError } from '../../openai/errors.ts';
import type { FrameReader } from '../translator.ts';
import type { WireAnswer, WireChoice, WireMessage, WireToolCall, WireUsage } from './wire.ts';

/** Where vendors differ in what they answer. */
export interface AnswerDialect {
  /** The vendor's finish word in OpenAI's. @throws OpenAIError when the word means that the answer failed */
  finish(word: string): FinishReason;
  /** An error that came inside an answer; `json` is the whole payload. */
  error(json: string): OpenAIError;
  /** True when a payload that parsed is an error. */
  isError(answer: WireAnswer): boolean;
  /** Says that a choice must end here, whatever its finish word (moderation marks); null for "go on". */
  verdict?(choice: WireChoice): { readonly showText: boolean; readonly finish: FinishReason } | null;
  /** Who listens to the answer, told from its first payload: models that print marks into their text need a filter between. */
  listener?(answer: WireAnswer, events: ChatEvents): ChatEvents;
}

interface OpenCall {
  /** From 0 in the order in which calls were opened; what never gets a name (a vendor's own tools) takes no number. */
  number: number;
  readonly id: string;
  opened: boolean;
  /** Arguments that came before the name. */
  early: string;
  hasArgs: boolean;
}

interface ChoiceState {
  readonly calls: OpenCall[];
  /** Key → call: the vendor's index where it has one, else its id. */
  readonly byKey: Map<number | string, OpenCall>;
  opened: number;
  finished: boolean;
}

/** More choices, or calls, than any answer has; an index beyond it is garbage. */
const MAX_INDEX = 1024;

/**
 * Reads OpenAI-shaped answers, whole or framed, and absorbs the ways in which vendors bend the shape: a missing
 * `finish_reason` key, `id: ""` or `name: null` on later fragments, ids repeated, no `index`, arguments that are null or an
 * object or ride on the finish frame, usage on its own frame, on the finish frame or on every frame, a role in every delta.
 */
export class AnswerReader implements FrameReader {
  #events: ChatEvents;
  #begun = false;
  readonly #dialect: AnswerDialect;
  readonly #choices: ChoiceState[] = [];
  #open = 0;
  #done = false;

  constructor(events: ChatEvents, dialect: AnswerDialect) {
    this.#events = events;
    this.#dialect = dialect;
  }

  get finished(): boolean {
    return this.#choices.length > 0 && this.#open === 0;
  }

  frame(data: string): void {
    // A trailing `[DONE]` says nothing by itself: an answer is complete when its choices have finished.
    if (data === '' || data.startsWith('[DONE]')) {
      this.#done ||= data !== '';
      return;
    }
    if (this.#done) return;
    let answer: WireAnswer;
    try {
      answer = JSON.parse(data) as WireAnswer;
    } catch (error) {
      throw new OpenAIError('upstream_invalid_response', 'The backend sent a frame that is not JSON.', { cause: error, fallback: true });
    }
    this.#answer(answer, data);
  }

  /** A whole body, already parsed. */
  whole(body: unknown): void {
    const answer = (body ?? {}) as WireAnswer;
    this.#answer(answer, JSON.stringify(body));
    if (!this.finished) {
      throw new OpenAIError('upstream_invalid_response', "The backend's answer does not say that it is complete.", { fallback: true });
    }
  }

  end(): void {
    if (!this.finished) {
      throw new OpenAIError('upstream_truncated', 'The backend closed the stream before its answer was complete.', { fallback: true });
    }
  }

  #answer(answer: WireAnswer, json: string): void {
    if (typeof answer !== 'object' || answer === null || this.#dialect.isError(answer)) throw this.#dialect.error(json);
    if (!this.#begun) {
      this.#begun = true;
      this.#events = this.#dialect.listener?.(answer, this.#events) ?? this.#events;
    }
    const choices = answer.choices;
    if (Array.isArray(choices)) for (const choice of choices) if (choice) this.#choice(choice);
    if (answer.usage) {
      const usage = readUsage(answer.usage);
      if (usage !== null) this.#events.usage(usage);
    }
  }

  #choice(choice: WireChoice): void {
    const index = choice.index ?? 0;
    if (!Number.isInteger(index) || index < 0 || index >= MAX_INDEX) {
      throw new OpenAIError('upstream_invalid_response', 'The backend sent a choice without a usable index.', { fallback: true });
    }
    const state = this.#state(index);
    const message = choice.delta ?? choice.message;
    const verdict = this.#dialect.verdict?.(choice) ?? null;
    if (message && !state.finished && verdict?.showText !== false) this.#message(index, state, message, choice);
    if (state.finished) return;
    if (verdict !== null) this.#finish(index, state, verdict.finish);
    else if (typeof choice.finish_reason === 'string' && choice.finish_reason !== '') {
      this.#finish(index, state, this.#dialect.finish(choice.finish_reason));
    }
  }

  #message(index: number, state: ChoiceState, message: WireMessage, choice: WireChoice): void {
    const reasoning = message.reasoning_content;
    if (typeof reasoning === 'string' && reasoning !== '') this.#events.reasoning(index, reasoning);
    const content = message.content;
    const text = typeof content === 'string' ? content : Array.isArray(content) ? content.map((part) => part?.text ?? '').join('') : '';
    const logprobs = choice.logprobs?.content;
    if (Array.isArray(logprobs) && logprobs.length > 0) this.#events.text(index, text, logprobs);
    else if (text !== '') this.#events.text(index, text);
    if (Array.isArray(message.tool_calls)) for (const call of message.tool_calls) if (call) this.#call(index, state, call);
  }

  #call(index: number, state: ChoiceState, wire: WireToolCall): void {
    const id = wire.id || '';
    const call = this.#find(state, wire.index ?? null, id);
    const name = wire.function?.name || '';
    const raw = wire.function?.arguments;
    const piece = typeof raw === 'string' ? raw : raw ? JSON.stringify(raw) : '';
    if (!call.opened && name !== '') {
      call.opened = true;
      call.number = state.opened++;
      this.#events.tool(index, call.number, call.id, name);
      if (call.early !== '') this.#args(index, call, call.early);
    }
    if (piece === '') return;
    if (call.opened) this.#args(index, call, piece);
    else call.early += piece;
  }

  #args(index: number, call: OpenCall, piece: string): void {
    call.hasArgs = true;
    this.#events.args(index, call.number, piece);
  }

  /** By index; where there is none, by id; a fragment without either belongs to the last call. */
  #find(state: ChoiceState, wireIndex: number | null, id: string): OpenCall {
    const key = wireIndex ?? (id === '' ? null : id);
    const known = key === null ? state.calls.at(-1) : state.byKey.get(key);
    if (known !== undefined) return known;
    const call: OpenCall = { number: -1, id, opened: false, early: '', hasArgs: false };
    state.calls.push(call);
    if (key !== null) state.byKey.set(key, call);
    return call;
  }

  #finish(index: number, state: ChoiceState, word: FinishReason): void {
    const calls = state.calls.filter((call) => call.opened);
    for (const call of calls) if (!call.hasArgs) this.#args(index, call, '{}');
    state.finished = true;
    this.#open--;
    // Some models call functions and say `stop`; some say `tool_calls` and call nothing.
    let reason = word;
    if (word === 'stop' && calls.length > 0) reason = 'tool_calls';
    else if (word === 'tool_calls' && calls.length === 0) reason = 'stop';
    this.#events.finish(index, reason);
  }

  #state(index: number): ChoiceState {
    const known = this.#choices[index];
    if (known !== undefined) return known;
    this.#open++;
    const state: ChoiceState = { calls: [], byKey: new Map(), opened: 0, finished: false };
    this.#choices[index] = state;
    return state;
  }
}

/** Null when it holds no count: zeros on running frames are placeholders. */
function readUsage(usage: WireUsage): Usage | null {
  const prompt = count(usage.prompt_tokens);
  const completion = count(usage.completion_tokens);
  if (prompt === 0 && completion === 0) return null;
  return {
    prompt,
    completion,
    cached: count(usage.prompt_tokens_details?.cached_tokens),
    reasoning: count(usage.completion_tokens_details?.reasoning_tokens),
  };
}

/** Foreign numbers are finite, whole and not negative before anything counts with them. */
const count = (value: number | null | undefined): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
