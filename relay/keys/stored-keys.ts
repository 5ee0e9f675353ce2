import type { Config, Key, Team } from '../../config/config.ts';
import type { Read, StoredSettings } from '../../config/stored-access.ts';
import type { StoredKey, StoredTeam } from './access-store.ts';
import { type KeyEntries, type KeyEntry, NO_ENTRIES } from './key-entries.ts';

/** A row that gives no access, and why: the file defines its name, or its settings cannot be understood. */
export interface RefusedRow {
  readonly kind: 'key' | 'team';
  readonly name: string;
  readonly why: 'defined_by_file' | 'not_understood';
  readonly fault?: string;
}

/**
 * The keys and teams of the database as far as they were read, all in memory. Fails closed: a row that is not understood, a key whose team
 * is not there, and a name that the file defines give nothing. A key and its team are the same objects for as long as nothing about them
 * changes, since permits and limits hang on them.
 */
export class StoredKeys {
  readonly #file: Pick<Config, 'keys' | 'teams'>;
  readonly #settings: StoredSettings;
  readonly #report: (row: RefusedRow) => void;
  readonly #fileNames: ReadonlySet<string>;
  readonly #keys = new Map<string, Key>();
  readonly #teams = new Map<string, Team | null>();
  /** Digest → id of the keys that changed since the last ring, and the teams that did. */
  readonly #changedKeys = new Map<string, string>();
  readonly #changedTeams = new Set<string>();
  #entries = NO_ENTRIES;

  constructor(file: Pick<Config, 'keys' | 'teams'>, settings: StoredSettings, report: (row: RefusedRow) => void) {
    this.#file = file;
    this.#settings = settings;
    this.#report = report;
    this.#fileNames = new Set(file.keys.map(({ name }) => name));
  }

  /** Every team that is or was there, removed ones too: what its requests had reserved is swept to the end. */
  get teams(): Iterable<string> {
    return this.#teams.keys();
  }

  /** Keys that are refused because there is no such team. */
  get orphans(): number {
    return this.#keys.size - this.#entries.size;
  }

  putTeam(row: StoredTeam): void {
    this.#changedTeams.add(row.name);
    if (row.removedAtMs !== null) this.#teams.set(row.name, null);
    else if (this.#file.teams[row.name] !== undefined) this.#report({ kind: 'team', name: row.name, why: 'defined_by_file' });
    else this.#teams.set(row.name, this.#understood('team', row, this.#settings.team(row)));
  }

  putKey(row: StoredKey): void {
    this.#changedKeys.set(row.digest, row.id);
    this.#keys.delete(row.id);
    if (row.revokedAtMs !== null) return;
    if (this.#fileNames.has(row.name)) {
      this.#report({ kind: 'key', name: row.name, why: 'defined_by_file' });
      return;
    }
    const key = this.#understood('key', row, this.#settings.key(row));
    if (key !== null) this.#keys.set(row.id, key);
  }

  /** What is in force now, whole; what it gave before stays as it was. */
  entries(): KeyEntries {
    // Permits and limits of a key are made of its team's too: another team, another key.
    if (this.#changedTeams.size > 0) {
      for (const [id, key] of this.#keys) {
        if (!this.#changedTeams.has(key.team) || this.#changedKeys.has(key.digest)) continue;
        this.#keys.set(id, { ...key });
        this.#changedKeys.set(key.digest, id);
      }
    }
    const changes = Array.from(this.#changedKeys, ([digest, id]) => [digest, this.#entryOf(id)] as const);
    this.#entries = this.#entries.with(changes);
    this.#changedKeys.clear();
    this.#changedTeams.clear();
    return this.#entries;
  }

  #entryOf(id: string): KeyEntry | null {
    const key = this.#keys.get(id);
    const team = key && (this.#file.teams[key.team] ?? this.#teams.get(key.team));
    return key === undefined || team === undefined || team === null ? null : { key, team };
  }

  #understood<T>(kind: RefusedRow['kind'], { name }: { readonly name: string }, read: Read<T>): T | null {
    if (read.ok) return read.value;
    this.#report({ kind, name, why: 'not_understood', fault: read.fault });
    return null;
  }
}
