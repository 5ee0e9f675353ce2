interface Kept {
  readonly key: string;
  /** JSON. Text, since thousands of object trees would be copied about by the garbage collector. */
  readonly text: string;
  readonly untilMs: number;
}

/**
 * The last requests, for look-up by the key that made them. Bounded in number and time; oldest first out. In this process only:
 * another node answers as if the id were unknown.
 */
export class RequestRecords {
  readonly #kept = new Map<string, Kept>();
  /** Ids in the order they came, a ring: the oldest key of a Map that many were deleted from is slow to find. */
  readonly #order: string[] = [];
  #next = 0;
  readonly #max: number;
  readonly #ttlMs: number;

  constructor(max: number, ttlMs: number) {
    this.#max = max;
    this.#ttlMs = ttlMs;
  }

  /**
   * @param key name of the key that made the request
   * @param text the record as JSON
   */
  add({ id, key }: { readonly id: string; readonly key: string }, text: string, nowMs: number): void {
    if (this.#max === 0) return;
    const oldest = this.#order[this.#next];
    if (oldest !== undefined) this.#kept.delete(oldest);
    this.#order[this.#next] = id;
    this.#next = (this.#next + 1) % this.#max;
    this.#kept.set(id, { key, text, untilMs: nowMs + this.#ttlMs });
  }

  /** The record as JSON. Null when unknown, too old, or another key's: callers cannot tell which. */
  find(id: string, key: string, nowMs: number): string | null {
    const kept = this.#kept.get(id);
    if (kept === undefined || kept.key !== key) return null;
    if (nowMs < kept.untilMs) return kept.text;
    this.#kept.delete(id);
    return null;
  }
}
