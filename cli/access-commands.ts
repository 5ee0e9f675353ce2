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
    .description('Make, show, change and revoke keys. A change binds within a second on every running relay.');
  const keyNewCommand = key.command('new').description('Make a key. It is printed once; only its digest is kept.');
  common(
    keyOptions(
      keyNewCommand
        .requiredOption('--team <name>', 'team of the key')
        .option('--name <name>', 'its name in logs and bills; default: its id'),
    ),
  ).action((options: Options & { readonly team: string; readonly name?: string }) => keyNew(options, patchOf(options) ?? {}));
  common(
    key.command('list').description('List the keys of the file and of the database.').option('--team <name>', 'only those of this team'),
  ).action(keyList);
  common(key.command('show').description('Show one key.').argument('<id>', ID)).action(keyShow);
  common(
    keyOptions(
      key.command('set').description('Change a key. What is not named stays; none removes a limit or a list.').argument('<id>', ID),
    ),
  ).action((id: string, options: Options, command: Command) => keySet(id, options, patchOf(options) ?? nothing(command)));
  common(key.command('revoke').description('Revoke a key for good. Its name is never free again.').argument('<id>', ID)).action(keyRevoke);

  const team = program.command('team').description('Make, show, change and remove teams.');
  common(teamOptions(team.command('new').description('Make a team.').argument('<name>'))).action((name: string, options: Options) =>
    teamNew(name, options, patchOf(options) ?? {}),
  );
  common(team.command('list').description('List the teams of the file and of the database.')).action(teamList);
  common(team.command('show').description('Show one team.').argument('<name>')).action(teamShow);
  common(teamOptions(team.command('set').description('Change a team. What is not named stays; none removes.').argument('<name>'))).action(
    (name: string, options: Options, command: Command) => teamSet(name, options, patchOf(options) ?? nothing(command)),
  );
  common(team.command('remove').description('Remove a team: all of its keys are refused.').argument('<name>')).action(teamRemove);
}

const common = (command: Command): Command => command.option('--json', 'print JSON').option(...CONFIG);

function nothing(command: Command): never {
  return command.error('error: nothing to change: name at least one option');
}
