/** Each costs one slow check more when it is forgotten, and no more than that. */
const REMEMBER_MS = 60_000;
const MAX_REMEMBERED = 1_000;

/** Schemas, by hash, whose check had to be ended, with the reason; remembered for a minute, and the latest thousand only. */
export class SlowSchemas {
  readonly #seen = new Map<string, { readonly why: string; readonly untilMs: number }>();
  readonly #clock: () => number;

  /** @param clock milliseconds, never going back */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  add(schema: string, why: string): void {
    this.#seen.delete(schema);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size >= MAX_REMEMBERED && oldest !== undefined) this.#seen.delete(oldest);
    this.#seen.set(schema, { why, untilMs: this.#clock() + REMEMBER_MS });
  }

  /** Why a schema is refused; null when it is not, or no longer. */
  why(schema: string): string | null {
    const seen = this.#seen.get(schema);
    if (seen === undefined) return null;
    if (seen.untilMs > this.#clock()) return seen.why;
    this.#seen.delete(schema);
    return null;
  }
}
