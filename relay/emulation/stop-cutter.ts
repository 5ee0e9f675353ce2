import type { ChatEvents, Citation, FinishReason, Usage } from '../../openai/chat/events.ts';
import { probabilitiesOf } from './token-probabilities.ts';

interface ChoiceState {
  /** The end of the text so far, as long as it may be the beginning of a stop word. */
  held: string;
  /** Nothing goes out any more. */
  over: boolean;
  /** And that because of a stop word. */
  cut: boolean;
}

/**
 * Ends a choice before the first stop word, for vendors that take fewer or shorter ones. Text is held back only while it
 * may turn out to be the beginning of a stop word. What comes after the cut is swallowed.
 */
export class StopCutter implements ChatEvents {
  readonly #next: ChatEvents;
  readonly #words: readonly string[];
  readonly #longest: number;
  readonly #choices: ChoiceState[] = [];
  #open = 0;

  constructor(next: ChatEvents, words: readonly string[]) {
    this.#next = next;
    this.#words = words;
    this.#longest = Math.max(...words.map((word) => word.length));
  }

  /** True when every choice seen has been cut: the vendor need not go on. */
  get allCut(): boolean {
    return this.#choices.length > 0 && this.#open === 0;
  }

  /** True when a stop word ended this choice. */
  wasCut(choice: number): boolean {
    return this.#choices[choice]?.cut === true;
  }

  text(choice: number, text: string, logprobs?: readonly unknown[]): void {
    const state = this.#state(choice);
    if (state.over) return;
    const whole = state.held + text;
    const at = this.#firstWord(whole);
    if (at >= 0) {
      state.held = '';
      const end = at - (whole.length - text.length);
      const told = logprobs === undefined || end <= 0 ? undefined : probabilitiesOf(logprobs, text, 0, end);
      if (at > 0) this.#next.text(choice, whole.slice(0, at), told);
      this.#cut(choice, state);
      return;
    }
    const keep = this.#overlap(whole);
    state.held = whole.slice(whole.length - keep);
    const out = whole.slice(0, whole.length - keep);
    if (out !== '' || logprobs !== undefined) this.#next.text(choice, out, logprobs);
  }

  reasoning(choice: number, text: string): void {
    if (!this.#state(choice).over) this.#next.reasoning(choice, text);
  }

  tool(choice: number, call: number, id: string, name: string): void {
    const state = this.#state(choice);
    if (state.over) return;
    this.#release(choice, state);
    this.#next.tool(choice, call, id, name);
  }

  args(choice: number, call: number, piece: string): void {
    if (!this.#state(choice).over) this.#next.args(choice, call, piece);
  }

  citations(choice: number, list: readonly Citation[]): void {
    if (!this.#state(choice).over) this.#next.citations(choice, list);
  }

  finish(choice: number, reason: FinishReason): void {
    const state = this.#state(choice);
    if (state.over) return;
    this.#release(choice, state);
    state.over = true;
    this.#open--;
    this.#next.finish(choice, reason);
  }

  usage(usage: Usage): void {
    this.#next.usage(usage);
  }

  #cut(choice: number, state: ChoiceState): void {
    state.over = true;
    state.cut = true;
    this.#open--;
    this.#next.finish(choice, 'stop');
  }

  #release(choice: number, state: ChoiceState): void {
    if (state.held !== '') this.#next.text(choice, state.held);
    state.held = '';
  }

  /**
   * Where to cut: before the word that becomes whole first, as a model does that stops by itself, and before the longest of those that end
   * together. So the result does not depend on how the text was split.
   */
  #firstWord(text: string): number {
    let first = -1;
    let firstEnd = Number.POSITIVE_INFINITY;
    for (const word of this.#words) {
      const at = text.indexOf(word);
      const end = at + word.length;
      if (at < 0 || end > firstEnd || (end === firstEnd && at > first)) continue;
      first = at;
      firstEnd = end;
    }
    return first;
  }

  /** Length of the longest end of `text` that some stop word begins with. */
  #overlap(text: string): number {
    for (let length = Math.min(this.#longest - 1, text.length); length > 0; length--) {
      const tail = text.slice(text.length - length);
      if (this.#words.some((word) => word.startsWith(tail))) return length;
    }
    return 0;
  }

  #state(choice: number): ChoiceState {
    const known = this.#choices[choice];
    if (known !== undefined) return known;
    this.#open++;
    const state: ChoiceState = { held: '', over: false, cut: false };
    this.#choices[choice] = state;
    return state;
  }
}
