import type { LedgerEntry } from '../ledger/ledger-entry.ts';
import { auditLevels } from '../quota/audit.ts';
import { MICRO } from '../quota/limits.ts';
import type { ClosingLine, Line } from '../quota/lines.ts';
import type { Snapshot } from '../quota/store.ts';
import { RateAudit } from './audit-rates.ts';
import { WindowAudit } from './audit-windows.ts';
import { type AuditedLimits, baseOf } from './audited-limits.ts';
import type { Finding, OwnerAudit } from './finding.ts';

/** Lines of requests that ended so shortly before the first snapshot, or later, are looked at when all is known of that time. */
const RECENT_MS = 120_000;

/** An amount in a level that is not what the books say by now. */
export interface Held {
  /** When it was reserved: µs of the store's clock. */
  readonly at: number;
  /** Bucket → amount. */
  readonly taken: ReadonlyMap<string, number>;
}

/**
 * One owner's levels, as they were at the moment of a first snapshot, against all that is known of it.
 *
 * The order matters: the store is asked to keep all lines from the first snapshot on; then the books are read; then comes the second
 * snapshot. What ended, began or was corrected in between is in the lines of that time, and is taken out of the books again.
 */
export class OwnerAuditor {
  readonly #owner: string;
  readonly #before: Snapshot;
  readonly #limits: AuditedLimits;
  readonly #open: ReadonlySet<string>;
  /** Leases that had ended by then, until the books turn out to have them. */
  readonly #expired: Map<string, Held>;
  readonly #recent: LedgerEntry[] = [];
  readonly windows: WindowAudit;
  readonly #rates: RateAudit;

  /** @param earlier lines that were in the store already */
  constructor(owner: string, before: Snapshot, earlier: readonly Line[], limits: AuditedLimits) {
    this.#owner = owner;
    this.#before = before;
    this.#limits = limits;
    this.#open = new Set(before.open.map(({ id }) => id));
    const expired = earlier.filter(isClosing).filter(({ seq, reason }) => seq <= before.seq && reason === 'expired');
    this.#expired = new Map(expired.map((line) => [line.id, heldOf(line)]));
    this.windows = new WindowAudit(owner, before, limits);
    this.#rates = new RateAudit(owner, before, limits);
  }

  /** From when on the books' lines of this owner are wanted; null: none are. */
  get fromMs(): number | null {
    const starts = [this.windows.fromMs, this.#rates.fromMs].filter((start) => start !== null);
    return starts.length === 0 ? null : Math.min(...starts);
  }

  add(entry: LedgerEntry): void {
    this.#expired.delete(entry.id);
    if (entry.atMs + entry.totalMs > this.#before.nowUs / 1000 - RECENT_MS) this.#recent.push(entry);
    else this.#count(entry, this.#open);
  }

  /** @param lines all that the store has kept since the first snapshot */
  end(lines: readonly Line[], after: Snapshot): OwnerAudit {
    const { seq: start, open, sinceUs } = this.#before;
    const owner = this.#owner;
    if (after.sinceUs !== sinceUs && sinceUs !== 0) {
      return { findings: [], notes: [`${owner}: Redis was emptied while it was audited: nothing can be said of its levels.`] };
    }
    const closings = lines.filter(isClosing).filter(({ seq }) => seq > start);
    const apart = new Set([...this.#open, ...closings.map(({ id }) => id), ...after.open.map(({ id }) => id)]);
    // A truth that came since: at the first snapshot what its lease had booked still stood.
    const corrected = closings.filter(({ corrects, takenSeq }) => corrects && takenSeq <= start);
    for (const { id } of corrected) this.#expired.delete(id);
    for (const entry of this.#recent) this.#count(entry, apart);
    const held = [...open, ...corrected.map(heldOf), ...this.#expired.values()];
    const parts = [this.#slots(), this.#moves(lines, after), this.windows.end(held), this.#rates.end(held), this.#others()];
    return { findings: parts.flatMap(({ findings }) => findings), notes: parts.flatMap(({ notes }) => notes) };
  }

  #count(entry: LedgerEntry, apart: ReadonlySet<string>): void {
    if (apart.has(entry.id)) return;
    this.windows.add(entry);
    this.#rates.add(entry);
  }

  /** Levels at the end = levels at the start, moved by every line in between: to the integer. */
  #moves(lines: readonly Line[], after: Snapshot): OwnerAudit {
    const owner = this.#owner;
    const steps = new Set([
      ...lines.flatMap((line) => (isClosing(line) ? [line.seq, line.takenSeq] : [line.seq])),
      ...after.open.map(({ seq }) => seq),
    ]);
    const heard = [...steps].filter((seq) => seq > this.#before.seq && seq <= after.seq).length;
    if (heard < after.seq - this.#before.seq) {
      return {
        findings: [],
        notes: [`${owner}: not every step was heard, since another audit ended meanwhile: only start and end were checked.`],
      };
    }
    const findings = auditLevels(lines, after, this.#before).map(({ bucket, expected, found }): Finding => {
      const unit = after.buckets.get(bucket)?.kind === 'rate' ? MICRO : 1;
      return { owner, bucket, kind: 'heard', expected: expected / unit, found: found / unit };
    });
    return { findings, notes: [] };
  }

  /** Slots taken = those of the open reservations. */
  #slots(): OwnerAudit {
    const { buckets, open } = this.#before;
    const expected = new Map<string, number>();
    for (const [bucket, { kind }] of buckets) if (kind === 'slots') expected.set(bucket, 0);
    for (const { taken } of open) {
      for (const [bucket, amount] of taken) {
        const slots = expected.has(bucket) || this.#limits.get(bucket)?.limit.law.kind === 'slots';
        if (slots) expected.set(bucket, (expected.get(bucket) ?? 0) + amount);
      }
    }
    const findings = [...expected].flatMap(([bucket, right]): Finding[] => {
      const state = buckets.get(bucket);
      const found = state?.kind === 'slots' ? state.used : 0;
      return found === right ? [] : [{ owner: this.#owner, bucket, kind: 'slots', expected: right, found }];
    });
    return { findings, notes: [] };
  }

  #others(): OwnerAudit {
    const others = [...this.#before.buckets.keys()].filter((bucket) => !this.#limits.has(baseOf(bucket))).length;
    const notes = others === 0 ? [] : [`${this.#owner}: not checked against the books: ${others} of a limit that holds no more.`];
    return { findings: [], notes };
  }
}

const isClosing = (line: Line): line is ClosingLine => line.kind === 'close';

const heldOf = ({ takenAt, moves }: ClosingLine): Held => ({
  at: takenAt,
  taken: new Map(moves.map(({ bucket, reserved }) => [bucket, reserved])),
});
