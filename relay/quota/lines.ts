/** What a call really used. Concurrency is not among it: a settled call runs no longer. */
export interface Use {
  readonly requests: number;
  readonly tokens: number;
  readonly nanoCny: number;
  readonly nanoUsd: number;
}

export type Source = 'vendor' | 'counted' | 'estimated';
/** `hedged`: cancelled, since the other of two calls was first; the word of the record, see `HEDGED`. */
export type Reason = 'done' | 'vendor_error' | 'client_gone' | 'hedged' | 'expired' | 'refused_upstream' | 'released';

/**
 * An owner's lines: what feeds the books, and all an auditor needs. `seq` orders the steps of one owner; reservations still open take
 * numbers of the same sequence.
 */
export type Line = ClosingLine | RateLine | WindowLine;

/** A reservation's end, or (`corrects`) the truth about one that had been closed by its lease. */
export interface ClosingLine {
  readonly kind: 'close';
  /** Of the line in the stream. */
  readonly line: string;
  readonly seq: number;
  readonly at: number;
  readonly id: string;
  readonly reason: Reason;
  /** Null: nobody counted (`expired`, `released`). */
  readonly source: Source | null;
  /** Null when nobody knows: the lease ran out, and the reserved amounts stand. */
  readonly actual: Use | null;
  readonly corrects: boolean;
  /** When it was reserved and with which number; 0 for an id the store did not know: then nothing moved. */
  readonly takenAt: number;
  readonly takenSeq: number;
  readonly moves: readonly Move[];
  readonly about: string;
}

/** What one bucket had reserved, and what it was replaced by (its measure's units). A correction starts from what the lease had booked. */
export interface Move {
  readonly bucket: string;
  readonly reserved: number;
  readonly actual: number;
}

/** A rate bucket began full, or (`fresh` false) went on under a changed law. Micro-units. */
export interface RateLine {
  readonly kind: 'rate';
  readonly line: string;
  readonly seq: number;
  readonly at: number;
  readonly bucket: string;
  readonly fresh: boolean;
  readonly burst: number;
  readonly num: number;
  readonly den: number;
}

/** A window's bucket began with what the books knew of it. */
export interface WindowLine {
  readonly kind: 'window';
  readonly line: string;
  readonly seq: number;
  readonly at: number;
  readonly bucket: string;
  readonly used: number;
  readonly endUs: number;
}
