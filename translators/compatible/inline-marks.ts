import type { ChatEvents, Citation, FinishReason, Usage } from '../../openai/chat/events.ts';

/** Passes events on; what a subclass holds back of a text leaves before the choice goes on to calls or ends. */
abstract class TextFilter implements ChatEvents {
  protected readonly next: ChatEvents;

  constructor(next: ChatEvents) {
    this.next = next;
  }

  abstract text(choice: number, text: string, logprobs?: readonly unknown[]): void;
  protected abstract flush(choice: number): void;

  reasoning(choice: number, text: string): void {
    this.next.reasoning(choice, text);
  }

  tool(choice: number, call: number, id: string, name: string): void {
    this.flush(choice);
    this.next.tool(choice, call, id, name);
  }

  args(choice: number, call: number, piece: string): void {
    this.next.args(choice, call, piece);
  }

  citations(choice: number, list: readonly Citation[]): void {
    this.next.citations(choice, list);
  }

  finish(choice: number, reason: FinishReason): void {
    this.flush(choice);
    this.next.finish(choice, reason);
  }

  usage(usage: Usage): void {
    this.next.usage(usage);
  }
}

const OPEN = '<think>';
const CLOSE = '</think>';
/** White space that may stand before `<think>`, in UTF-16 code units; a text that begins with more is taken as it is. */
const MAX_LEAD = 64;

interface ThoughtState {
  mode: 'start' | 'thinking' | 'text';
  held: string;
  /** The line breaks beside the marks belong to them. */
  skipSpace: boolean;
}

/**
 * Makes reasoning out of `<think>…</think>` at the beginning of a text, however its pieces are split. Only there: the same
 * words later in an answer are the answer's own. An unclosed thought is reasoning to its end.
 */
export class InlineThinking extends TextFilter {
  readonly #choices = new Map<number, ThoughtState>();

  text(choice: number, text: string, logprobs?: readonly unknown[]): void {
    let state = this.#choices.get(choice);
    if (state === undefined) this.#choices.set(choice, (state = { mode: 'start', held: '', skipSpace: false }));
    if (state.mode === 'text' && !state.skipSpace) {
      this.next.text(choice, text, logprobs);
      return;
    }
    state.held += text;
    if (state.mode === 'start') this.#start(state);
    if (state.mode === 'thinking') this.#think(choice, state);
    if (state.mode === 'text') this.#say(choice, state);
  }

  #start(state: ThoughtState): void {
    const begun = state.held.trimStart();
    if (state.held.length - begun.length > MAX_LEAD || !(begun.startsWith(OPEN) || OPEN.startsWith(begun))) {
      state.mode = 'text';
    } else if (begun.startsWith(OPEN)) {
      state.mode = 'thinking';
      state.held = begun.slice(OPEN.length);
      state.skipSpace = true;
    }
  }

  #think(choice: number, state: ThoughtState): void {
    if (!skipped(state)) return;
    const end = state.held.indexOf(CLOSE);
    if (end >= 0) {
      if (end > 0) this.next.reasoning(choice, state.held.slice(0, end));
      state.mode = 'text';
      state.held = state.held.slice(end + CLOSE.length);
      state.skipSpace = true;
      return;
    }
    const sure = state.held.length - openEnd(state.held, CLOSE);
    if (sure > 0) this.next.reasoning(choice, state.held.slice(0, sure));
    state.held = state.held.slice(sure);
  }

  #say(choice: number, state: ThoughtState): void {
    if (!skipped(state)) return;
    this.next.text(choice, state.held);
    state.held = '';
  }

  protected flush(choice: number): void {
    const state = this.#choices.get(choice);
    if (state === undefined || state.held === '') return;
    if (state.mode === 'thinking') this.next.reasoning(choice, state.held);
    else this.next.text(choice, state.held);
    state.held = '';
  }
}

/** Takes white space off the front where it belongs to a mark; false while nothing else has come. */
function skipped(state: ThoughtState): boolean {
  if (!state.skipSpace) return true;
  state.held = state.held.trimStart();
  if (state.held === '') return false;
  state.skipSpace = false;
  return true;
}

/** Takes marks of a model's own format out of its text, however they are split. */
export class WithoutMarks extends TextFilter {
  readonly #marks: readonly string[];
  readonly #held = new Map<number, string>();

  constructor(next: ChatEvents, marks: readonly string[]) {
    super(next);
    this.#marks = marks;
  }

  text(choice: number, text: string, logprobs?: readonly unknown[]): void {
    const held = this.#held.get(choice) ?? '';
    if (held === '' && !this.#marks.some((mark) => text.includes(mark[0] as string))) {
      this.next.text(choice, text, logprobs);
      return;
    }
    let whole = held + text;
    for (const mark of this.#marks) whole = whole.replaceAll(mark, '');
    const open = Math.max(...this.#marks.map((mark) => openEnd(whole, mark)));
    this.#held.set(choice, whole.slice(whole.length - open));
    if (open < whole.length) this.next.text(choice, whole.slice(0, whole.length - open));
  }

  protected flush(choice: number): void {
    const held = this.#held.get(choice) ?? '';
    if (held === '') return;
    this.#held.delete(choice);
    this.next.text(choice, held);
  }
}

/** How many characters at the end of the text may be the beginning of the mark. */
function openEnd(text: string, mark: string): number {
  for (let length = Math.min(text.length, mark.length - 1); length > 0; length--) {
    if (text.endsWith(mark.slice(0, length))) return length;
  }
  return 0;
}
