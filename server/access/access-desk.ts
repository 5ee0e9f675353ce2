import { randomBytes } from 'node:crypto';
import type { Config, Team } from '../../config/config.ts';
import type { Problem } from '../../config/problem.ts';
import { keyDigest } from '../../config/secret.ts';
import { type Checked, type StoredSettings, storedSettings } from '../../config/stored-access.ts';
import type { Vendors } from '../../config/vendors.ts';
import { keyName, name as teamName, wordFault } from '../../config/words.ts';
import { type AccessChange, AccessRefusal, type AccessStore, type StoredKey, type StoredTeam } from '../../relay/keys/access-store.ts';
import { patched, type SettingsPatch } from './settings-patch.ts';

/** Settings that are wrong, each with its path. */
export class SettingsRefusal extends AccessRefusal {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; '));
    this.problems = problems;
  }
}

export interface Changed<Row> {
  readonly row: Omit<Row, 'revision'>;
  readonly warnings: readonly Problem[];
}

export interface NewKey extends Changed<StoredKey> {
  /** The key itself: here and nowhere else. */
  readonly key: string;
}

export interface Revoked {
  readonly row: Omit<StoredKey, 'revision'>;
  /** In force until now. */
  readonly was: boolean;
  /** The file defines a key of the same name: that one goes on. */
  readonly ofFile: boolean;
}

const KEY_BYTES = 32;
const ID_BYTES = 10;

/**
 * Changes of the keys and teams in the database. What the file defines is refused here: each has one owner. Everything is checked inside
 * the change itself, so that two at once cannot both be right.
 */
export class AccessDesk {
  readonly #store: AccessStore;
  readonly #config: Config;
  readonly #settings: StoredSettings;
  readonly #now: () => number;

  constructor(store: AccessStore, config: Config, vendors: Vendors, now: () => number = Date.now) {
    this.#store = store;
    this.#config = config;
    this.#settings = storedSettings(vendors);
    this.#now = now;
  }

