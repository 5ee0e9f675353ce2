import type { Line } from './lines.ts';
import type { BucketState, Snapshot } from './store.ts';

/** A bucket whose level is not what the lines say. Micro-units for rates, else the measure's units used. */
export interface Drift {
  readonly bucket: string;
  readonly expected: number;
  readonly found: number;
}

const DEEPEST = -(2n ** 52n);

/**
 * Recomputes every level from an owner's lines and open reservations, and names those that differ: refilled − taken + refunded = level.
 * The lines must be whole: from the owner's first, or from the moment of an earlier snapshot (see `listen`). Counts in BigInt fractions,
 * apart from the engine's own arithmetic, so that the two cannot share a mistake.
 */
export function auditLevels(lines: readonly Line[], snapshot: Snapshot, from?: Snapshot): Drift[] {
  const books = new Map<string, Book>();
  for (const [bucket, state] of from?.buckets ?? []) books.set(bucket, begun(state, from?.nowUs ?? 0));
  const since = from?.seq ?? 0;
  const within = steps(lines, snapshot).filter(({ seq }) => seq > since);
  for (const { act } of within.sort((one, other) => one.seq - other.seq)) act(books);
  const drifts: Drift[] = [];
  for (const [bucket, state] of snapshot.buckets) {
    const book = books.get(bucket);
    const expected = book === undefined ? 0 : state.kind === 'rate' ? rateLevel(book, state.at) : Number(-book.level);
    const found = state.kind === 'rate' ? state.level : state.used;
    if (found !== expected) drifts.push({ bucket, expected, found });
  }
  // Free slots are pruned; taken ones that are gone were taken away.
  for (const [bucket, { law, slots, level }] of books) {
    if (law === null && slots && level !== 0n && !snapshot.buckets.has(bucket)) drifts.push({ bucket, expected: Number(-level), found: 0 });
  }
  return drifts;
}

/** `level` counts micro-units × den for rates (so it carries the fraction), and minus what is used for the others. */
interface Book {
  level: bigint;
  at: number;
  law: { readonly burst: bigint; readonly num: bigint; readonly den: bigint } | null;
  readonly slots: boolean;
}

interface Step {
  readonly seq: number;
  act(books: Map<string, Book>): void;
}

function begun(state: BucketState, now: number): Book {
  if (state.kind !== 'rate') return { level: BigInt(-state.used), at: now, law: null, slots: state.kind === 'slots' };
  const law = { burst: BigInt(state.burst), num: BigInt(state.num), den: BigInt(state.den) };
  return { level: BigInt(state.level) * law.den + BigInt(state.rem), at: state.at, law, slots: false };
}

function steps(lines: readonly Line[], { open, seq }: Snapshot): Step[] {
  const found = open.map((one) => taking(one.seq, one.at, [...one.taken]));
  // What was closed after the snapshot is open in it: its line would take a second time.
  for (const line of lines) if (line.seq <= seq) found.push(...stepsOf(line));
  return found;
}

function stepsOf(line: Line): Step[] {
  const { seq, at } = line;
  if (line.kind === 'window') {
    return [{ seq, act: (books) => void books.set(line.bucket, { level: BigInt(-line.used), at, law: null, slots: false }) }];
  }
  if (line.kind === 'rate') {
    const law = { burst: BigInt(line.burst), num: BigInt(line.num), den: BigInt(line.den) };
    const full = { level: law.burst * law.den, at, law, slots: false };
    return [{ seq, act: (books) => void books.set(line.bucket, line.fresh ? full : changed(books.get(line.bucket), law, at)) }];
  }
  const back = line.moves.map(({ bucket, reserved, actual }): [string, number] => [bucket, reserved - actual]);
  // A lease that ran out moves nothing but slots: what it had reserved stays.
  const moved = line.actual === null ? back.filter(([, amount]) => amount !== 0) : back;
  // What comes back to a bucket that is not there any more (a window long over) is lost: that of a living one is known by now.
  const closing: Step = {
    seq,
    act: (books) => {
      for (const [bucket, amount] of moved) add(books.get(bucket), amount, at);
    },
  };
  if (line.corrects || line.takenSeq === 0) return [closing];
  return [
    taking(
      line.takenSeq,
      line.takenAt,
      line.moves.map(({ bucket, reserved }) => [bucket, reserved]),
    ),
    closing,
  ];
}

/** A rate or a window has begun with a line of its own; slots begin free. */
function taking(seq: number, at: number, amounts: readonly (readonly [bucket: string, amount: number])[]): Step {
  return {
    seq,
    act: (books) => {
      for (const [bucket, amount] of amounts) {
        const book = books.get(bucket) ?? { level: 0n, at, law: null, slots: true };
        books.set(bucket, book);
        add(book, -amount, at);
      }
    },
  };
}

function changed(before: Book | undefined, law: NonNullable<Book['law']>, at: number): Book {
  if (before?.law == null) return { level: law.burst * law.den, at, law, slots: false };
  refill(before, at);
  const used = before.law.burst - floorDivide(before.level, before.law.den);
  const sameRate = before.law.num === law.num && before.law.den === law.den;
  const fraction = sameRate ? before.level - floorDivide(before.level, before.law.den) * before.law.den : 0n;
  return { level: bounded((law.burst - used) * law.den + fraction, law.den), at: before.at, law, slots: false };
}

function add(book: Book | undefined, amount: number, at: number): void {
  if (book === undefined) return;
  if (book.law === null) {
    book.level += BigInt(amount);
    return;
  }
  refill(book, at);
  const full = book.law.burst * book.law.den;
  book.level = bounded(book.level + BigInt(amount) * 1_000_000n * book.law.den, book.law.den);
  if (book.level > full || floorDivide(book.level, book.law.den) >= book.law.burst) book.level = full;
}

/** Debts end where the engine's integers do, at 2^52 micro-units. */
function bounded(level: bigint, den: bigint): bigint {
  const whole = floorDivide(level, den);
  return whole < DEEPEST ? DEEPEST * den + (level - whole * den) : level;
}

function refill(book: Book, at: number): void {
  if (book.law === null || at <= book.at) return;
  const full = book.law.burst * book.law.den;
  const level = book.level + BigInt(at - book.at) * book.law.num;
  book.level = level > full ? full : level;
  book.at = at;
}

function rateLevel(book: Book, at: number): number {
  refill(book, at);
  return Number(floorDivide(book.level, book.law?.den ?? 1n));
}

function floorDivide(a: bigint, b: bigint): bigint {
  return a >= 0n ? a / b : -((-a + b - 1n) / b);
}
