import type { Config, Key, KeyPermit, Limits, Permit, Team } from '../../config/config.ts';
import type { StoredSettings } from '../../config/stored-access.ts';
import type { AccessReader, StoredKey, StoredTeam } from '../../relay/keys/access-store.ts';

/** Why a key is in force or not. `no_team`: its team is neither in the file nor in the database, or was removed. */
export type KeyState = 'active' | 'expired' | 'revoked' | 'no_team' | 'defined_by_file' | 'not_understood';
export type TeamState = 'active' | 'removed' | 'defined_by_file' | 'not_understood';

/** What may be shown of a key: neither it nor its digest. Times are ISO; null where there is none. */
export interface KeyView {
  /** Null for a key of the file. */
  readonly id: string | null;
  readonly name: string;
  readonly team: string;
  readonly source: 'file' | 'database';
  readonly state: KeyState;
  readonly created: string | null;
  readonly changed: string | null;
  readonly expires: string | null;
  readonly revoked: string | null;
  readonly strict: boolean;
  readonly onDisconnect: Key['onDisconnect'];
  readonly reasoning: Key['reasoning'];
  readonly limits: Limits | null;
  readonly permit: KeyPermit | null;
}

export interface TeamView {
  readonly name: string;
  readonly source: 'file' | 'database';
  readonly state: TeamState;
  readonly created: string | null;
  readonly changed: string | null;
  readonly removed: string | null;
  readonly timeZone: string;
  readonly onStoreLoss: Team['onStoreLoss'];
  readonly logPrompts: boolean;
  readonly limits: Limits | null;
  readonly permit: Permit | null;
}

export interface Directory {
  readonly keys: readonly KeyView[];
  readonly teams: readonly TeamView[];
}

/** Everything the file and the database have, the file first, then in the order in which it was made. Without a reader there is no database yet. @throws LedgerFault */
export async function directory(config: Config, settings: StoredSettings, reader: AccessReader | null, nowMs: number): Promise<Directory> {
  const rows = await all((after, most) => reader?.teamsAfter(after, most));
  const keys = await all((after, most) => reader?.keysAfter(after, most));
  const teams = [
    ...Object.values(config.teams).map((team) => teamOf(team, 'active', null)),
    ...rows.map((row) => teamView(row, settings, config.teams[row.name] !== undefined)),
  ];
  const inForce = new Set(teams.filter(({ state }) => state === 'active').map(({ name }) => name));
  const fileKeys = new Set(config.keys.map(({ name }) => name));
  return {
    teams,
    keys: [
      ...config.keys.map((key) => keyOf(key, expired(key, nowMs) ? 'expired' : 'active', null)),
      ...keys.map((row) => keyView(row, settings, { nowMs, inForce: inForce.has(row.team), ofFile: fileKeys.has(row.name) })),
    ],
  };
}

const PAGE_ROWS = 1_000;

async function all<Row extends { readonly revision: number; readonly createdAtMs: number; readonly name: string }>(
  page: (after: number, most: number) => Promise<Row[]> | undefined,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (;;) {
    const more = (await page(rows.at(-1)?.revision ?? 0, PAGE_ROWS)) ?? [];
    rows.push(...more);
    if (more.length < PAGE_ROWS) return rows.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.name < b.name ? -1 : 1));
  }
}

interface Around {
  readonly nowMs: number;
  /** Whether its team is in force. */
  readonly inForce: boolean;
  readonly ofFile: boolean;
}

/** A row that was just written, or read. */
export function keyView(row: Omit<StoredKey, 'revision'>, settings: StoredSettings, { nowMs, inForce, ofFile }: Around): KeyView {
  const read = settings.key(row);
  const nothing: Key = { name: row.name, team: row.team, digest: '', strict: false, onDisconnect: 'cancel', reasoning: 'show' };
  const key = read.ok ? read.value : nothing;
  const state = (): KeyState => {
    if (row.revokedAtMs !== null) return 'revoked';
    if (ofFile) return 'defined_by_file';
    if (!read.ok) return 'not_understood';
    if (!inForce) return 'no_team';
    return expired(key, nowMs) ? 'expired' : 'active';
  };
  return keyOf(key, state(), row);
}

export function teamView(row: Omit<StoredTeam, 'revision'>, settings: StoredSettings, ofFile = false): TeamView {
  const read = settings.team(row);
  const state = row.removedAtMs !== null ? 'removed' : ofFile ? 'defined_by_file' : read.ok ? 'active' : 'not_understood';
  return teamOf(read.ok ? read.value : { name: row.name, onStoreLoss: 'refuse' }, state, row);
}

function keyOf(key: Key, state: KeyState, row: Omit<StoredKey, 'revision'> | null): KeyView {
  return {
    id: row?.id ?? null,
    name: key.name,
    team: key.team,
    source: row === null ? 'file' : 'database',
    state,
    created: iso(row?.createdAtMs),
    changed: iso(row?.changedAtMs),
    expires: iso(key.expiresAtMs),
    revoked: iso(row?.revokedAtMs),
    strict: key.strict,
    onDisconnect: key.onDisconnect,
    reasoning: key.reasoning,
    limits: key.limits ?? null,
    permit: key.permit ?? null,
  };
}

function teamOf(team: Team, state: TeamState, row: Omit<StoredTeam, 'revision'> | null): TeamView {
  return {
    name: team.name,
    source: row === null ? 'file' : 'database',
    state,
    created: iso(row?.createdAtMs),
    changed: iso(row?.changedAtMs),
    removed: iso(row?.removedAtMs),
    timeZone: team.timeZone ?? 'UTC',
    onStoreLoss: team.onStoreLoss,
    logPrompts: team.logPrompts ?? false,
    limits: team.limits ?? null,
    permit: team.permit ?? null,
  };
}

const expired = ({ expiresAtMs }: Key, nowMs: number): boolean => expiresAtMs !== undefined && nowMs >= expiresAtMs;

const iso = (ms: number | null | undefined): string | null => (ms === undefined || ms === null ? null : new Date(ms).toISOString());
