import type { ChatEvents, Citation, FinishReason } from '../../openai/chat/events.ts';
import { OpenAIError } from '../../openai/errors.ts';
import type { FrameReader } from '../translator.ts';
import { FrameParser } from './frame-parser.ts';
import { contentText, garbage, isObject, readUsage } from './read-wire.ts';
import type { WireAnswer, WireChoice, WireMessage, WireToolCall } from './wire.ts';

/** Where vendors differ in what they answer. */
export interface AnswerDialect {
  /** The vendor's finish word in OpenAI's. @throws OpenAIError when the word means that the answer failed */
  finish(word: string): FinishReason;
  /** An error that came inside an answer; `json` is the whole payload. */
  error(json: string): OpenAIError;
  /** True when a payload that parsed is an error. */
  isError(answer: WireAnswer): boolean;
  /** The web pages a payload, as it came, says that the answer rests on; null where it says nothing, as most do. */
  citations?(answer: WireAnswer): readonly Citation[] | null;
  /** An answer of another shape in OpenAI's; absent: it has that shape. */
  reshape?(answer: WireAnswer): WireAnswer;
  /** Says that a choice must end here, whatever its finish word (moderation marks); null for "go on". */
  verdict?(choice: WireChoice): { readonly showText: boolean; readonly finish: FinishReason } | null;
}

interface OpenCall {
  /** From 0 in the order in which calls were named; -1 before. What never gets a name (a vendor's own tools) takes no number. */
  number: number;
  id: string;
  name: string;
  /** Index it was found by; null = the vendor sends none. */
  readonly key: unknown;
  /** Arguments that came before the name. */
  early: string;
  hasArgs: boolean;
}

interface ChoiceState {
  readonly calls: OpenCall[];
  /** Key → call: the vendor's index where it has one, else its id. */
  readonly byKey: Map<unknown, OpenCall>;
  opened: number;
  finished: boolean;
  /** The pages told of this choice. */
  cited: readonly Citation[];
}

/** More choices, or calls, than any answer has; beyond it is garbage. */
const MAX_INDEX = 1024;

const NO_PAGES: readonly Citation[] = [];

/**
 * Reads OpenAI-shaped answers, whole or framed, and absorbs the ways in which vendors bend the shape: a missing
 * `finish_reason` key or the word "null", `id: ""` or `name: null` on later fragments, ids repeated, no `index`, arguments that
 * are null or an object or ride on the finish frame, usage on its own frame, on the finish frame or on every frame, a role in
 * every delta. What has no such reading is garbage and an error: a garbled answer must not pass for a whole one.
 */
export class AnswerReader implements FrameReader {
  readonly #events: ChatEvents;
  readonly #dialect: AnswerDialect;
  readonly #parser = new FrameParser();
  readonly #choices: ChoiceState[] = [];
  #citations: readonly Citation[] = NO_PAGES;
  #open = 0;
  #done = false;

  constructor(events: ChatEvents, dialect: AnswerDialect) {
    this.#events = events;
    this.#dialect = dialect;
  }

  get finished(): boolean {
    return this.#choices.length > 0 && this.#open === 0;
  }

  frame(payload: string): void {
    const data = payload.trim();
    // A trailing `[DONE]` says nothing by itself: an answer is complete when its choices have finished.
    if (data === '' || data.startsWith('[DONE]')) {
      this.#done ||= data !== '';
      return;
    }
    if (this.#done) return;
    let answer: WireAnswer;
    try {
      answer = this.#parser.parse(data) as WireAnswer;
    } catch (error) {
      throw new OpenAIError('upstream_invalid_response', 'The backend sent a frame that is not JSON.', { cause: error, fallback: true });
    }
    this.#answer(answer, data);
  }

  /** A whole body, already parsed. */
  whole(body: unknown): void {
    this.#answer(body as WireAnswer, null);
    if (!this.finished) {
      throw new OpenAIError('upstream_invalid_response', "The backend's answer does not say that it is complete.", { fallback: true });
    }
  }

  end(): void {
    if (!this.finished) {
      throw new OpenAIError('upstream_truncated', 'The backend closed the stream before its answer was complete.', { fallback: true });
    }
  }

  /** @param json the payload, where it is at hand */
  #answer(payload: WireAnswer, json: string | null): void {
    if (!isObject(payload)) throw garbage('an answer that is no JSON object');
    if (this.#dialect.isError(payload)) throw this.#dialect.error(json ?? JSON.stringify(payload));
    const cited = this.#dialect.citations?.(payload);
    if (cited != null && cited.length > 0) this.#cite(cited);
    const answer = this.#dialect.reshape?.(payload) ?? payload;
    const choices = answer.choices;
    if (Array.isArray(choices)) for (const choice of choices) if (choice !== null) this.#choice(choice);
    if (isObject(answer.usage)) {
      const usage = readUsage(answer.usage);
      if (usage !== null) this.#events.usage(usage);
    }
  }

  #choice(choice: WireChoice): void {
    if (!isObject(choice)) throw garbage('a choice that is no object');
    const index = choice.index ?? 0;
    if (!Number.isInteger(index) || index < 0 || index >= MAX_INDEX) throw garbage('a choice without a usable index');
    const state = this.#state(index);
    const message = choice.delta ?? choice.message ?? null;
    if (state.cited !== this.#citations && !state.finished) {
      state.cited = this.#citations;
      this.#events.citations(index, state.cited);
    }
    const verdict = this.#dialect.verdict?.(choice) ?? null;
    if (message !== null && !state.finished && verdict?.showText !== false) this.#message(index, state, message, choice);
    if (state.finished) return;
    const word = choice.finish_reason ?? '';
    if (verdict !== null) this.#finish(index, state, verdict.finish);
    else if (typeof word !== 'string') throw garbage('a finish reason that is no word');
    // The word "null" means what the value null does (DashScope's native frames).
    else if (word !== '' && word !== 'null') this.#finish(index, state, this.#dialect.finish(word));
  }

