import { limitsText, permitText } from '../config/explain.ts';
import type { KeyView, TeamView } from '../server/access/access-view.ts';
import { textTable } from './text-table.ts';

/** Why something that is listed gives nothing, for people. */
const STATES = {
  active: 'active',
  expired: 'expired',
  revoked: 'revoked',
  removed: 'removed',
  no_team: 'REFUSED: no such team',
  defined_by_file: 'REFUSED: the file defines this name',
  not_understood: 'REFUSED: this release cannot read its settings',
} as const;

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

export function printKeys(keys: readonly KeyView[]): void {
  if (keys.length === 0) return void process.stdout.write('no keys\n');
  const rows = keys.map(({ name, id, team, source, state, expires, limits }) => [
    name,
    id ?? '-',
    team,
    source,
    STATES[state],
    expires ?? '-',
    limitsText(limits ?? undefined).trim(),
  ]);
  process.stdout.write(textTable([['name', 'id', 'team', 'source', 'state', 'expires', 'limits'], ...rows], 7));
}

export function printTeams(teams: readonly TeamView[]): void {
  if (teams.length === 0) return void process.stdout.write('no teams\n');
  const rows = teams.map(({ name, source, state, permit, limits }) => [
    name,
    source,
    STATES[state],
    permit === null ? 'none: every request is refused' : permitText(permit),
    limitsText(limits ?? undefined).trim(),
  ]);
  process.stdout.write(textTable([['name', 'source', 'state', 'permit', 'limits'], ...rows], 5));
}

/** One key or team, a line for each thing that is known of it; `first` stands before these. */
export function printOne(view: KeyView | TeamView, first: Readonly<Record<string, string>> = {}): void {
  const { limits, permit, state, ...rest } = view;
  const lines = {
    ...first,
    ...rest,
    state: STATES[state],
    limits:
      limits &&
      limitsText(limits)
        .trim()
        .replace(/^\[|\]$/g, ''),
    permit: permit && permitText(permit),
  };
  const rows = Object.entries(lines).flatMap(([field, value]) => (value === null ? [] : [[field, String(value)]]));
  process.stdout.write(textTable(rows, 2));
}
