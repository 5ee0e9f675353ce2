/**
 * Text vectors without a model: every word (and every Han character) has its own direction, a text is their sum,
 * scaled to length 1. Texts that share words are near each other, and the same text always gives the same vector.
 */

import { createHash } from 'node:crypto';

/** A vector of unit length, six decimals a number. */
export function unitVector(text: string, dims: number): number[] {
  const sum = new Float64Array(dims);
  for (const term of terms(text)) addDirection(sum, term);
  const length = Math.hypot(...sum) || 1;
  return Array.from(sum, (value) => Math.round((value / length) * 1e6) / 1e6);
}

/** Relevance of a document for a query, 0…1 to four decimals, growing with the words they share. */
export function relevance(query: string, document: string): number {
  const dims = 128;
  const left = unitVector(query, dims);
  const right = unitVector(document, dims);
  const cosine = left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);
  return Math.round(Math.min(1, Math.max(0, (cosine + 0.25) / 1.25)) * 1e4) / 1e4;
}

function terms(text: string): readonly string[] {
  const found = text.toLowerCase().match(/\p{Script=Han}|[\p{L}\p{N}]+/gu);
  return found ?? [text];
}

/** Adds a pseudo-random direction seeded by the term (mulberry32 over the first bytes of its SHA-256). */
function addDirection(sum: Float64Array, term: string): void {
  let state = createHash('sha256').update(term).digest().readUInt32LE(0);
  for (let index = 0; index < sum.length; index += 1) {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    sum[index] = (sum[index] ?? 0) + (((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296 - 0.5);
  }
}
