import type { LedgerEntry } from '../ledger/ledger-entry.ts';
import type { WindowLaw } from '../quota/limits.ts';
import type { Use } from '../quota/lines.ts';
import type { Snapshot } from '../quota/store.ts';
import { windowBounds } from '../quota/window-bounds.ts';
import type { Held } from './audit-owner.ts';
import { CLOCKS_MS } from './audit-rates.ts';
import { type AuditedLimit, type AuditedLimits, baseOf } from './audited-limits.ts';
import { bookedUse } from './booked-use.ts';
import type { Finding, OwnerAudit } from './finding.ts';

/** An arrival so near to a window's start may be on either side of it: it is the node's time, and the reservation comes a little later. */
const BORDER_MS = 60_000;
/** A window that does not begin on a full hour is rebuilt from the full hour before. */
const HOUR_MS = 3_600_000;
/** A bucket begins with a sum of the books that may be so old. */
const SEED_MS = 5_000;
/** Beyond so many different sums of doubtful amounts, all in between are taken for possible. */
const MOST_SUMS = 10_000;

interface Account extends Pick<AuditedLimit, 'covers' | 'key' | 'ofModel'> {
  readonly bucket: string;
  readonly startMs: number;
  readonly endMs: number;
  /** When the bucket began with what the books knew then. */
  readonly begunMs: number;
  readonly measure: keyof Use;
  readonly used: number;
  /** In the level for certain. */
  sure: number;
  /** Each of them is in the level or not. */
  readonly doubts: number[];
  /** Of the doubts: what ran without the bucket, and is in it only if it was rebuilt from the books since. */
  elsewhere: number;
}

export type Begun = Pick<Account, 'bucket' | 'startMs' | 'key' | 'ofModel'>;

/** The money windows of one owner against the books: used = what the books say since its start + what is reserved. */
export class WindowAudit {
  readonly #accounts: Account[] = [];
  readonly #owner: string;
  readonly #notes: string[] = [];

  constructor(owner: string, before: Snapshot, limits: AuditedLimits) {
    this.#owner = owner;
    for (const [bucket, state] of before.buckets) {
      const audited = limits.get(baseOf(bucket));
      if (state.kind !== 'window' || audited === undefined) continue;
      const { covers, key, ofModel, limit } = audited;
      const startMs = Number(bucket.split('@')[1]);
      const endMs = state.endUs / 1000;
      const { per, timeZone } = limit.law as WindowLaw;
      const bounds = windowBounds(per, timeZone, startMs);
      // One of another time zone: nobody counts there any more.
      if (bounds.startMs !== startMs || bounds.endMs !== endMs) continue;
      const begunMs = (before.begun.get(bucket)?.atUs ?? before.sinceUs) / 1000;
      const measure = limit.measure as keyof Use;
      const counted = { used: state.used, sure: 0, doubts: [], elsewhere: 0 };
      this.#accounts.push({ bucket, covers, key, ofModel, measure, startMs, endMs, begunMs, ...counted });
    }
  }

  /** Lines from this time on are asked for; null when there is no window. */
  get fromMs(): number | null {
    const starts = this.#accounts.map(({ startMs }) => startMs - (startMs % HOUR_MS) - BORDER_MS);
    return starts.length === 0 ? null : Math.max(0, Math.min(...starts));
  }

  /** Windows that began before the books' lines do: their sums are to be given by `carry`. */
  begunBefore(retainedMs: number): readonly Begun[] {
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
      ({ covers, startMs, endMs }) =>
        entry.atMs < endMs + BORDER_MS && entry.atMs >= startMs - (startMs % HOUR_MS) - BORDER_MS && covers(entry),
    );
    if (near.length === 0) return;
    const use = bookedUse(entry);
    if (use === null) return;
    const endedMs = entry.atMs + entry.totalMs;
    for (const account of near) {
      const amount = use[account.measure];
      const inside = entry.atMs >= account.startMs + BORDER_MS && entry.atMs < account.endMs - BORDER_MS;
      // Running while the bucket began: neither reserved in it nor in the sum that it began with.
      const missed = entry.atMs < account.begunMs + CLOCKS_MS && endedMs > account.begunMs - SEED_MS;
      const elsewhere = missed || entry.heldBy === 'local' || entry.heldBy === 'nobody';
      if (elsewhere) account.elsewhere += amount;
      if (elsewhere || (!inside && account.startMs > 0)) account.doubts.push(amount);
      else account.sure += amount;
    }
  }

  /** @param held what the levels have besides the lines that were added */
  end(held: readonly Held[]): OwnerAudit {
    const findings: Finding[] = [];
    const notes = [...this.#notes];
    const owner = this.#owner;
    for (const { bucket, used, sure, doubts, elsewhere } of this.#accounts) {
      const least = held.reduce((sum, { taken }) => sum + (taken.get(bucket) ?? 0), sure);
      const most = doubts.reduce((sum, amount) => sum + amount, least);
      const right = least + nearestSum(doubts, used - least);
      if (right !== used) findings.push({ owner, bucket, kind: 'window', expected: right, found: used });
      else if (elsewhere > 0 && used < most) {
        notes.push(
          `${owner} ${bucket}: Redis counts ${most - used} nano-units less than the books, which is what ran while it was gone or emptied, before the budget was there, or arrived at the window's start.`,
        );
      }
    }
    return { findings, notes };
  }
}

/** Of all sums of some of the amounts the one next to a target. */
export function nearestSum(amounts: readonly number[], target: number): number {
  let sums = new Set([0]);
  for (const amount of amounts) {
    const more = new Set(sums);
    for (const sum of sums) more.add(sum + amount);
    if (more.size > MOST_SUMS) {
      const most = amounts.reduce((sum, one) => sum + one, 0);
      return Math.min(Math.max(target, 0), most);
    }
    sums = more;
  }
  let nearest = 0;
  for (const sum of sums) if (Math.abs(sum - target) < Math.abs(nearest - target)) nearest = sum;
  return nearest;
}
