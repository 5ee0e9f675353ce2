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
    .description('Check a configuration file and show what it means. Exit code 0: it is valid; 1: it has a problem.')
    .argument('[file]', 'configuration file (default: estafet.yaml)')
    .option('-c, --config <file>', 'the same as [file]')
    .option(
      '--against <file or URL>',
      'show what changes compared with this file, or with the relay at this URL (set ESTAFET_ADMIN_TOKEN): who loses access, which limits tighten, what needs a restart',
    )
    .option('--live', 'also send each backend one cheap request with each of its keys; exit code 1 unless every key works')
    .option('--backend <name>', 'with --live: only this backend, or several separated by commas')
    .option('--chat', 'with --live: always request one token from a model, which may be billed, instead of the list of models')
    .option('--json', 'with --live: print only the results, as JSON')
    .action((file: string | undefined, options: { config?: string } & CheckOptions, command: Command) => {
      const { live, backend, chat, json } = options;
      if (live !== true && (backend !== undefined || chat === true || json === true))
        command.error('error: --backend, --chat and --json require --live', { exitCode: 2 });
      return check(file ?? options.config ?? 'estafet.yaml', options);
    });
  program
    .command('usage')
    .description('Show usage and cost from the books. It reads the database itself, so the relay need not be running.')
    .addOption(new Option('--by <what>', 'how to group the lines; days are UTC days').choices(USAGE_GROUPS).default('team'))
    .option(
      '--from <time>',
      'start: a day (2026-11-01, UTC) or a full hour (2026-11-01T08:00+08:00); default: everything that is kept',
      time(false),
    )
    .option('--to <time>', 'end: the last day, included, or a full hour, excluded; default: now', time(true))
    .option('--key <name or id>', 'only this key; with --json also its refused and running requests')
    .option('--team <name>', 'only this team; with --json also its refused and running requests')
    .addOption(new Option('--format <format>', 'output format').choices(FORMATS).default('table'))
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
      'Check that the books are consistent, and that the limits in Redis agree with them. Exit code 0: no difference; 1: a difference, or something could not be read.',
    )
    .option('--team <name>', 'only this team')
    .addOption(
      new Option('--listen <time>', 'how long to watch the changes in Redis, such as 10s (at most 5m)')
        .argParser(listening)
        .default(1_000, '1s'),
    )
    .option('--json', 'print the report as JSON')
    .option('-c, --config <file>', 'configuration file', 'estafet.yaml')
    .action((options) => audit(options));
  program
    .command('scorecard')
    .description(
      'Try every feature of OpenAI’s API on every backend and model, and show the result: exact, emulated, degraded, refused or failed.',
    )
    .option('-c, --config <file>', 'use the backends and models of this file instead of the built-in ones')
    .option('--live', 'send the requests to the vendors instead of the simulator (default file: estafet.yaml)')
    .option('--yes', 'with --live: confirm that the calls, which cost money, are made')
    .option('--backend <name>', 'only this backend, or several separated by commas')
    .option('--model <name>', 'only this model')
    .option('--feature <part>', 'only features whose id begins with this text')
    .addOption(new Option('--json', 'print everything as JSON, with the evidence of each cell').conflicts('markdown'))
    .option('--markdown', 'print a Markdown page')
    .action((options) => scorecard(options));
  program
    .command('route')
    .description('Show where a request would go and why, without sending it. Exit code 0: it would be sent; 1: it would be refused.')
    .requiredOption('--model <name>', 'model name that the app requests')
    .requiredOption('--key <name>', 'name of the key, from the file or the database')
    .addOption(new Option('--kind <kind>', 'kind of request').choices(['chat', 'embedding', 'rerank']).default('chat'))
    .option('--needs <list>', `what the request needs, separated by commas: ${NEEDS.join(', ')}`, needs)
    .option('--tokens <number>', 'length of the prompt in tokens', tokens, 1_000)
    .option('--json', 'print the decision as JSON')
    .option('-c, --config <file>', 'configuration file', 'estafet.yaml')
    .action((options) => route(options));
  program
    .command('simulate')
    .description('Run simulators of the three vendors on this machine, for tests. For the options see estafet simulate --help.')
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