  /** Some vendors repeat the list on every frame. */
  #cite(list: readonly Citation[]): void {
    const known = this.#citations;
    const same =
      list.length === known.length && list.every(({ url, mark }, place) => url === known[place]?.url && mark === known[place].mark);
    if (!same) this.#citations = list;
  }

  #message(index: number, state: ChoiceState, message: WireMessage, choice: WireChoice): void {
    if (!isObject(message)) throw garbage('a message that is no object');
    const reasoning = message.reasoning_content;
    if (typeof reasoning === 'string' && reasoning !== '') this.#events.reasoning(index, reasoning);
    const text = contentText(message.content);
    const logprobs = choice.logprobs?.content;
    if (Array.isArray(logprobs) && logprobs.length > 0) this.#events.text(index, text, logprobs);
    else if (text !== '') this.#events.text(index, text);
    const calls = message.tool_calls;
    if (!Array.isArray(calls)) return;
    // In a whole message each entry is a call; in a delta it is a fragment of one.
    const whole = message !== choice.delta;
    for (let place = 0; place < calls.length; place++) {
      if (isObject(calls[place])) this.#call(index, state, calls[place] as WireToolCall, whole ? place : null);
    }
  }

  #call(index: number, state: ChoiceState, wire: WireToolCall, place: number | null): void {
    const id = typeof wire.id === 'string' ? wire.id : '';
    const name = typeof wire.function?.name === 'string' ? wire.function.name : '';
    const call = this.#find(state, place ?? wire.index ?? null, id, name);
    const raw = wire.function?.arguments;
    const piece = typeof raw === 'string' ? raw : raw ? JSON.stringify(raw) : '';
    if (call.number < 0 && name !== '') {
      call.number = state.opened++;
      call.name = name;
      this.#events.tool(index, call.number, call.id, name);
      if (call.early !== '') this.#args(index, call, call.early);
    }
    if (piece === '') return;
    if (call.number >= 0) this.#args(index, call, piece);
    else call.early += piece;
  }

  #args(index: number, call: OpenCall, piece: string): void {
    call.hasArgs = true;
    this.#events.args(index, call.number, piece);
  }

  /** By index; where there is none, by id; a fragment without either belongs to the last call, unless it names another. */
  #find(state: ChoiceState, key: unknown, id: string, name: string): OpenCall {
    const last = state.calls.at(-1);
    let known: OpenCall | undefined;
    if (key !== null) known = state.byKey.get(key) ?? (id === '' && name === '' && last?.key === null ? last : undefined);
    else if (id !== '') known = state.byKey.get(id);
    else known = last;
    if (known !== undefined && !beginsAnother(known, key, id, name)) {
      if (known.number < 0) known.id ||= this.#unused(state, id);
      return known;
    }
    if (state.calls.length === MAX_INDEX) throw garbage('more tool calls than an answer has');
    const call: OpenCall = { number: -1, key, id: this.#unused(state, id), name: '', early: '', hasArgs: false };
    state.calls.push(call);
    if (key !== null) state.byKey.set(key, call);
    if (id !== '') state.byKey.set(id, call);
    return call;
  }

  /** Two calls of one id would be one to the caller: the second gets an id from the encoder. */
  #unused(state: ChoiceState, id: string): string {
    return state.calls.some((call) => call.id === id) ? '' : id;
  }

  #finish(index: number, state: ChoiceState, word: FinishReason): void {
    for (const call of state.calls) {
      if (call.number >= 0 && !call.hasArgs) this.#args(index, call, '{}');
    }
    state.finished = true;
    this.#open--;
    // Some models call functions and say `stop`; some say `tool_calls` and call nothing.
    let reason = word;
    if (word === 'stop' && state.opened > 0) reason = 'tool_calls';
    else if (word === 'tool_calls' && state.opened === 0) reason = 'stop';
    this.#events.finish(index, reason);
  }

  #state(index: number): ChoiceState {
    const known = this.#choices[index];
    if (known !== undefined) return known;
    this.#open++;
    const state: ChoiceState = { calls: [], byKey: new Map(), opened: 0, finished: false, cited: NO_PAGES };
    this.#choices[index] = state;
    return state;
  }
}

/** A new id or, where there is no id, a new name after arguments: the fragment opens a call, although its index says otherwise. */
function beginsAnother(call: OpenCall, key: unknown, id: string, name: string): boolean {
  if (call.number < 0 || name === '') return false;
  if (id !== '') return call.id !== '' && id !== call.id;
  return key === null && (name !== call.name || call.hasArgs);
}
