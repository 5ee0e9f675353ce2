import type { z } from 'zod';
import { checkKeySettings, checkTeamSettings } from './check-access.ts';
import type { SettingsContext } from './check-context.ts';
import type { Config, Key, Team } from './config.ts';
import { reportIssues } from './issues.ts';
import { networkFault } from './network.ts';
import { type Problem, Problems } from './problem.ts';
import { keySchema, teamSchema } from './schema-access.ts';
import type { Schema } from './schema-walk.ts';
import { knownRegions, type Vendors } from './vendors.ts';

/**
 * Keys and teams that do not stand in the file: their settings are what the file would say, by the same schemas and the same checks.
 * A problem's path is that of the setting, e.g. `limits.rpm`.
 */
export interface StoredSettings {
  /** For the relay: settings of a row → key. What it cannot be sure of is a fault, and the key is refused. */
  key(row: KeyRow): Read<Key>;
  team(row: TeamRow): Read<Team>;
  /** For whoever changes a row: as strict as `estafet check`, warnings included. */
  checkKey(settings: unknown, team: Team, beside: Beside): Checked<KeySettings>;
  checkTeam(name: string, settings: unknown, beside: Beside): Checked<TeamSettings>;
}

/** What the file says beside them. */
export type Beside = Pick<Config, 'backends' | 'server'>;

export type KeySettings = z.output<ReturnType<typeof storedKeySchema>>;
export type TeamSettings = z.output<ReturnType<typeof teamSchema>>;

export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: string };

export interface Checked<T> {
  /** Null when there are problems. */
  readonly settings: T | null;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

interface TeamRow {
  readonly name: string;
  readonly settings: string;
}

interface KeyRow extends TeamRow {
  readonly team: string;
  readonly digest: string;
}

const storedKeySchema = (vendors: Vendors) => keySchema(vendors).omit({ name: true, team: true, key: true });

export function storedSettings(vendors: Vendors): StoredSettings {
  const keys = storedKeySchema(vendors);
  const teams = teamSchema(vendors);
  return {
    key: ({ name, team, digest, settings }) => {
      const read = parsed(settings, keys);
      if (!read.ok) return read;
      const { expires, ...rest } = read.value;
      return { ok: true, value: { name, team, digest, ...rest, ...(expires === undefined ? {} : { expiresAtMs: Date.parse(expires) }) } };
    },
    team: ({ name, settings }) => {
      const read = parsed(settings, teams);
      return read.ok ? { ok: true, value: { name, ...read.value } } : read;
    },
    checkKey: (settings, team, beside) =>
      checked(settings, keys, known(vendors, beside), (value, context) => checkKeySettings(value, [], team, context)),
    checkTeam: (name, settings, beside) =>
      checked(settings, teams, known(vendors, beside), (value, context) =>
        checkTeamSettings({ name, ...value }, [], Object.values(beside.backends), context),
      ),
  };
}

function checked<T>(
  settings: unknown,
  schema: Schema & z.ZodType<T>,
  about: Pick<SettingsContext, 'regions' | 'hasCountries'>,
  check: (value: T, context: SettingsContext) => void,
): Checked<T> {
  const [problems, warnings] = [noFile(), noFile()];
  const read = schema.safeParse(settings);
  if (!read.success) reportIssues(read.error.issues, schema, settings, problems);
  else check(read.data, { problems, warnings, ...about });
  const good = read.success && problems.list.length === 0;
  return { settings: good ? read.data : null, problems: problems.list, warnings: warnings.list };
}

const known = (vendors: Vendors, { backends, server }: Beside): Pick<SettingsContext, 'regions' | 'hasCountries'> => ({
  regions: [...new Set([...knownRegions(vendors), ...Object.values(backends).map(({ region }) => region)])],
  hasCountries: server.countries !== undefined,
});

function parsed<T extends Permitting>(settings: string, schema: Schema & z.ZodType<T>): Read<T> {
  let written: unknown;
  try {
    written = JSON.parse(settings);
  } catch {
    return { ok: false, fault: 'its settings are not valid JSON' };
  }
  const read = schema.safeParse(written);
  if (!read.success) {
    const problems = noFile();
    reportIssues(read.error.issues, schema, written, problems);
    return { ok: false, fault: problems.list.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ') };
  }
  // The one check beyond the schema that the relay relies on: a network that cannot be read would fail at each request.
  const fault = read.data.permit?.callers?.map(networkFault).find((found) => found !== undefined);
  return fault === undefined ? { ok: true, value: read.data } : { ok: false, fault: `permit.callers: ${fault}` };
}

interface Permitting {
  readonly permit?: { readonly callers?: readonly string[] | undefined } | undefined;
}

const noFile = (): Problems => new Problems('', () => ({ line: 0, column: 0 }));
