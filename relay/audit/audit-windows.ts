import type { LedgerEntry } from '../ledger/ledger-entry.ts';
import type { Use } from '../quota/lines.ts';
import type { Snapshot } from '../quota/store.ts';
import type { Held } from './audit-owner.ts';
import { bookedUse } from './booked-use.ts';
import { type BucketScope, scopeOf } from './bucket-scope.ts';
import type { Finding, OwnerAudit } from './finding.ts';

/** An arrival so near to a window's start may be on either side of it: it is the node's time, and the reservation comes a little later. */
const BORDER_MS = 60_000;
/** A window that does not begin on a full hour is rebuilt from the full hour before. */
const HOUR_MS = 3_600_000;

interface Account {
  readonly bucket: string;
  readonly scope: BucketScope;
  readonly startMs: number;
  readonly endMs: number;
  readonly measure: keyof Use;
  readonly used: number;
  /** In the level for certain. */
  sure: number;
  /** Held by a process alone while Redis was gone, or running while it was emptied: in the level only since it was rebuilt from the books. */
  elsewhere: number;
  /** Near the window's start. */
  border: number;
}

/** The money windows of one owner against the books: used = what the books say since its start + what is reserved. */
export class WindowAudit {
  readonly #accounts: Account[] = [];
  readonly #owner: string;
  readonly #sinceMs: number;
  readonly #notes: string[] = [];

  constructor(owner: string, before: Snapshot) {
    this.#owner = owner;
    this.#sinceMs = before.sinceUs / 1000;
    for (const [bucket, state] of before.buckets) {
      if (state.kind !== 'window') continue;
      const scope = scopeOf(bucket);
      if (scope === null || scope.startMs === null) {
        this.#notes.push(`${owner} ${bucket}: not checked: this release does not know such a limit.`);
        continue;
      }
      const measure = scope.word.endsWith('.usd') ? 'nanoUsd' : 'nanoCny';
      const span = { startMs: scope.startMs, endMs: state.endUs / 1000 };
      this.#accounts.push({ bucket, scope, measure, ...span, used: state.used, sure: 0, elsewhere: 0, border: 0 });
    }
  }

  /** Lines from this time on are asked for; null when there is no window. */
  get fromMs(): number | null {
    const starts = this.#accounts.map(({ startMs }) => startMs - (startMs % HOUR_MS) - BORDER_MS);
    return starts.length === 0 ? null : Math.max(0, Math.min(...starts));
  }

  /** Windows that began before the books' lines do: their sums are to be given by `carry`. */
  begunBefore(retainedMs: number): readonly { readonly bucket: string; readonly startMs: number }[] {
    return this.#accounts.filter(({ startMs }) => startMs < retainedMs);
  }

  /** What hourly sums say of a window's time before the lines, by bucket; null when no sum can (models are not in them). */
  carry(bucket: string, nano: { readonly nanoCny: number; readonly nanoUsd: number; readonly unpriced: number } | null): void {
    const account = this.#accounts.find((one) => one.bucket === bucket);
    if (account === undefined) return;
    if (nano !== null && nano.unpriced === 0) {
      account.sure += nano[account.measure as 'nanoCny' | 'nanoUsd'];
      return;
    }
    this.#accounts.splice(this.#accounts.indexOf(account), 1);
    this.#notes.push(`${this.#owner} ${bucket}: not checked: it began before the books' lines do, and their sums do not tell it whole.`);
  }

  add(entry: LedgerEntry): void {
    const near = this.#accounts.filter(
      ({ scope, startMs, endMs }) =>
        entry.atMs < endMs + BORDER_MS && entry.atMs >= startMs - (startMs % HOUR_MS) - BORDER_MS && scope.covers(entry),
    );
    if (near.length === 0) return;
    const use = bookedUse(entry);
    if (use === null) return;
    const forgotten = entry.atMs < this.#sinceMs && entry.atMs + entry.totalMs > this.#sinceMs;
    for (const account of near) {
      const amount = use[account.measure];
      const inside = entry.atMs >= account.startMs + BORDER_MS && entry.atMs < account.endMs - BORDER_MS;
      if (!inside && account.startMs > 0) account.border += amount;
      else if (forgotten || entry.heldBy === 'local' || entry.heldBy === 'nobody') account.elsewhere += amount;
      else account.sure += amount;
    }
  }

  /** @param held what the levels have besides the lines that were added */
  end(held: readonly Held[]): OwnerAudit {
    const findings: Finding[] = [];
    const notes = [...this.#notes];
    const owner = this.#owner;
    for (const { bucket, used, sure, elsewhere, border } of this.#accounts) {
      const reserved = held.reduce((sum, { taken }) => sum + (taken.get(bucket) ?? 0), 0);
      const least = sure + reserved;
      const most = least + elsewhere + border;
      if (used < least || used > most) findings.push({ owner, bucket, kind: 'window', expected: used < least ? least : most, found: used });
      else if (elsewhere > 0 && used < most) {
        notes.push(
          `${owner} ${bucket}: Redis counts ${most - used} nano-units less than the books, which is what ran while it was gone or emptied, or arrived at the window's start.`,
        );
      }
    }
    return { findings, notes };
  }
}
