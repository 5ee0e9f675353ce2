import type { Key, Team } from '../../config/config.ts';

export interface KeyEntry {
  readonly key: Key;
  readonly team: Team;
}

/**
 * Keys by their digest. Never changes: a change makes new entries, and copies only the shards it touches, since a copy of fifty thousand
 * keys for each one that is made or revoked would hold up requests.
 */
export class KeyEntries {
  readonly size: number;
  readonly #shards: readonly Shard[];

  constructor(shards: readonly Shard[]) {
    this.#shards = shards;
    this.size = shards.reduce((sum, shard) => sum + shard.size, 0);
  }

  get(digest: string): KeyEntry | undefined {
    return this.#shards[shardOf(digest)]?.get(digest);
  }

  /** Null takes a key out. */
  with(changes: Iterable<readonly [digest: string, entry: KeyEntry | null]>): KeyEntries {
    const shards = [...this.#shards];
    const copies = new Map<number, Map<string, KeyEntry>>();
    for (const [digest, entry] of changes) {
      const index = shardOf(digest);
      let copy = copies.get(index);
      if (copy === undefined) {
        copy = new Map(shards[index]);
        copies.set(index, copy);
        shards[index] = copy;
      }
      if (entry === null) copy.delete(digest);
      else copy.set(digest, entry);
    }
    return new KeyEntries(shards);
  }
}

type Shard = ReadonlyMap<string, KeyEntry>;

/** By the first two of the digest's hex digits. */
const SHARDS = 256;
const shardOf = (digest: string): number => Number.parseInt(digest.slice(0, 2), 16);

export const NO_ENTRIES = new KeyEntries(Array.from({ length: SHARDS }, () => new Map()));
