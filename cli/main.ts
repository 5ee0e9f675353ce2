import { Command, InvalidArgumentError } from 'commander';
import { VERSION } from '../server/version.ts';
import { isWorkers } from './overrides.ts';
import { serve } from './serve.ts';

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new InvalidArgumentError('must be a whole number from 0 to 65535');
  return value;
}

function workers(text: string): number | 'auto' {
  const value = text === 'auto' ? text : Number(text);
  if (!isWorkers(value)) throw new InvalidArgumentError('must be auto or a whole number from 1 to 256');
  return value;
}

function address(text: string): string {
  if (text === '') throw new InvalidArgumentError('must not be empty: that would mean every address of this machine');
  return text;
}

/** `estafet …`. Wrong usage: a message and exit code 2; a failure: one line and exit code 1. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('estafet')
    .description('Self-hosted, OpenAI-compatible relay to Alibaba Qwen, Baidu Ernie and Zhipu GLM.')
    .version(VERSION)
    .showHelpAfterError()
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  program
    .command('serve', { isDefault: true })
    .description('Run the relay. Without a configuration file it runs on the built-in simulator and prints a key to try it with.')
    .option('-c, --config <file>', 'configuration file (default: ./estafet.yaml where there is one)')
    .option('--host <address>', 'address to listen on, before `server.host` and HOST', address)
    .option('-p, --port <number>', 'port to listen on, before `server.port` and PORT', port)
    .option('-w, --workers <number or auto>', 'processes that share the port, before `server.workers` and WORKERS', workers)
    .action((options) => serve(options));
  // What serves for months is started without what the other commands need.
  if (argv[2] !== 'serve') (await import('./other-commands.ts')).addOtherCommands(program);
  await program.parseAsync(argv);
}
