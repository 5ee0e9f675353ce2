/**
 * Keeps an emoji whole that a vendor cut in two: a chunk's JSON may end in `\ud83d` and the next begin with `\ude00`.
 * One per text channel. A half that never finds its partner becomes U+FFFD, so that what goes out is well-formed.
 */
export class SurrogateJoin {
  #held = '';

  /** The text that can go out now; a trailing high surrogate waits for the next call. */
  join(text: string): string {
    const whole = this.#held === '' ? text : this.#held + text;
    this.#held = '';
    const last = whole.charCodeAt(whole.length - 1);
    if (last >= 0xd800 && last <= 0xdbff) {
      this.#held = whole.slice(-1);
      return wellFormed(whole.slice(0, -1));
    }
    return wellFormed(whole);
  }

  /** What still waits, once the channel is over. */
  rest(): string {
    if (this.#held === '') return '';
    this.#held = '';
    return '\ufffd';
  }
}

const wellFormed = (text: string): string => (text.isWellFormed() ? text : text.toWellFormed());
