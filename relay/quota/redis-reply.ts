import type { Line, Move, Reason, Source, Use } from './lines.ts';
import type { Begun, BucketState, OpenReservation, Snapshot } from './store.ts';

/** Readers of what the scripts answer: a reply is foreign data, and one we cannot read is an error, never a guess. */

/** @throws Error for anything but a flat list of exact integers. */
export function integers(reply: unknown): number[] {
  if (!Array.isArray(reply) || !reply.every((value) => Number.isSafeInteger(value))) throw unreadable(reply);
  return reply;
}

/** The answer of levels.lua. */
export function snapshotOf(reply: unknown): Snapshot {
  const [nowUs, buckets, open, seq, since, begun] = list(reply);
  const own = { nowUs: integer(nowUs), seq: integer(seq), sinceUs: integer(since) };
  return { ...own, buckets: bucketsOf(list(buckets)), begun: begunOf(list(begun)), open: openOf(list(open)) };
}

function bucketsOf(flat: readonly unknown[]): Map<string, BucketState> {
  const found = new Map<string, BucketState>();
  for (let place = 0; place < flat.length; place += 2) {
    const [kind, first = 0, rem = 0, at = 0, burst = 0, num = 0, den = 0] = integers(flat[place + 1]);
    const state: BucketState =
      kind === 1
        ? { kind: 'rate', level: first, rem, at, burst, num, den }
        : kind === 2
          ? { kind: 'slots', used: first }
          : { kind: 'window', used: first, endUs: rem };
    found.set(string(flat[place]), state);
  }
  return found;
}

function begunOf(flat: readonly unknown[]): Map<string, Begun> {
  const found = new Map<string, Begun>();
  for (let place = 0; place < flat.length; place += 2) {
    const since = integer(flat[place + 1]);
    found.set(string(flat[place]), { atUs: Math.abs(since), fresh: since > 0 });
  }
  return found;
}

function openOf(flat: readonly unknown[]): OpenReservation[] {
  const found: OpenReservation[] = [];
  for (let place = 0; place < flat.length; place += 6) {
    const [id, deadlineUs, seq, at, about, moves] = flat.slice(place, place + 6);
    const taken = new Map<string, number>();
    const parts = list(moves);
    for (let part = 0; part < parts.length; part += 4) taken.set(string(parts[part]), integer(parts[part + 3]));
    found.push({ id: string(id), seq: integer(seq), at: integer(at), deadlineUs: integer(deadlineUs), taken, about: string(about) });
  }
  return found;
}

/** One entry of the stream. */
export function lineOf(line: string, flat: readonly string[]): Line {
  const fields = new Map<string, string>();
  for (let place = 0; place < flat.length; place += 2) fields.set(flat[place]!, flat[place + 1]!);
  const text = (name: string) => string(fields.get(name));
  const number = (name: string) => integer(Number(text(name)));
  const common = { line, seq: number('seq'), at: number('at') };
  if (text('kind') === 'rate') {
    const law = { burst: number('burst'), num: number('num'), den: number('den') };
    return { kind: 'rate', ...common, bucket: text('bucket'), fresh: text('fresh') === '1', ...law };
  }
  if (text('kind') === 'window') return { kind: 'window', ...common, bucket: text('bucket'), used: number('used'), endUs: number('endUs') };
  return {
    kind: 'close',
    ...common,
    id: text('id'),
    reason: text('reason') as Reason,
    source: text('source') === '' ? null : (text('source') as Source),
    actual: useOf(text('actual')),
    corrects: text('corrects') === '1',
    takenAt: number('takenAt'),
    takenSeq: number('takenSeq'),
    moves: movesOf(text('moves')),
    about: text('about'),
  };
}

function useOf(text: string): Use | null {
  if (text === '') return null;
  const [requests, tokens, nanoCny, nanoUsd] = text.split(' ').map(Number);
  return { requests: integer(requests), tokens: integer(tokens), nanoCny: integer(nanoCny), nanoUsd: integer(nanoUsd) };
}

function movesOf(text: string): Move[] {
  if (text === '') return [];
  return text.split(';').map((move) => {
    const [bucket, reserved, actual] = move.split(' ');
    return { bucket: string(bucket), reserved: integer(Number(reserved)), actual: integer(Number(actual)) };
  });
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw unreadable(value);
  return value;
}

function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw unreadable(value);
  return value as number;
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw unreadable(value);
  return value;
}

function unreadable(reply: unknown): Error {
  return new Error(`The quota store answered what the engine cannot read: ${JSON.stringify(reply)?.slice(0, 200)}.`);
}
