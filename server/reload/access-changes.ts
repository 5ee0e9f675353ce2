import type { Config, Key, Team } from '../../config/config.ts';
import { permitText } from '../../config/explain.ts';
import { sameSettings } from '../../config/same-settings.ts';
import { Permit } from '../../relay/permit/permit.ts';
import type { Kind, RouteTable } from '../../relay/routing/route-table.ts';
import { type Change, namesOf, type Routed } from './change.ts';

/** More names in one line would hide the others. */
const MOST_NAMES = 10;
const KINDS: readonly Kind[] = ['chat', 'embedding', 'rerank'];

/** Who may ask for less or more than before, and where it may go. A key without a permit of its own follows its team, one of the database too. */
export function accessChanges(old: Routed, next: Routed): Change[] {
  const changes: Change[] = [];
  const [oldKeys, nextKeys] = [byName(old.config), byName(next.config)];
  for (const name of namesOf(old.config.teams, next.config.teams)) {
    const [from, to] = [old.config.teams[name], next.config.teams[name]];
    if (to === undefined) changes.push({ effect: 'less', text: `team ${name} is removed` });
    else if (from === undefined) changes.push({ effect: 'more', text: `team ${name} is added` });
    else changes.push(...difference(`team ${name}`, followers(name, next.config), subject(from), subject(to), old, next));
  }
  for (const name of namesOf(oldKeys, nextKeys)) {
    const [from, to] = [oldKeys[name], nextKeys[name]];
    if (to === undefined) changes.push({ effect: 'less', text: `key ${name} is removed and refused` });
    else if (from === undefined) changes.push({ effect: 'more', text: `key ${name} is added` });
    else changes.push(...keyChanges(from, to, old, next));
  }
  return changes;
}

interface Subject {
  readonly team: Pick<Team, 'permit'>;
  readonly key: Pick<Key, 'permit'>;
}

const subject = (team: Team, key: Pick<Key, 'permit'> = {}): Subject => ({ team, key });

function keyChanges(from: Key, to: Key, old: Routed, next: Routed): Change[] {
  const changes: Change[] = [];
  const say = (effect: Change['effect'], text: string): void => void changes.push({ effect, text: `key ${to.name}: ${text}` });
  if (from.digest !== to.digest) say('less', 'another secret; the old one is refused');
  if (from.team !== to.team) say('other', `team ${from.team} → ${to.team}`);
  if (from.expiresAtMs !== to.expiresAtMs) {
    const end = (atMs: number | undefined): number => atMs ?? Number.POSITIVE_INFINITY;
    const text = (atMs: number | undefined): string => (atMs === undefined ? 'never' : new Date(atMs).toISOString());
    say(end(to.expiresAtMs) < end(from.expiresAtMs) ? 'less' : 'more', `expires ${text(from.expiresAtMs)} → ${text(to.expiresAtMs)}`);
  }
  for (const setting of ['strict', 'reasoning', 'onDisconnect'] as const) {
    if (from[setting] !== to[setting]) say('other', `${setting} ${from[setting]} → ${to[setting]}`);
  }
  const [oldTeam, team] = [old.config.teams[from.team], next.config.teams[to.team]];
  const follows = from.permit === undefined && to.permit === undefined && from.team === to.team;
  if (!follows && oldTeam !== undefined && team !== undefined) {
    changes.push(...difference(`key ${to.name}`, '', subject(oldTeam, from), subject(team, to), old, next));
  }
  return changes;
}

/** What two permits allow, each in its own configuration; the permit itself where that says more. */
function difference(who: string, note: string, from: Subject, to: Subject, old: Routed, next: Routed): Change[] {
  const [before, after] = [reach(from, old.relay.routes), reach(to, next.relay.routes)];
  const lost = [...before.keys()].filter((model) => !after.has(model));
  const gained = [...after.keys()].filter((model) => !before.has(model));
  const changes: Change[] = [];
  if (lost.length > 0) changes.push({ effect: 'less', text: `${who} loses ${listed(lost)}${note}` });
  if (gained.length > 0) changes.push({ effect: 'more', text: `${who} gains ${listed(gained)}${note}` });
  const narrowed = [...after].filter(([model, places]) => before.get(model)?.some((place) => !places.includes(place)) === true);
  const widened = [...after].filter(([model, places]) => before.has(model) && places.some((place) => !before.get(model)?.includes(place)));
  if (narrowed.length > 0)
    changes.push({ effect: 'less', text: `${who} reaches fewer backends for ${listed(narrowed.map(first))}${note}` });
  if (widened.length > 0) changes.push({ effect: 'more', text: `${who} reaches more backends for ${listed(widened.map(first))}${note}` });
  for (const whose of ['team', 'key'] as const) {
    for (const list of ['callers', 'countries'] as const) {
      const [was, is] = [from[whose].permit?.[list], to[whose].permit?.[list]];
      if (sameSettings(was, is)) continue;
      const less = is !== undefined && (was === undefined || was.some((entry) => !is.includes(entry)));
      const text = `${who}: ${list} ${was?.join(' ') ?? 'any'} → ${is?.join(' ') ?? 'any'}${note}`;
      changes.push({ effect: less ? 'less' : 'more', text });
    }
  }
  if (changes.length > 0 || sameSettings([from.team.permit, from.key.permit], [to.team.permit, to.key.permit])) return changes;
  const text = ({ team, key }: Subject): string =>
    [team.permit, key.permit].map((permit) => (permit === undefined ? 'no permit' : permitText(permit))).join(', narrowed to ');
  return [{ effect: 'other', text: `${who}: permit ${text(from)} → ${text(to)}, with the same models` }];
}

/** Model → the places it may go. Patterns stand for the names they match. */
function reach({ team, key }: Subject, routes: RouteTable): ReadonlyMap<string, readonly string[]> {
  const permit = new Permit(team, key);
  const found = new Map<string, readonly string[]>();
  for (const name of routes.names()) {
    const places = KINDS.flatMap((kind) => {
      const route = routes.route(name, permit, kind);
      return route.ok ? route.candidates.map(({ backend, model }) => `${backend.name}/${model}`) : [];
    });
    if (places.length > 0) found.set(name, places);
  }
  return found;
}

function followers(team: string, { keys }: Config): string {
  const names = keys.filter((key) => key.team === team && key.permit === undefined).map(({ name }) => name);
  return names.length === 0 ? '' : ` (keys ${listed(names)})`;
}

const first = ([name]: readonly [string, unknown]): string => name;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ');
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown;
}

const byName = ({ keys }: Config): Record<string, Key> => Object.fromEntries(keys.map((key) => [key.name, key]));
