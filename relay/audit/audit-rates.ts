import type { LedgerEntry } from '../ledger/ledger-entry.ts';
import { MOST_RATE } from '../quota/limits.ts';
import type { BucketState, Snapshot } from '../quota/store.ts';
import type { Held } from './audit-owner.ts';
import { bookedUse } from './booked-use.ts';
import { type BucketScope, scopeOf } from './bucket-scope.ts';
import type { Finding, OwnerAudit } from './finding.ts';

/** How far the clocks of nodes and store may be apart, with the time from a request's arrival to its reservation. */
export const CLOCKS_MS = 2_000;
/** A bucket is followed from so many times its filling: it was full then, or a debt is still told by what came after. */
const FILLINGS = 3;
const MICRO = 1_000_000;

type Rate = Extract<BucketState, { kind: 'rate' }>;

interface Event {
  readonly atMs: number;
  /** Requests or tokens; negative: taken. */
  readonly amount: number;
}

interface Track {
  readonly bucket: string;
  readonly scope: BucketScope;
  readonly state: Rate;
  readonly measure: 'requests' | 'tokens';
  readonly startMs: number;
  readonly events: Event[];
  /** A line that does not say what was reserved for it. */
  unknown: boolean;
}

/**
 * The rates of one owner, followed through the books: taken at arrival as estimated, corrected at the end by what was used, refilled in
 * between under today's law. The tolerance is what refills while the clocks are apart, and one request.
 */
export class RateAudit {
  readonly #tracks: Track[] = [];
  readonly #owner: string;
  readonly #before: Snapshot;
  readonly #notes: string[] = [];

  constructor(owner: string, before: Snapshot) {
    this.#owner = owner;
    this.#before = before;
    const { nowUs, sinceUs, buckets } = before;
    for (const [bucket, state] of buckets) {
      // The books' lines tell estimates of requests, not of the attempts that a backend's limits count.
      if (state.kind !== 'rate' || owner.startsWith('backend/')) continue;
      const scope = scopeOf(bucket);
      const measure = scope?.word.startsWith('rp') ? 'requests' : scope?.word.startsWith('tp') ? 'tokens' : null;
      if (scope === null || measure === null) {
        this.#notes.push(`${owner} ${bucket}: not checked against the books: this release does not know such a limit.`);
        continue;
      }
      const fillingUs = (state.burst * state.den) / state.num;
      const startMs = Math.max(nowUs - FILLINGS * fillingUs, sinceUs) / 1000;
      this.#tracks.push({ bucket, scope, state, measure, startMs, events: [], unknown: false });
    }
  }

  get fromMs(): number | null {
    return this.#tracks.length === 0 ? null : Math.max(0, Math.floor(Math.min(...this.#tracks.map(({ startMs }) => startMs)) - CLOCKS_MS));
  }

  add(entry: LedgerEntry): void {
    const refused = entry.heldBy === null && entry.refusedBy !== null;
    if (refused || entry.heldBy === 'local' || entry.heldBy === 'nobody') return;
    const nowMs = this.#before.nowUs / 1000;
    for (const { scope, startMs, measure, events, ...track } of this.#tracks) {
      if (entry.atMs < startMs || entry.atMs > nowMs + CLOCKS_MS || !scope.covers(entry)) continue;
      if (entry.heldBy === null || entry.estimatePromptTokens === null || entry.estimateCompletionTokens === null) {
        if (entry.usageSource !== null) this.#unknown(track.bucket);
        continue;
      }
      const tokens = Math.min(entry.estimatePromptTokens + entry.estimateCompletionTokens, MOST_RATE);
      const taken = measure === 'requests' ? 1 : tokens;
      events.push(
        { atMs: entry.atMs, amount: -taken },
        { atMs: entry.atMs + entry.totalMs, amount: taken - (bookedUse(entry)?.[measure] ?? 0) },
      );
    }
  }

  /** @param held what the levels have besides the lines that were added */
  end(held: readonly Held[]): OwnerAudit {
    const findings: Finding[] = [];
    const notes = [...this.#notes];
    const owner = this.#owner;
    for (const { bucket, state, startMs, events, unknown } of this.#tracks) {
      if (unknown) {
        notes.push(`${owner} ${bucket}: not checked against the books: some lines do not say what was reserved.`);
        continue;
      }
      for (const { at, taken } of held) if (taken.has(bucket)) events.push({ atMs: at / 1000, amount: -(taken.get(bucket) ?? 0) });
      const nowMs = this.#before.nowUs / 1000;
      const perMs = (state.num / state.den) * 1000;
      const level = replayed(events, state.burst, perMs, startMs, nowMs);
      const found = Math.min(state.burst, state.level + Math.max(0, nowMs - state.at / 1000) * perMs);
      const largest = events.reduce((most, { amount }) => Math.max(most, Math.abs(amount)), 0);
      const tolerance = perMs * CLOCKS_MS + largest * MICRO;
      if (Math.abs(found - level) <= tolerance) continue;
      findings.push({ owner, bucket, kind: 'rate', expected: Math.round(level / MICRO), found: Math.round(found / MICRO) });
    }
    return { findings, notes };
  }

  #unknown(bucket: string): void {
    const track = this.#tracks.find((one) => one.bucket === bucket);
    if (track !== undefined) track.unknown = true;
  }
}

/** Micro-units at the end, from a full bucket at the start. */
function replayed(events: readonly Event[], burst: number, perMs: number, startMs: number, nowMs: number): number {
  let level = burst;
  let atMs = startMs;
  for (const { atMs: when, amount } of [...events].sort((one, other) => one.atMs - other.atMs)) {
    level = Math.min(burst, level + Math.max(0, when - atMs) * perMs);
    atMs = Math.max(atMs, when);
    level = Math.min(burst, level + amount * MICRO);
  }
  return Math.min(burst, level + Math.max(0, nowMs - atMs) * perMs);
}
