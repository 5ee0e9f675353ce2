import type { Config, Key, Team } from '../../config/config.ts';
import type { Read, StoredSettings } from '../../config/stored-access.ts';
import type { StoredKey, StoredTeam } from './access-store.ts';
import type { KeyEntries, KeyEntry } from './key-ring.ts';

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
  #entries = new Map<string, KeyEntry>();
  #orphans = 0;

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

  /** Keys that give access. */
  get size(): number {
    return this.#entries.size;
  }

  /** Keys that are refused because there is no such team. */
  get orphans(): number {
    return this.#orphans;
  }

  putTeam(row: StoredTeam): void {
    if (row.removedAtMs !== null) this.#teams.set(row.name, null);
    else if (this.#file.teams[row.name] !== undefined) this.#report({ kind: 'team', name: row.name, why: 'defined_by_file' });
    else this.#teams.set(row.name, this.#understood('team', row, this.#settings.team(row)));
  }

  putKey(row: StoredKey): void {
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
    const before = this.#entries;
    const entries = new Map<string, KeyEntry>();
    let orphans = 0;
    for (const [id, key] of this.#keys) {
      const team = this.#file.teams[key.team] ?? this.#teams.get(key.team);
      if (team === undefined || team === null) {
        orphans++;
        continue;
      }
      const known = before.get(key.digest);
      if (known?.key !== key) entries.set(key.digest, { key, team });
      else if (known.team === team) entries.set(key.digest, known);
      else {
        const renewed = { ...key };
        this.#keys.set(id, renewed);
        entries.set(key.digest, { key: renewed, team });
      }
    }
    this.#entries = entries;
    this.#orphans = orphans;
    return entries;
  }

  #understood<T>(kind: RefusedRow['kind'], { name }: { readonly name: string }, read: Read<T>): T | null {
    if (read.ok) return read.value;
    this.#report({ kind, name, why: 'not_understood', fault: read.fault });
    return null;
  }
}
