import { hash } from 'node:crypto';
import { type Place, placeName } from './route-table.ts';

/**
 * Puts a tier in an order of the conversation's own: rendezvous hashing, so that nothing is remembered, every node of a fleet agrees, and a
 * candidate that comes or goes moves only its own share. Shares are those of the weights.
 */
export function byConversation<C extends Place>(conversation: string, tier: readonly C[], weightOf: (candidate: C) => number): C[] {
  const scored = tier.map((candidate) => {
    const drawn = unitOf(`${conversation}\n${placeName(candidate)}`);
    return { candidate, score: -Math.log(drawn) / weightOf(candidate) };
  });
  return scored.sort((one, other) => one.score - other.score).map(({ candidate }) => candidate);
}

/** A number above 0 and up to 1 that a text always has. */
function unitOf(text: string): number {
  return (hash('sha1', text, 'buffer').readUInt32BE(0) + 1) / 2 ** 32;
}

/** What vendors' caches need to be the same is the beginning; no more of it is read. In UTF-16 code units. */
const MOST_PREFIX = 2_048;

/** The words that a conversation begins with, bounded, and its caller. The name lives as long as the request and goes nowhere. */
export function conversationName(key: string, parts: readonly string[]): string {
  return hash('sha1', JSON.stringify([key, ...parts.map((part) => part.slice(0, MOST_PREFIX))]), 'hex');
}