  /** Without a name the key is called by its id. @throws AccessRefusal, LedgerFault; so do all of these */
  newKey(name: string | undefined, team: string, patch: SettingsPatch): Promise<NewKey> {
    const id = `key_${randomBytes(ID_BYTES).toString('hex')}`;
    const key = `sk-estafet-${randomBytes(KEY_BYTES).toString('base64url')}`;
    return this.#store.change(async (change) => {
      if (name !== undefined) await this.#checkKeyName(name, change);
      const now = this.#now();
      const { settings, warnings } = this.#checkedKey(patched({}, patch), undefined, await this.#team(team, change));
      const row = {
        id,
        name: name ?? id,
        digest: keyDigest(key),
        team,
        settings,
        createdAtMs: now,
        changedAtMs: now,
        revokedAtMs: null,
      };
      await change.putKey(row);
      return { key, row, warnings };
    });
  }

  setKey(idOrName: string, patch: SettingsPatch): Promise<Changed<StoredKey>> {
    return this.#store.change(async (change) => {
      const before = await this.#key(idOrName, change);
      if (before.revokedAtMs !== null) throw new AccessRefusal(`key ${quoted(idOrName)} is revoked and cannot be changed`);
      const old = JSON.parse(before.settings) as Readonly<Record<string, unknown>>;
      const team = await this.#team(before.team, change);
      const { settings, warnings } = this.#checkedKey(patched(old, patch), old['expires'], team);
      const row = { ...before, settings, changedAtMs: this.#now() };
      await change.putKey(row);
      return { row, warnings };
    });
  }

  /** Also one whose name the file has come to define. */
  revokeKey(idOrName: string): Promise<Revoked> {
    return this.#store.change(async (change) => {
      const before = await change.key(idOrName);
      if (before === null) throw this.#noSuchKey(idOrName);
      const ofFile = this.#ofFile(before.name);
      if (before.revokedAtMs !== null) return { row: before, was: false, ofFile };
      const now = this.#now();
      const row = { ...before, changedAtMs: now, revokedAtMs: now };
      await change.putKey(row);
      return { row, was: true, ofFile };
    });
  }

  newTeam(name: string, patch: SettingsPatch): Promise<Changed<StoredTeam>> {
    return this.#store.change(async (change) => {
      this.#notOfFile(name);
      const fault = wordFault(teamName, name);
      if (fault !== null) throw new AccessRefusal(`team ${quoted(name)}: ${fault}`);
      const there = await change.team(name);
      if (there !== null) throw new AccessRefusal(`team ${quoted(name)} ${there.removedAtMs === null ? 'already exists' : GONE}`);
      const now = this.#now();
      const { settings, warnings } = this.#checkedTeam(name, patched({}, patch));
      const row = { name, settings, createdAtMs: now, changedAtMs: now, removedAtMs: null };
      await change.putTeam(row);
      return { row, warnings };
    });
  }

  setTeam(name: string, patch: SettingsPatch): Promise<Changed<StoredTeam>> {
    return this.#store.change(async (change) => {
      const before = await this.#ownTeam(name, change);
      const { settings, warnings } = this.#checkedTeam(name, patched(JSON.parse(before.settings), patch));
      const row = { ...before, settings, changedAtMs: this.#now() };
      await change.putTeam(row);
      return { row, warnings };
    });
  }

  removeTeam(name: string): Promise<Omit<StoredTeam, 'revision'>> {
    return this.#store.change(async (change) => {
      const now = this.#now();
      const row = { ...(await this.#ownTeam(name, change)), changedAtMs: now, removedAtMs: now };
      await change.putTeam(row);
      return row;
    });
  }

  async #checkKeyName(name: string, change: AccessChange): Promise<void> {
    const fault = wordFault(keyName, name);
    if (fault !== null) throw new AccessRefusal(`the name ${fault}`);
    if (name.startsWith('key_'))
      throw new AccessRefusal('a name must not begin with "key_", which would look like an id; choose another name');
    if (this.#ofFile(name)) {
      throw new AccessRefusal(`the name ${quoted(name)} is in use: ${this.#config.file} defines a key of that name`);
    }
    const there = await change.key(name);
    if (there === null) return;
    throw new AccessRefusal(
      `the name ${quoted(name)} is in use${there.revokedAtMs === null ? '' : ` by a revoked key; a name ${NEVER_TWICE}`}`,
    );
  }

  async #key(idOrName: string, change: AccessChange): Promise<StoredKey> {
    const key = this.#ofFile(idOrName) ? null : await change.key(idOrName);
    if (key === null) throw this.#noSuchKey(idOrName);
    return key;
  }

  #noSuchKey(idOrName: string): AccessRefusal {
    const why = this.#ofFile(idOrName) ? `key ${quoted(idOrName)} is defined in ${this.#config.file}: change it there` : null;
    return new AccessRefusal(why ?? `there is no key ${quoted(idOrName)}`);
  }

  #ofFile(key: string): boolean {
    return this.#config.keys.some(({ name }) => name === key);
  }

  #notOfFile(team: string): void {
    if (this.#config.teams[team] === undefined) return;
    throw new AccessRefusal(`team ${quoted(team)} is defined in ${this.#config.file}: change it there`);
  }

  async #ownTeam(name: string, change: AccessChange): Promise<StoredTeam> {
    this.#notOfFile(name);
    const team = await change.team(name);
    if (team === null) throw new AccessRefusal(`there is no team ${quoted(name)}`);
    if (team.removedAtMs !== null) throw new AccessRefusal(`team ${quoted(name)} ${GONE}`);
    return team;
  }

  /** A team of the file or the database that is in force. */
  async #team(name: string, change: AccessChange): Promise<Team> {
    const ofFile = this.#config.teams[name];
    if (ofFile !== undefined) return ofFile;
    const row = await change.team(name);
    if (row === null) throw new AccessRefusal(`there is no team ${quoted(name)}, neither in ${this.#config.file} nor in the database`);
    if (row.removedAtMs !== null) throw new AccessRefusal(`team ${quoted(name)} ${GONE}`);
    const read = this.#settings.team(row);
    if (!read.ok) throw new AccessRefusal(`team ${quoted(name)} in the database has settings that this release cannot read: ${read.fault}`);
    return read.value;
  }

  /** `expires`: what it was before; a key that has expired may be changed otherwise. */
  #checkedKey(settings: Readonly<Record<string, unknown>>, expires: unknown, team: Team) {
    const checked = this.#settings.checkKey(settings, team, this.#config);
    const after = checked.settings?.expires;
    if (after !== undefined && after !== expires && Date.parse(after) <= this.#now()) {
      throw new SettingsRefusal([{ file: '', line: 0, column: 0, path: 'expires', message: `${after} is in the past` }]);
    }
    return accepted(settings, checked);
  }

  #checkedTeam(name: string, settings: Readonly<Record<string, unknown>>) {
    return accepted(settings, this.#settings.checkTeam(name, settings, this.#config));
  }
}

/** Settings go into the database as they were given, without defaults. */
function accepted<T>(settings: unknown, { settings: good, problems, warnings }: Checked<T>) {
  if (good === null) throw new SettingsRefusal(problems);
  return { settings: JSON.stringify(settings), warnings };
}

const NEVER_TWICE = 'is never used twice, since books and limits go by it';
const GONE = `was removed; a name ${NEVER_TWICE}`;

const quoted = (text: string): string => JSON.stringify(text.slice(0, 128));
