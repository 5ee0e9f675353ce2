import { hash } from 'node:crypto';
import type { Config, Key, Team } from '../../config/config.ts';

/** Who calls, once the key is known: the unit that permits, limits and look-ups are bound to. */
export interface Caller {
  readonly key: Key;
  readonly team: Team;
  /** Address of the socket; never a forwarded one. */
  readonly address: string;
}

export interface KeyEntry {
  readonly key: Key;
  readonly team: Team;
}

/**
 * Caller keys, by the SHA-256 of their text: the relay holds no key, and a digest is no key. The look-up is by the whole
 * digest, so its time tells nothing about a key that is not known.
 */
export class KeyRing {
  readonly #entries = new Map<string, KeyEntry>();

  constructor(config: Config) {
    for (const key of config.keys) {
      const team = config.teams[key.team];
      if (team !== undefined) this.#entries.set(key.digest, { key, team });
    }
  }

  /** Null when the key is unknown or expired. */
  find(text: string, nowMs: number): KeyEntry | null {
    const entry = this.#entries.get(hash('sha256', text, 'hex'));
    if (entry === undefined) return null;
    const { expiresAtMs } = entry.key;
    return expiresAtMs !== undefined && nowMs >= expiresAtMs ? null : entry;
  }
}
