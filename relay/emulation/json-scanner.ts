/**
 * Finds the first JSON object or array in text that arrives in pieces, and lets exactly it through: Markdown fences and prose
 * around it stay out. Linear, constant memory; brackets inside strings do not count.
 */
export class JsonScanner {
  #depth = 0;
  #inString = false;
  #escaped = false;
  #state: 'before' | 'inside' | 'after' = 'before';

  /** True once the value is whole. */
  get complete(): boolean {
    return this.#state === 'after';
  }

  /** The part of this piece that belongs to the value. */
  take(piece: string): string {
    if (this.#state === 'after') return '';
    let from = 0;
    if (this.#state === 'before') {
      from = piece.search(/[{[]/);
      if (from < 0) return '';
      this.#state = 'inside';
    }
    for (let index = from; index < piece.length; index++) {
      if (this.#step(piece.charCodeAt(index))) {
        this.#state = 'after';
        return piece.slice(from, index + 1);
      }
    }
    return piece.slice(from);
  }

  /** Feeds one code unit; true when it closes the value. */
  #step(code: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (code === 0x5c) this.#escaped = true;
      else if (code === 0x22) this.#inString = false;
      return false;
    }
    if (code === 0x22) this.#inString = true;
    else if (code === 0x7b || code === 0x5b) this.#depth++;
    else if (code === 0x7d || code === 0x5d) return --this.#depth === 0;
    return false;
  }
}
