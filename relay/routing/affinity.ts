import { hash } from 'node:crypto';
import { type Place, placeName } from './route-table.ts';

/**
 * Puts a tier in an order of the conversation's own: rendezvous hashing, so that nothing is remembered, every node of a fleet agrees, and a
 * candidate that comes or goes moves only its own share. Shares are those of the weights.
 * @param conversation as of `conversationName`
 */
export function byConversation<C extends Place>(conversation: string, tier: readonly C[], weightOf: (candidate: C) => number): C[] {
  const seed = Number.parseInt(conversation.slice(0, 8), 16);
  const scored = tier.map((candidate) => {
    const drawn = (mixed(mixed(seed) ^ placeHash(candidate)) + 1) / 2 ** 32;
    return { candidate, score: -Math.log(drawn) / weightOf(candidate) };
  });
  return scored.sort((one, other) => one.score - other.score).map(({ candidate }) => candidate);
}

/** What vendors' caches need to be the same is the beginning; no more of it is read. In UTF-16 code units. */
const MOST_PREFIX = 2_048;

/**
 * The words that a conversation begins with, bounded, and its caller: hexadecimal. The name lives as long as the request and goes nowhere.
 * Joined, not as JSON, which would cost as much as all the rest of a choice; words that have the joint in them share a name at worst.
 */
export function conversationName(key: string, parts: readonly string[]): string {
  return hash('sha1', [key, ...parts.map((part) => part.slice(0, MOST_PREFIX))].join('\0'), 'hex');
}

/** Candidates live as long as their configuration: a request hashes its conversation and nothing else. */
const placeHashes = new WeakMap<Place, number>();

function placeHash(place: Place): number {
  let found = placeHashes.get(place);
  if (found === undefined) {
    found = hash('sha1', placeName(place), 'buffer').readUInt32BE(0);
    placeHashes.set(place, found);
  }
  return found;
}

/** Every bit of a 32-bit number changes about half of the bits of the result: the last step of MurmurHash3. */
function mixed(number: number): number {
  let bits = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
