import { teamView } from '../server/access/access-view.ts';
import type { SettingsPatch } from '../server/access/settings-patch.ts';
import { printJson, printOne, printTeams } from './access-print.ts';
import { changing, SETTINGS, showing, warnOf } from './access-session.ts';

interface Common {
  readonly config: string;
  readonly json?: boolean;
}

export function teamNew(name: string, { config, json }: Common, patch: SettingsPatch): Promise<void> {
  return changing(config, async (desk) => {
    const { row, warnings } = await desk.newTeam(name, patch);
    warnOf(warnings);
    print(row, json);
  });
}

export function teamList({ config, json }: Common): Promise<void> {
  return showing(config, ({ teams }) => {
    if (json) printJson({ teams });
    else printTeams(teams);
    for (const { name } of teams.filter(({ state }) => state === 'defined_by_file')) {
      console.error(
        `warning: the file also defines a team ${JSON.stringify(name)}, and takes precedence: the one in the database has no effect`,
      );
    }
  });
}

export function teamShow(name: string, { config, json }: Common): Promise<void> {
  return showing(config, ({ teams }) => {
    const found = teams.find((team) => team.name === name);
    if (found === undefined) {
      console.error(`estafet: there is no team ${JSON.stringify(name)}`);
      process.exitCode = 1;
    } else if (json) printJson(found);
    else printOne(found);
  });
}

export function teamSet(name: string, { config, json }: Common, patch: SettingsPatch): Promise<void> {
  return changing(config, async (desk) => {
    const { row, warnings } = await desk.setTeam(name, patch);
    warnOf(warnings);
    print(row, json);
  });
}

export function teamRemove(name: string, { config, json }: Common): Promise<void> {
  return changing(config, async (desk) => {
    const row = await desk.removeTeam(name);
    if (json) print(row, json);
    else console.log(`team ${JSON.stringify(name)} is removed: all its keys are refused`);
  });
}

function print(row: Parameters<typeof teamView>[0], json = false): void {
  const view = teamView(row, SETTINGS);
  if (json) printJson(view);
  else printOne(view);
}
