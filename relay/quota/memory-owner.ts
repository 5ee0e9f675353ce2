import { adopt, fullBucket, LONGEST_US, move, type RateState, refill, waitUs } from './bucket.ts';
import { MEASURES, MICRO, MOST_AMOUNT, type RateLaw } from './limits.ts';
import type { ClosingLine, Line, Use } from './lines.ts';
import { CODE, type PlannedDemand, type Reply, UNSEEDED } from './plan.ts';
import type { Begun, BucketState, Settled, Settlement, Snapshot } from './store.ts';

/** A window's bucket is kept so long after its end, for the corrections of calls that were reserved in it. */
export const KEEP_WINDOW_US = 86_400_000_000;
/** A rate bucket untouched for so long, and full by now, says nothing a new one would not. */
export const IDLE_US = 7 * KEEP_WINDOW_US;
/** A refusal looks at so many leases for the time when slots come back; behind them it names the last lease of all. */
export const LOOK_AHEAD = 128;

interface Taken {
  readonly bucket: string;
  readonly kind: PlannedDemand['kind'];
  readonly measure: number;
  readonly amount: number;
}

/** Which lines are kept until they are dropped: all, none, or only those of leases that ran out. While an auditor listens: all. */
export type KeepLines = boolean | 'expired';

/** `closed` remembers only until when it is kept. */
interface Reservation {
  state: 'open' | 'expired' | 'closed';
  seq: number;
  at: number;
  deadline: number;
  forgetAt: number;
  taken: readonly Taken[];
  reply: Reply;
  about: string;
}

/** A line before it has its place in the stream. */
type NewLine = Line extends infer L ? (L extends Line ? Omit<L, 'line' | 'seq'> : never) : never;
type Used = { kind: 'slots'; used: number } | { kind: 'window'; used: number; endUs: number };

const NONE: readonly never[] = [];

/** One owner's state in this process. Every method is one synchronous step, the twin of a script in lua/. */
export class MemoryOwner {
  readonly #rates = new Map<string, RateState>();
  readonly #used = new Map<string, Used>();
  readonly #begun = new Map<string, Begun>();
  readonly #reservations = new Map<string, Reservation>();
  readonly #open = new Set<string>();
  /** Closings in their order, from `#forgotten` on. Not a Set: the first of one that many were deleted from is slow to find. */
  #closed: { readonly id: string; readonly forgetAt: number }[] = [];
  #forgotten = 0;
  readonly #retainUs: number;
  readonly #keepLines: KeepLines;
  /** All lines are kept until then (µs). */
  #listenUntil = 0;
  lines: Line[] = [];
  #lineNumber = 0;
  #seq = 0;
  #since = 0;
  /** No lease ends before. */
  #soonest = LONGEST_US;

  constructor(retainUs: number, keepLines: KeepLines) {
    this.#retainUs = retainUs;
    this.#keepLines = keepLines;
  }

