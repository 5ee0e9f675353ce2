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
  if (text === '') throw new InvalidArgumentError('must not be empty; use 0.0.0.0 to listen on every address of this machine');
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
    .description(
      'Run the relay. Without a configuration file it runs on the built-in simulator and prints a key to try it with. SIGTERM stops it, SIGHUP reloads the file.',
    )
    .option('-c, --config <file>', 'configuration file (default: ./estafet.yaml if it exists)')
    .option('--host <address>', 'address to listen on; overrides HOST and `server.host`', address)
    .option('-p, --port <number>', 'port to listen on; overrides PORT and `server.port`', port)
    .option('-w, --workers <number or auto>', 'number of processes that share the port; overrides WORKERS and `server.workers`', workers)
    .action((options) => serve(options));
  // What serves for months is started without what the other commands need.
  if (argv[2] !== 'serve') (await import('./other-commands.ts')).addOtherCommands(program);
  await program.parseAsync(argv);
}
