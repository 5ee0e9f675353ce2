import { type CheckContext, checkNetworks, checkRegions, emptyRecord, reportUnknownName, type SettingsContext } from './check-context.ts';
import { checkLimits } from './check-limits.ts';
import type { Backend, Key, KeyPermit, Permit, Team } from './config.ts';
import { globsOverlap, regionMatches } from './glob.ts';
import { networkFault, networksOverlap } from './network.ts';
import type { Path } from './problem.ts';
import type { ConfigInput } from './schema.ts';
import { keyDigest, resolveReference } from './secret.ts';

/** `teams`: what a permit names exists, and admits something. */
export function checkTeams(
  input: ConfigInput['teams'],
  backends: Readonly<Record<string, Backend>>,
  context: CheckContext,
): Record<string, Team> {
  const teams = emptyRecord<Team>();
  for (const [name, team] of Object.entries(input)) {
    const path = ['teams', name];
    teams[name] = { name, ...team };
    checkTeamSettings(teams[name], path, Object.values(backends), context);
  }
  return teams;
}

/** One team by itself. */
export function checkTeamSettings(
  { name, limits, permit }: Team,
  path: Path,
  backends: readonly Backend[],
  context: SettingsContext,
): void {
  checkLimits(limits, path, [permit], context);
  if (permit === undefined) {
    context.warnings.add(path, `team ${name} has no permit: every request of its keys is refused`, { at: 'key' });
    return;
  }
  checkRegions(context, [...path, 'permit', 'regions'], permit.regions);
  checkNetworks(permit.callers, [...path, 'permit', 'callers'], context);
  checkCountries(permit.countries, [...path, 'permit', 'countries'], context);
  warnUseless(permit, name, path, backends, context);
}

/** A vendor that is permitted, but only in regions where this file has no backend of it. */
function warnUseless(permit: Permit, team: string, path: Path, backends: readonly Backend[], { warnings }: SettingsContext): void {
  const inRegion = ({ region }: Backend) => permit.regions.some((glob) => regionMatches(glob, region));
  if (!backends.some((backend) => permit.vendors.includes(backend.vendor) && inRegion(backend))) {
    warnings.add([...path, 'permit'], `permits no backend of this file: every request of team ${team} is refused`, { at: 'key' });
    return;
  }
  permit.vendors.forEach((vendor, index) => {
    const own = backends.filter((backend) => backend.vendor === vendor);
    if (own.length === 0 || own.some(inRegion)) return;
    const regions = [...new Set(own.map(({ region }) => region))].join(', ');
    warnings.add([...path, 'permit', 'vendors', index], `${vendor} is permitted, but not in the region of its backends here (${regions})`);
  });
}

/** `keys`. `indexes`: where in the file each entry stands, since entries the schema refused are missing from `input`. */
export function checkKeys(
  input: ConfigInput['keys'],
  indexes: readonly number[],
  teams: Readonly<Record<string, Team>>,
  context: CheckContext,
): Key[] {
  const names = new Set<string>();
  const digests = new Map<string, string>();
  const keys: Key[] = [];
  for (const [position, entry] of input.entries()) {
    const path = ['keys', indexes[position] ?? position];
    const { key: reference, expires, ...rest } = entry;
    if (names.has(entry.name)) context.problems.add([...path, 'name'], `${JSON.stringify(entry.name)} is also the name of another key`);
    names.add(entry.name);
    if (!context.teamNames.includes(entry.team)) reportUnknownName(context, [...path, 'team'], 'team', entry.team, context.teamNames);
    checkKeySettings(entry, path, teams[entry.team], context);
    const digest = digestOf(reference, path, context);
    if (digest === undefined) continue;
    const twin = digests.get(digest);
    if (twin !== undefined) context.problems.add([...path, 'key'], `is the same key as that of ${JSON.stringify(twin)}`);
    digests.set(digest, entry.name);
    keys.push({ ...rest, digest, ...(expires === undefined ? {} : { expiresAtMs: Date.parse(expires) }) });
  }
  return keys;
}

/** One key by itself, and against its team where that is known. */
export function checkKeySettings(
  { limits, permit }: Pick<Key, 'limits' | 'permit'>,
  path: Path,
  team: Team | undefined,
  context: SettingsContext,
): void {
  checkLimits(limits, path, [team?.permit, permit], context);
  checkRegions(context, [...path, 'permit', 'regions'], permit?.regions);
  checkCountries(permit?.countries, [...path, 'permit', 'countries'], context);
  const callersFine = checkNetworks(permit?.callers, [...path, 'permit', 'callers'], context);
  if (permit !== undefined && team?.permit !== undefined && callersFine) {
    warnOutside(permit, team.permit, team.name, [...path, 'permit'], context);
  }
}

/** The text of the key ends here: only its digest goes on. */
function digestOf(reference: string, path: Path, { problems, warnings, secrets }: CheckContext): string | undefined {
  if (reference.startsWith('sha256:')) return reference.slice('sha256:'.length).toLowerCase();
  const resolved = resolveReference(reference, secrets);
  if (!resolved.ok) {
    problems.add([...path, 'key'], resolved.fault);
    return undefined;
  }
  if (resolved.value.length < SHORTEST_SAFE_KEY) {
    warnings.add(
      [...path, 'key'],
      `is shorter than ${SHORTEST_SAFE_KEY} characters and can be guessed; \`openssl rand -hex 24\` makes a good one`,
    );
  }
  return keyDigest(resolved.value);
}

const SHORTEST_SAFE_KEY = 20;

/** Without a table nobody's country is known, and everyone would be refused. */
function checkCountries(countries: readonly string[] | undefined, path: Path, { problems, hasCountries }: SettingsContext): void {
  if (countries !== undefined && !hasCountries) problems.add(path, 'needs a file of countries: set server.countries', { at: 'key' });
}

/** A key's permit narrows its team's: what it names outside of that has no effect, and is probably a slip. */
function warnOutside(permit: KeyPermit, team: Permit, teamName: string, path: Path, context: SettingsContext): void {
  const warn = (list: keyof KeyPermit, isInside: (entry: string) => boolean): void => {
    permit[list]?.forEach((entry, index) => {
      if (isInside(entry)) return;
      context.warnings.add([...path, list, index], `${JSON.stringify(entry)} is outside the permit of team ${teamName} and has no effect`);
    });
  };
  warn('vendors', (vendor) => team.vendors.includes(vendor));
  warn('models', (glob) => team.models.some((teamGlob) => globsOverlap(glob, teamGlob)));
  warn(
    'regions',
    (glob) =>
      // A pattern that matches no region at all has been reported as an error already.
      context.regions.every((region) => !regionMatches(glob, region)) ||
      context.regions.some((region) => regionMatches(glob, region) && team.regions.some((teamGlob) => regionMatches(teamGlob, region))),
  );
  const { callers, countries } = team;
  if (countries !== undefined) warn('countries', (country) => countries.includes(country));
  if (callers?.every((caller) => networkFault(caller) === undefined)) {
    warn('callers', (caller) => callers.some((teamCaller) => networksOverlap(caller, teamCaller)));
  }
}
