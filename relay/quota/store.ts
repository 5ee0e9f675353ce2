import type { Demand, Limit } from './limits.ts';
import type { Line, Reason, Source, Use } from './lines.ts';

/**
 * The quota engine's interface. Each operation is one atomic step on one owner's state; a store that cannot be reached throws, and what
 * then happens is the policy's matter, not the store's. Time is the store's own.
 *
 * An owner is what shares a hash slot: a team (with its keys' limits), or a backend. `team/<name>` or `backend/<name>`.
 */
export interface QuotaStore {
  /** Whoever asked last for this owner had no answer: the next one finds out whether there will be one again. */
  inDoubt(owner: string): boolean;
  /** Takes all demands or none. */
  reserve(request: ReserveRequest): Promise<Verdict>;
  /** Replaces what was reserved by what was used. Each reservation once, however often it is asked. */
  settle(settlement: Settlement): Promise<Settled>;
  /** Settles with no use at all: the vendor was never reached. */
  release(owner: string, id: string): Promise<Settled>;
  /** Extends open reservations; the answer is the ids that are no longer open. A lease never gets shorter. */
  renew(owner: string, ids: readonly string[], leaseMs: number): Promise<readonly string[]>;
  /** Settles what is past its lease, and forgets what no longer matters: for owners that nobody calls. The number settled. */
  sweep(owner: string): Promise<number>;
  /** Everything at one moment, for audits and displays. */
  levels(owner: string): Promise<Snapshot>;
  /** As `levels`, and from this very moment on all lines are kept, for so long (at most ten minutes); 0: no longer. */
  listen(owner: string, ms: number): Promise<Snapshot>;
  /** Lines in order, oldest first, after the given one. */
  lines(owner: string, count: number, after?: string): Promise<readonly Line[]>;
  /** Removes lines that are in the books; none while somebody listens, who needs them whole. */
  dropLines(owner: string, ids: readonly string[]): Promise<void>;
}

export interface ReserveRequest {
  /** 1 to 128 of `A-Z a-z 0-9 _ . : -`. The same id again is the same request again. */
  readonly id: string;
  readonly owner: string;
  readonly demands: readonly Demand[];
  /** After so long without `renew` or `settle` the reservation is settled at its reserved amounts. */
  readonly leaseMs: number;
  /** Goes into the line if the lease runs out: who asked for what, at most 4 kB. Opaque here. */
  readonly about: string;
}

/** What is left of a limit, in its measure; may be negative (debt). */
export interface Level {
  readonly limit: Limit;
  readonly remaining: number;
  /** Until it is full again; null: never. */
  readonly resetMs: number | null;
}

/** The limits with the least left of each measure that callers are told about. */
export interface Tightest {
  readonly requests: Level | null;
  readonly tokens: Level | null;
}

export type Verdict = Admission | Refusal;

export interface Admission {
  readonly ok: true;
  readonly tightest: Tightest;
  /** Half of every slots limit is free: nobody waits for the slots of this one. */
  readonly roomy: boolean;
}

/**
 * - `wait`: a rate or slots limit is short; the demand passes after `retryAfterMs` if nobody else takes.
 * - `spent`: a window is used up; it passes when the next one starts, or never (`retryAfterMs` null).
 * - `too_large`: more than the whole limit; never.
 * - `closed`: this id is settled or released already; nothing was taken, and nothing ever will be for this id.
 */
export type Refusal =
  | ({ readonly kind: 'wait'; readonly retryAfterMs: number } & Refused)
  | ({ readonly kind: 'spent'; readonly retryAfterMs: number | null } & Refused)
  | ({ readonly kind: 'too_large'; readonly retryAfterMs: null } & Refused)
  | { readonly ok: false; readonly kind: 'closed' };

interface Refused {
  readonly ok: false;
  /** Of several that are short, the one that takes longest. */
  readonly limit: Limit;
  readonly tightest: Tightest;
}

export interface Settlement {
  readonly id: string;
  readonly owner: string;
  readonly actual: Use;
  readonly source: Source;
  /** `expired` and `released` are the engine's own. */
  readonly reason: Exclude<Reason, 'expired' | 'released'>;
  /** Goes into the line, at most 4 kB. Opaque here. */
  readonly about: string;
}

/**
 * `corrected`: its lease had run out, and the true use replaces the guess. `already`: settled before, nothing changed. `unknown`: no such
 * reservation, no level changed; the id is closed from now on, and a use goes into the lines all the same.
 */
export type Settled = 'settled' | 'corrected' | 'already' | 'unknown';

export interface Snapshot {
  readonly nowUs: number;
  /** The number of the owner's last step: lines and reservations up to it are in the levels. */
  readonly seq: number;
  /** When the store first heard of this owner (µs): what it knew before is lost. 0: never. */
  readonly sinceUs: number;
  readonly buckets: ReadonlyMap<string, BucketState>;
  /** Of rates and windows: since when the bucket is what it is. One of an earlier release has none. */
  readonly begun: ReadonlyMap<string, Begun>;
  readonly open: readonly OpenReservation[];
}

export interface Begun {
  readonly atUs: number;
  /** A rate began full then, or a window with what the books knew; false: a rate went on under another law. */
  readonly fresh: boolean;
}

/** Raw: a rate's level is as of `at`, see `refill`. `used` counts up. A window's bucket name ends in `@` and its start in ms. */
export type BucketState =
  | {
      readonly kind: 'rate';
      readonly level: number;
      readonly rem: number;
      readonly at: number;
      readonly burst: number;
      readonly num: number;
      readonly den: number;
    }
  | { readonly kind: 'slots'; readonly used: number }
  | { readonly kind: 'window'; readonly used: number; readonly endUs: number };

export interface OpenReservation {
  readonly id: string;
  readonly seq: number;
  readonly at: number;
  readonly deadlineUs: number;
  /** Bucket → amount reserved. */
  readonly taken: ReadonlyMap<string, number>;
  readonly about: string;
}

/**
 * What the books say was used of a window, asked when the store does not have it (a fresh or flushed store, a new process, a new window).
 * Nothing is admitted before the answer; if it rejects, so does the reservation.
 */
export type SpentReader = (owner: string, limit: Limit, startMs: number, endMs: number) => Promise<number>;
