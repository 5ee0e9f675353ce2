import { hash } from 'node:crypto';
import type { Config, Key, Team } from '../../config/config.ts';
import { type KeyEntries, type KeyEntry, NO_ENTRIES } from './key-entries.ts';

/** Who calls, once the key is known: the unit that permits, limits and look-ups are bound to. */
export interface Caller {
  readonly key: Key;
  readonly team: Team;
  /** Of the socket, or what trusted proxies say; `` when it is not known. */
  readonly address: string;
}

/**
 * Caller keys, by the SHA-256 of their text: the relay holds no key, and a digest is no key. The look-up is by the whole
 * digest, so its time tells nothing about a key that is not known. A ring never changes: what the database brings makes a new one.
 */
export class KeyRing {
  readonly #file: KeyEntries;
  readonly #stored: KeyEntries;

  /** Keys of the file, and those of the database; of two with one digest the file's is found. */
  constructor(config: Pick<Config, 'keys' | 'teams'>, stored: KeyEntries = NO_ENTRIES) {
    const entries: [string, KeyEntry][] = [];
    for (const key of config.keys) {
      const team = config.teams[key.team];
      if (team !== undefined) entries.push([key.digest, { key, team }]);
    }
    this.#file = NO_ENTRIES.with(entries);
    this.#stored = stored;
  }

  /** Null when the key is unknown or expired. */
  find(text: string, nowMs: number): KeyEntry | null {
    const digest = hash('sha256', text, 'hex');
    const entry = this.#file.get(digest) ?? this.#stored.get(digest);
    if (entry === undefined) return null;
    const { expiresAtMs } = entry.key;
    return expiresAtMs !== undefined && nowMs >= expiresAtMs ? null : entry;
  }
}
