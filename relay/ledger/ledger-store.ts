import type { LedgerEntry, LedgerLine } from './ledger-entry.ts';
import type { SpentQuery, SpentRow, UsageQuery, UsageRow } from './usage.ts';

/** Where the books lie. Every call either takes effect as a whole or throws; a call that threw may have taken effect all the same. */
export interface LedgerStore {
  /** Makes the store ready, its schema up to date. @throws LedgerFault with one line that an admin can act on */
  open(): Promise<void>;
  /** Writes the lines that are not there yet, and adds them to the hourly sums; how many were new. @throws LedgerFault */
  write(lines: readonly LedgerLine[]): Promise<number>;
  /** Sums, in the order of their groups. @throws LedgerFault */
  usage(query: UsageQuery): Promise<UsageRow[]>;
  /** Money by asked model. @throws LedgerFault */
  spent(query: SpentQuery): Promise<SpentRow[]>;
  /** Of these ids the lines that are more than a guess for a dead node (`expired`). @throws LedgerFault */
  truths(ids: readonly string[]): Promise<LedgerEntry[]>;
  /** Deletes at most so many lines older than a moment; how many there were. Hourly sums stay. @throws LedgerFault */
  prune(beforeMs: number, most: number): Promise<number>;
  close(): Promise<void>;
}

/** Why the books could not be read or written, in one line without secrets. */
export class LedgerFault extends Error {
  override readonly name = 'LedgerFault';
  /** True when the lines themselves are refused: the same call would fail again. */
  readonly permanent: boolean;

  constructor(message: string, options: { readonly permanent?: boolean; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.permanent = options.permanent ?? false;
  }
}

/** What an operator must hear about the books. */
export type LedgerEvent =
  | { readonly type: 'store-down'; readonly fault: string; readonly waiting: number }
  | { readonly type: 'store-back'; readonly waiting: number; readonly downMs: number }
  /** The queue is full: so many lines were lost since the last such event, and so many in all. */
  | { readonly type: 'lines-dropped'; readonly lost: number; readonly lostInAll: number }
  /** The database refuses this one line. */
  | { readonly type: 'line-refused'; readonly entry: LedgerEntry; readonly fault: string; readonly lostInAll: number }
  /** At the stop some could not be written. */
  | { readonly type: 'lines-unwritten'; readonly lost: number; readonly lostInAll: number }
  | { readonly type: 'prune-failed'; readonly fault: string };
