/**
 * Deterministic text vectors. Words shared by two texts bring their vectors together, so that a search app
 * built on the simulator ranks sensibly; nothing else is claimed for them.
 */
import { createHash } from 'node:crypto';

/** Width all vectors are made at; shorter ones are their normalised beginnings. */
const WIDTH = 2048;
const BLOCK = 256;

/** Words of spaced scripts, single characters of Chinese. */
function words(text: string): readonly string[] {
  return text.toLowerCase().match(/\p{Script=Han}|[\p{L}\p{N}]+/gu) ?? [];
}

/** A unit vector of `dimensions` ≤ 2048 numbers. */
export function vector(text: string, dimensions: number): readonly number[] {
  const sums = new Float64Array(WIDTH);
  const noise = createHash('sha256').update(text).digest();
  for (let at = 0; at < WIDTH; at += 1) sums[at] = (noise[(at * 7 + (at >> 5)) % 32]! - 127.5) / 2000;
  for (const word of words(text)) {
    const hash = createHash('sha256').update(word).digest();
    // Four hits in each block of 256, so that a shortened vector keeps all words.
    for (let at = 0; at < WIDTH; at += BLOCK) {
      const mix = (at / BLOCK) * 4;
      for (let hit = 0; hit < 4; hit += 1) sums[at + hash[(mix + hit) % 32]!]! += hash[(mix + hit + 13) % 32]! < 128 ? -1 : 1;
    }
  }
  const cut = sums.subarray(0, dimensions);
  const length = Math.hypot(...cut) || 1;
  return Array.from(cut, (value) => Number((value / length).toFixed(9)));
}

/** Cosine of two unit vectors of the same width. */
export function likeness(left: readonly number[], right: readonly number[]): number {
  return left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);
}
