import { type Command, InvalidArgumentError, Option } from 'commander';
import { USAGE_GROUPS } from '../relay/ledger/usage.ts';
import { addAccessCommands } from './access-commands.ts';
import { audit, listeningTime } from './audit.ts';
import { type CheckOptions, check } from './check.ts';
import { NEEDS, type NeedOption, route } from './route.ts';
import { scorecard } from './scorecard.ts';
import { simulate } from './simulate.ts';
import { moment, type UsageOptions, usage } from './usage.ts';
import { FORMATS } from './usage-table.ts';

/** Every command but `serve`. */
export function addOtherCommands(program: Command): void {
  program
    .command('check')
    .description('Check a configuration file and show what it means. Exit code 0: it can be served; 1: it cannot.')
    .argument('[file]', 'configuration file (default: estafet.yaml)')
    .option('-c, --config <file>', 'the same as an option')
    .option(
      '--against <file or URL>',
      'show what changes from this file, or from what the relay at this address has in force: who loses access, which limits tighten, what needs a restart',
    )
    .option('--live', 'ask each backend one cheap thing with each of its keys; exit code 1 unless all of them work')
    .option('--backend <name>', 'with --live: only this backend, or several with commas')
    .option('--chat', 'with --live: ask a model for a token, which may be billed, even where the list of models would do')
    .option('--json', 'with --live: print only what the backends answered, as JSON')
    .action((file: string | undefined, options: { config?: string } & CheckOptions, command: Command) => {
      const { live, backend, chat, json } = options;
      if (live !== true && (backend !== undefined || chat === true || json === true))
        command.error('error: --backend, --chat and --json need --live', { exitCode: 2 });
      return check(file ?? options.config ?? 'estafet.yaml', options);
    });
  program
    .command('usage')
    .description('Show what was used and what it cost, from the database of the configuration; the relay may be running or not.')
    .addOption(new Option('--by <what>', 'what to break it down by; days are UTC days').choices(USAGE_GROUPS).default('team'))
    .option('--from <time>', 'first day (2026-11-01, UTC) or full hour (2026-11-01T08:00+08:00); default: all that is kept', time(false))
    .option('--to <time>', 'last day, included, or the hour at which to end; default: now', time(true))
    .option('--key <name or id>', 'only this key; as JSON also its refusals and running requests')
    .option('--team <name>', 'only this team; as JSON also its refusals and running requests')
    .addOption(new Option('--format <format>', 'how to print it').choices(FORMATS).default('table'))
    .addOption(new Option('--json', 'the same as --format json').conflicts('format'))
    .option('-c, --config <file>', 'configuration file', 'estafet.yaml')
    .action((options: UsageOptions, command: Command) => {
      const { from, to } = options;
      if (from !== undefined && to !== undefined && from >= to) command.error("error: option '--to' must be later than '--from'");
      return usage(options);
    });
  addAccessCommands(program);
  program
    .command('audit')
    .description(
      'Check that the books agree with themselves, and the limits in Redis with the books. Exit code 0: they do; 1: they do not.',
    )
    .option('--team <name>', 'only this team')
    .option('--listen <time>', 'how long every step in Redis is followed, e.g. 10s', listening, 1_000)
    .option('--json', 'print the report as JSON')
    .option('-c, --config <file>', 'configuration file', 'estafet.yaml')
    .action((options) => audit(options));
  program
    .command('scorecard')
    .description(
      'Ask for every feature of OpenAI’s API on every backend and model, and show what came: exact, emulated, degraded, refused or failed.',
    )
    .option('-c, --config <file>', 'the backends and models of this file, instead of the built-in ones')
    .option('--live', 'ask the vendors themselves, not the simulator (default file: estafet.yaml)')
    .option('--yes', 'with --live: make the calls, which cost money')
    .option('--backend <name>', 'only this backend, or several with commas')
    .option('--model <name>', 'only this model of the backends')
    .option('--feature <part>', 'only features whose id begins so')
    .addOption(new Option('--json', 'everything, with the evidence of each cell').conflicts('markdown'))
    .option('--markdown', 'as a page')
    .action((options) => scorecard(options));
  program
    .command('route')
    .description('Show where a request would go and why, without sending it. Exit code 0: it would be sent; 1: it would be refused.')
    .requiredOption('--model <name>', 'the model that the app asks for')
    .requiredOption('--key <name>', 'name of the key, of the file or of the database')
    .addOption(new Option('--kind <kind>', 'of model').choices(['chat', 'embedding', 'rerank']).default('chat'))
    .option('--needs <list>', `what the request needs, with commas: ${NEEDS.join(', ')}`, needs)
    .option('--tokens <number>', 'length of the prompt', tokens, 1_000)
    .option('--json', 'print the decision as JSON')
    .option('-c, --config <file>', 'configuration file', 'estafet.yaml')
    .action((options) => route(options));
  program
    .command('simulate')
    .description('Run the three vendors on this machine, for tests. All options go to the simulator; see its own --help.')
    .allowUnknownOption()
    .helpOption(false)
    .argument('[options...]')
    .action((args: string[]) => simulate(args));
}

function time(end: boolean): (text: string) => number {
  return (text) => {
    try {
      return moment(text, end);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
}

function listening(text: string): number {
  try {
    return listeningTime(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function needs(text: string): NeedOption[] {
  const words = text.split(',');
  const wrong = words.find((word) => !NEEDS.some((need) => need === word));
  if (wrong !== undefined) throw new InvalidArgumentError(`${JSON.stringify(wrong)} is not one of ${NEEDS.join(', ')}`);
  return words as NeedOption[];
}

function tokens(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('must be a whole number from 1');
  return value;
}