  reserve(now: number, id: string, leaseUs: number, about: string, demands: readonly PlannedDemand[]): Reply {
    const known = this.#find(now, id);
    if (known !== undefined) return known.state === 'closed' ? [CODE.closed, now, 0, 0] : [CODE.admitted, now, 0, 0, ...known.reply];
    this.sweep(now);
    for (const [place, { kind, bucket, b, c, seed }] of demands.entries()) {
      if (kind !== 'window') continue;
      if (now < b || now >= c) return [CODE.otherWindow, now, place + 1, 0];
      if (seed === UNSEEDED && !this.#used.has(bucket)) return [CODE.unseeded, now, place + 1, 0];
    }
    const views = demands.map((demand) => this.#view(now, demand));
    const tooLarge = demands.findIndex(({ kind, amount, a }) => (kind === 'rate' ? amount * MICRO : amount) > a);
    const waits = views.map((view, place) => (view.short > 0 ? view.wait(view.short, demands[place]!) : 0));
    const longest = Math.max(0, ...waits);
    const admitted = tooLarge < 0 && longest === 0;
    for (const view of views) view.keep(admitted);
    const levels = views.flatMap((view) => view.level());
    if (tooLarge >= 0) return [CODE.tooLarge, now, tooLarge + 1, 0, ...levels];
    if (!admitted) return [CODE.wait, now, waits.indexOf(longest) + 1, longest, ...levels];
    const deadline = now + leaseUs;
    const taken = demands.map(({ bucket, kind, measure, amount }) => ({ bucket, kind, measure, amount }));
    this.#reservations.set(id, { state: 'open', seq: this.#step(now), at: now, deadline, forgetAt: 0, taken, reply: levels, about });
    this.#open.add(id);
    this.#soonest = Math.min(this.#soonest, deadline);
    return [CODE.admitted, now, 0, 0, ...levels];
  }

  /** `released`: no use, and an unknown id leaves no line. */
  settle(
    now: number,
    { id, actual, reason, source, about }: Pick<ClosingLine, 'id' | 'reason' | 'source' | 'about'> & Pick<Settlement, 'actual'>,
  ): Settled {
    const known = this.#find(now, id);
    if (known?.state === 'closed') return 'already';
    const corrects = known?.state === 'expired';
    const moves = [];
    for (const { bucket, kind, measure, amount } of known?.taken ?? []) {
      const used = actual[MEASURES[measure - 1] as keyof Use] ?? 0;
      if (kind === 'slots' && corrects) continue;
      this.#apply(now, bucket, amount, used);
      moves.push({ bucket, reserved: amount, actual: used });
    }
    if (known !== undefined || reason !== 'released') {
      const [takenAt, takenSeq] = [known?.at ?? 0, known?.seq ?? 0];
      this.#line({ kind: 'close', at: now, id, reason, source, actual, corrects, takenAt, takenSeq, moves, about });
    }
    this.#close(id, { state: 'closed', seq: 0, at: 0, deadline: 0, forgetAt: now + this.#retainUs, taken: NONE, reply: NONE, about: '' });
    return known === undefined ? 'unknown' : corrects ? 'corrected' : 'settled';
  }

  renew(now: number, ids: readonly string[], leaseUs: number): string[] {
    return ids.filter((id) => {
      const known = this.#reservations.get(id);
      if (known?.state !== 'open') return true;
      known.deadline = Math.max(known.deadline, now + leaseUs);
      return false;
    });
  }

  /** Closes what is past its lease at the reserved amounts; forgets closed ids whose time is over. */
  sweep(now: number): number {
    this.#forget(now);
    if (now < this.#soonest) return 0;
    const leases = this.#leases();
    const late = leases.filter(([, { deadline }]) => deadline <= now);
    for (const [id, known] of late) {
      const moves = known.taken.map(({ bucket, kind, amount }) => {
        if (kind === 'slots') this.#apply(now, bucket, amount, 0);
        return { bucket, reserved: amount, actual: kind === 'slots' ? 0 : amount };
      });
      const { at: takenAt, seq: takenSeq, about } = known;
      const whole = { reason: 'expired', source: null, actual: null, corrects: false } as const;
      this.#line({ kind: 'close', at: now, id, ...whole, takenAt, takenSeq, moves, about });
      this.#close(id, { ...known, state: 'expired', forgetAt: now + this.#retainUs });
    }
    this.#soonest = leases[late.length]?.[1].deadline ?? LONGEST_US;
    return late.length;
  }

  /** Drops buckets that say nothing: ended windows, free slots, rates full and long untouched. */
  prune(now: number): void {
    if (this.#listenUntil <= now) this.#listenUntil = 0;
    for (const [bucket, state] of this.#used) {
      if (state.kind === 'slots' ? state.used === 0 : state.endUs + KEEP_WINDOW_US <= now) this.#used.delete(bucket);
    }
    for (const [bucket, state] of this.#rates) {
      if (state.at + IDLE_US > now) continue;
      const later = { ...state };
      refill(later, now);
      if (later.level === later.burst) this.#rates.delete(bucket);
    }
    for (const bucket of this.#begun.keys()) if (!this.#rates.has(bucket) && !this.#used.has(bucket)) this.#begun.delete(bucket);
  }

  snapshot(now: number): Snapshot {
    const buckets = new Map<string, BucketState>();
    for (const [bucket, state] of this.#rates) buckets.set(bucket, { kind: 'rate', ...state });
    for (const [bucket, state] of this.#used) buckets.set(bucket, { ...state });
    const open = this.#leases().map(([id, { seq, at, deadline, taken, about }]) => {
      return { id, seq, at, deadlineUs: deadline, taken: new Map(taken.map(({ bucket, amount }) => [bucket, amount])), about };
    });
    return { nowUs: now, seq: this.#seq, sinceUs: this.#since, buckets, begun: new Map(this.#begun), open };
  }

  /** Keeps all lines for so long; 0: no longer. */
  listen(now: number, us: number): void {
    this.#listenUntil = us === 0 ? 0 : now + us;
  }

  /** Removes lines that are in the books; none while an auditor listens. */
  drop(now: number, lines: ReadonlySet<string>): void {
    if (now >= this.#listenUntil) this.lines = this.lines.filter(({ line }) => !lines.has(line));
  }

  /** One bucket as this demand finds it, and what keeping it would write. */
  #view(now: number, demand: PlannedDemand): View {
    const { bucket, amount, a, b, c } = demand;
    if (demand.kind === 'rate') {
      const known = this.#rates.get(bucket);
      const law = demand.limit.law as RateLaw;
      const state = known === undefined ? fullBucket(law, now) : { ...known };
      const changed = known !== undefined && adopt(state, law, now);
      return {
        short: amount * MICRO - state.level,
        wait: () => waitUs(state, amount * MICRO, now),
        keep: (take) => {
          if (changed || (take && known === undefined)) {
            this.#line({ kind: 'rate', at: now, bucket, fresh: known === undefined, burst: a, num: b, den: c });
            this.#begun.set(bucket, { atUs: now, fresh: known === undefined });
          }
          if (changed || take) this.#rates.set(bucket, state);
          if (take) move(state, -amount * MICRO);
        },
        level: () => [Math.floor(state.level / MICRO), waitUs(state, state.burst, now)],
      };
    }
    const known = this.#used.get(bucket);
    const fresh: Used = demand.kind === 'slots' ? { kind: 'slots', used: 0 } : { kind: 'window', used: demand.seed, endUs: c };
    const state = known ?? fresh;
    return {
      short: amount - (a - state.used),
      wait: (short) => (demand.kind === 'slots' ? this.#slotsWait(now, bucket, short) : c - now),
      keep: (take) => {
        if (known === undefined && state.kind === 'window') {
          this.#line({ kind: 'window', at: now, bucket, used: state.used, endUs: c });
          this.#used.set(bucket, state);
          this.#begun.set(bucket, { atUs: now, fresh: true });
        }
        if (!take) return;
        this.#used.set(bucket, state);
        state.used += amount;
      },
      level: () => [a - state.used, demand.kind === 'slots' ? 0 : c - now],
    };
  }

  /** Nobody knows when a call ends, but no lease holds longer than this unless it is renewed. */
  #slotsWait(now: number, bucket: string, short: number): number {
    const leases = this.#leases();
    let freed = 0;
    for (const [, { taken, deadline }] of leases.slice(0, LOOK_AHEAD)) {
      for (const held of taken) if (held.bucket === bucket) freed += held.amount;
      if (freed >= short) return deadline - now;
    }
    return (leases.at(-1)?.[1].deadline ?? LONGEST_US) - now;
  }

  /** A bucket that is gone (a window long over) is corrected no more. */
  #apply(now: number, bucket: string, reserved: number, actual: number): void {
    const rate = this.#rates.get(bucket);
    if (rate !== undefined) {
      refill(rate, now);
      move(rate, (reserved - actual) * MICRO);
    }
    const state = this.#used.get(bucket);
    if (state !== undefined) state.used = Math.min(state.used - reserved + actual, MOST_AMOUNT);
  }

  #find(now: number, id: string): Reservation | undefined {
    const known = this.#reservations.get(id);
    return known !== undefined && known.state !== 'open' && known.forgetAt <= now ? undefined : known;
  }

  #close(id: string, reservation: Reservation): void {
    this.#open.delete(id);
    this.#closed.push({ id, forgetAt: reservation.forgetAt });
    this.#reservations.set(id, reservation);
  }

  #forget(now: number): void {
    for (
      let closing = this.#closed[this.#forgotten];
      closing !== undefined && closing.forgetAt <= now;
      closing = this.#closed[this.#forgotten]
    ) {
      this.#forgotten++;
      const known = this.#reservations.get(closing.id);
      // An id that was closed again, or is open anew, has a later closing of its own.
      if (known !== undefined && known.state !== 'open' && known.forgetAt === closing.forgetAt) this.#reservations.delete(closing.id);
    }
    if (this.#forgotten < 1024 || this.#forgotten * 2 < this.#closed.length) return;
    this.#closed = this.#closed.slice(this.#forgotten);
    this.#forgotten = 0;
  }

  /** Open reservations by deadline, then by id. */
  #leases(): [string, Reservation][] {
    const leases = [...this.#open].map((id): [string, Reservation] => [id, this.#reservations.get(id)!]);
    return leases.sort(([id, { deadline }], [other, { deadline: later }]) => deadline - later || (id < other ? -1 : 1));
  }

  #step(now: number): number {
    if (this.#seq === 0) this.#since = now;
    return ++this.#seq;
  }

  #line(line: NewLine): void {
    const seq = this.#step(line.at);
    const expiry = line.kind === 'close' && line.reason === 'expired';
    const kept = this.#keepLines === 'expired' ? expiry : this.#keepLines;
    if (kept || line.at < this.#listenUntil) this.lines.push({ ...line, line: `${++this.#lineNumber}`, seq });
  }
}

interface View {
  /** How much is missing; not above 0 = enough. */
  readonly short: number;
  wait(short: number, demand: PlannedDemand): number;
  /** Writes what has to be written in any case and, if told to, takes. */
  keep(take: boolean): void;
  /** What is left, and µs until full. */
  level(): [number, number];
}
