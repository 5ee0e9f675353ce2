import type { LedgerEntry } from '../ledger/ledger-entry.ts';
import { MICRO, MOST_RATE } from '../quota/limits.ts';
import type { BucketState, Snapshot } from '../quota/store.ts';
import type { Held } from './audit-owner.ts';
import { type AuditedLimit, type AuditedLimits, baseOf } from './audited-limits.ts';
import { bookedUse } from './booked-use.ts';
import type { Finding, OwnerAudit } from './finding.ts';
import { type RateEvent, replayed, widest } from './rate-replay.ts';

/** How far the clocks of nodes and store may be apart, with the time from a request's arrival to its reservation. */
export const CLOCKS_MS = 2_000;
/** A bucket is followed from so many times its filling, unless it or its law is younger. */
const FILLINGS = 3;
/** Requests that began so long before, and ended later, are looked for: twice the longest call that a backend has by default. */
const LONGEST_MS = 3_600_000;

type Rate = Extract<BucketState, { kind: 'rate' }>;

interface Track {
  readonly bucket: string;
  readonly covers: AuditedLimit['covers'];
  readonly state: Rate;
  readonly measure: 'requests' | 'tokens';
  readonly startMs: number;
  /** Full at the start for certain; else it may have been anything up to full. */
  readonly fresh: boolean;
  readonly events: RateEvent[];
  /** Of requests at the very start: they may be in the level or not. */
  doubt: number;
  /** Why it cannot be followed. */
  fault: string | null;
}

/**
 * The rates of one owner, followed through the books: taken at arrival as estimated, corrected at the end by what was used, refilled in
 * between. What was in the bucket at the start is not in the books, so there are two levels, the least and the most; each admission says
 * that the least was enough for it. A rate further from both than the clocks explain is a finding.
 */
export class RateAudit {
  readonly #tracks: Track[] = [];
  readonly #owner: string;
  readonly #nowMs: number;

  constructor(owner: string, { nowUs, sinceUs, buckets, begun }: Snapshot, limits: AuditedLimits) {
    this.#owner = owner;
    this.#nowMs = nowUs / 1000;
    // The books' lines tell estimates of requests, not of the attempts that a backend's limits count.
    if (owner.startsWith('backend/')) return;
    for (const [bucket, state] of buckets) {
      const audited = limits.get(baseOf(bucket));
      if (state.kind !== 'rate' || audited === undefined) continue;
      const { covers, limit } = audited;
      const earliestMs = this.#nowMs - (FILLINGS * state.burst * state.den) / state.num / 1000;
      const begins = begun.get(bucket) ?? { atUs: sinceUs, fresh: false };
      const begunMs = begins.atUs / 1000;
      const startMs = Math.max(earliestMs, begunMs);
      const fresh = begins.fresh && begunMs >= earliestMs;
      const measure = limit.measure as Track['measure'];
      this.#tracks.push({ bucket, covers, state, measure, startMs, fresh, events: [], doubt: 0, fault: null });
    }
  }

  get fromMs(): number | null {
    return this.#tracks.length === 0 ? null : Math.max(0, Math.floor(Math.min(...this.#tracks.map(({ startMs }) => startMs)) - LONGEST_MS));
  }

  add(entry: LedgerEntry): void {
    const endMs = entry.atMs + entry.totalMs;
    const withoutStore = entry.heldBy === 'local' || entry.heldBy === 'nobody' || entry.errorCode === 'quota_unavailable';
    for (const track of this.#tracks) {
      if (endMs < track.startMs - CLOCKS_MS || entry.atMs > this.#nowMs + CLOCKS_MS) continue;
      // What ended meanwhile was settled later, nobody knows when.
      if (withoutStore) track.fault = 'Redis was gone in that time';
      else if (track.covers(entry)) follow(track, entry, endMs);
    }
  }

  /** @param held what the levels have besides the lines that were added */
  end(held: readonly Held[]): OwnerAudit {
    const findings: Finding[] = [];
    const notes: string[] = [];
    const owner = this.#owner;
    for (const { bucket, state, startMs, fresh, events, doubt, fault } of this.#tracks) {
      if (fault !== null) {
        notes.push(`${owner} ${bucket}: not checked against the books: ${fault}.`);
        continue;
      }
      for (const { at, taken } of held) {
        const amount = taken.get(bucket);
        if (amount !== undefined && at / 1000 >= startMs) events.push({ atMs: at / 1000, amount: -amount, admitted: true });
      }
      const { num, den, burst } = state;
      const law = { burst, perMs: (num / den) * 1000 };
      const slack = widest(events, 2 * CLOCKS_MS) * MICRO;
      const { least, most } = replayed(events, law, { startMs, fresh, nowMs: this.#nowMs, slack });
      const found = Math.min(burst, state.level + Math.max(0, this.#nowMs - state.at / 1000) * law.perMs);
      const tolerance = law.perMs * CLOCKS_MS + slack + doubt * MICRO;
      if (found >= least - tolerance && found <= most + tolerance) continue;
      const expected = Math.round((found < least ? least : most) / MICRO);
      findings.push({ owner, bucket, kind: 'rate', expected, found: Math.round(found / MICRO) });
    }
    return { findings, notes };
  }
}

function follow(track: Track, entry: LedgerEntry, endMs: number): void {
  const { measure, startMs, fresh, events } = track;
  const { atMs, heldBy, refusedBy, estimatePromptTokens: prompt, estimateCompletionTokens: completion } = entry;
  // A bucket that began later was not asked.
  if ((heldBy === null && refusedBy !== null) || (fresh && atMs < startMs - CLOCKS_MS)) return;
  if (heldBy === null || prompt === null || completion === null) {
    if (entry.usageSource !== null) track.fault = 'some lines do not say what was reserved';
    return;
  }
  const taken = measure === 'requests' ? 1 : Math.min(prompt + completion, MOST_RATE);
  const used = bookedUse(entry)?.[measure] ?? 0;
  if (fresh && atMs < startMs + CLOCKS_MS) track.doubt += Math.max(taken, used);
  if (fresh || atMs >= startMs) events.push({ atMs: Math.max(atMs, startMs), amount: -taken, admitted: true });
  if (fresh || endMs >= startMs) events.push({ atMs: Math.max(endMs, startMs), amount: taken - used, admitted: false });
}
