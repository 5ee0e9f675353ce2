import type { RequestRecord } from './request-record.ts';

interface Kept {
  readonly record: RequestRecord;
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

  add(record: RequestRecord, nowMs: number): void {
    if (this.#max === 0) return;
    const oldest = this.#order[this.#next];
    if (oldest !== undefined) this.#kept.delete(oldest);
    this.#order[this.#next] = record.id;
    this.#next = (this.#next + 1) % this.#max;
    this.#kept.set(record.id, { record, untilMs: nowMs + this.#ttlMs });
  }

  /** Null when unknown, too old, or another key's: callers cannot tell which. */
  find(id: string, key: string, nowMs: number): RequestRecord | null {
    const kept = this.#kept.get(id);
    if (kept === undefined || kept.record.key !== key) return null;
    if (nowMs < kept.untilMs) return kept.record;
    this.#kept.delete(id);
    return null;
  }
}
