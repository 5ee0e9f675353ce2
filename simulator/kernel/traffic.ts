import type { Accounting, VendorName } from './types.ts';

/** Limits of a vendor's accounts as set by the admin API; null = none. Per account and model. */
export interface Limits {
  /** Requests in any 60 s. */
  readonly rpm: number | null;
  /** Prompt and completion tokens in any 60 s. */
  readonly tpm: number | null;
  /** Requests in any 1 s. */
  readonly burst: number | null;
  /** Requests at the same time. */
  readonly concurrency: number | null;
}

export const NO_LIMITS: Limits = { rpm: null, tpm: null, burst: null, concurrency: null };

export type LimitKind = 'rpm' | 'tpm' | 'burst' | 'concurrency';

export interface UsageRow {
  readonly vendor: VendorName;
  readonly model: string | null;
  readonly key: string | null;
  readonly requests: number;
  readonly errors: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
  readonly cachedTokens: number;
}

interface Event {
  readonly atMs: number;
  readonly tokens: number;
}

const KEEP_MS = 60_000;

/**
 * What went through: requests in flight, sliding windows, totals. Only requests the vendor answered without an error
 * enter the windows: a refused request costs nothing.
 */
export class Traffic {
  readonly #events = new Map<string, Event[]>();
  readonly #flying = new Map<string, number>();
  readonly #totals = new Map<string, UsageRow>();

  enter(id: string): void {
    this.#flying.set(id, this.inFlight(id) + 1);
  }

  leave(id: string): void {
    const left = this.inFlight(id) - 1;
    if (left > 0) this.#flying.set(id, left);
    else this.#flying.delete(id);
  }

  inFlight(id: string): number {
    return this.#flying.get(id) ?? 0;
  }

  spend(id: string, nowMs: number, tokens: number): void {
    const events = this.#events.get(id) ?? [];
    events.push({ atMs: nowMs, tokens });
    // Old events go in bulk, so that a busy window does not shift its array on every request.
    const stale = events.findIndex((event) => event.atMs > nowMs - KEEP_MS);
    this.#events.set(id, stale > 1_000 ? events.slice(stale) : events);
  }

  spent(id: string, nowMs: number, windowMs: number): { requests: number; tokens: number } {
    const events = this.#events.get(id) ?? [];
    let requests = 0;
    let tokens = 0;
    for (let index = events.length - 1; index >= 0; index -= 1) {
      const event = events[index];
      if (event === undefined || event.atMs <= nowMs - windowMs) break;
      requests += 1;
      tokens += event.tokens;
    }
    return { requests, tokens };
  }

  /** The first limit one more request would break. Call before `enter`. */
  overLimit(id: string, nowMs: number, limits: Limits): LimitKind | null {
    if (limits.concurrency !== null && this.inFlight(id) >= limits.concurrency) return 'concurrency';
    if (limits.burst !== null && this.spent(id, nowMs, 1_000).requests >= limits.burst) return 'burst';
    if (limits.rpm === null && limits.tpm === null) return null;
    const { requests, tokens } = this.spent(id, nowMs, KEEP_MS);
    if (limits.rpm !== null && requests >= limits.rpm) return 'rpm';
    return limits.tpm !== null && tokens >= limits.tpm ? 'tpm' : null;
  }

  count(vendor: VendorName, accounting: Accounting): void {
    const id = JSON.stringify([vendor, accounting.model, accounting.keyName]);
    const old = this.#totals.get(id);
    this.#totals.set(id, {
      vendor,
      model: accounting.model,
      key: accounting.keyName,
      requests: (old?.requests ?? 0) + 1,
      errors: (old?.errors ?? 0) + (accounting.errorCode === null ? 0 : 1),
      promptTokens: (old?.promptTokens ?? 0) + accounting.promptTokens,
      completionTokens: (old?.completionTokens ?? 0) + accounting.completionTokens,
      reasoningTokens: (old?.reasoningTokens ?? 0) + accounting.reasoningTokens,
      cachedTokens: (old?.cachedTokens ?? 0) + accounting.cachedTokens,
    });
  }

  usage(): readonly UsageRow[] {
    return [...this.#totals.values()];
  }

  /** Forgets totals and windows; requests still in flight stay counted until they end. */
  reset(): void {
    this.#events.clear();
    this.#totals.clear();
  }
}
