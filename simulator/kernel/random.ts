import { createHash } from 'node:crypto';

/** A repeatable source of choices: the same seed text gives the same sequence on every machine. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** An integer in [low, high], both included. */
  between(low: number, high: number): number;
  pick<T>(list: readonly T[]): T;
}

export function randomFrom(...seed: readonly unknown[]): Random {
  let state = createHash('sha256').update(JSON.stringify(seed)).digest().readUInt32LE(0);
  // A 32-bit mixing generator: far from cryptographic, but even enough to choose words.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const between = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  const pick = <T>(list: readonly T[]): T => {
    const chosen = list[Math.floor(next() * list.length)];
    if (chosen === undefined) throw new RangeError('pick: the list is empty');
    return chosen;
  };
  return { next, between, pick };
}
