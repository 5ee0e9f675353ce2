import type { Command } from 'commander';
import { type AccessOptions, keyOptions, patchOf, teamOptions } from './access-options.ts';
import { keyList, keyNew, keyRevoke, keySet, keyShow } from './key.ts';
import { teamList, teamNew, teamRemove, teamSet, teamShow } from './team.ts';

interface Common {
  readonly config: string;
  readonly json?: boolean;
}

type Options = Common & AccessOptions;

const ID = 'id or name of the key';
const CONFIG = ['-c, --config <file>', 'configuration file', 'estafet.yaml'] as const;

/** `estafet key …` and `estafet team …`: what lives in the database, beside what the file defines. */
export function addAccessCommands(program: Command): void {
  const key = program
    .command('key')
    .description('Create, show, change and revoke keys in the database. Every running relay applies a change within a second.');
  const keyNewCommand = key.command('new').description('Create a key. It is printed only once; the database keeps only its digest.');
  common(
    keyOptions(
      keyNewCommand
        .requiredOption('--team <name>', 'team that the key belongs to')
        .option('--name <name>', 'name in the log and the books; default: the id of the key'),
    ),
  ).action((options: Options & { readonly team: string; readonly name?: string }) => keyNew(options, patchOf(options) ?? {}));
  common(
    key.command('list').description('List the keys of the file and the database.').option('--team <name>', 'only keys of this team'),
  ).action(keyList);
  common(key.command('show').description('Show one key.').argument('<id>', ID)).action(keyShow);
  common(
    keyOptions(
      key
        .command('set')
        .description('Change a key. Settings that are not named stay as they are; none removes a limit or a list.')
        .argument('<id>', ID),
    ),
  ).action((id: string, options: Options, command: Command) => keySet(id, options, patchOf(options) ?? nothing(command)));
  common(key.command('revoke').description('Revoke a key for good. Its name cannot be used again.').argument('<id>', ID)).action(keyRevoke);

  const team = program
    .command('team')
    .description('Create, show, change and remove teams in the database. Every running relay applies a change within a second.');
  common(teamOptions(team.command('new').description('Create a team.').argument('<name>'))).action((name: string, options: Options) =>
    teamNew(name, options, patchOf(options) ?? {}),
  );
  common(team.command('list').description('List the teams of the file and the database.')).action(teamList);
  common(team.command('show').description('Show one team.').argument('<name>')).action(teamShow);
  common(
    teamOptions(
      team
        .command('set')
        .description('Change a team. Settings that are not named stay as they are; none removes a limit or a list.')
        .argument('<name>'),
    ),
  ).action((name: string, options: Options, command: Command) => teamSet(name, options, patchOf(options) ?? nothing(command)));
  common(team.command('remove').description('Remove a team. All its keys are refused from then on.').argument('<name>')).action(teamRemove);
}

const common = (command: Command): Command => command.option('--json', 'print JSON').option(...CONFIG);

function nothing(command: Command): never {
  return command.error('error: nothing to change: give at least one option');
}
