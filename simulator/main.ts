import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { VENDORS } from './registry.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from './simulator.ts';

/**
 * The simulator as a process. Prints one JSON line when it is ready; ends on SIGTERM, SIGINT, or when the parent
 * that holds its IPC channel is gone. Exit code 2: wrong options; 1: it could not start.
 * `--help` prints the usage and exits with 0.
 */

/** As the user called it: whoever starts this file under another name says so in `SIMULATOR_COMMAND`. */
const COMMAND = process.env['SIMULATOR_COMMAND'] ?? `node ${relative(process.cwd(), process.argv[1] ?? 'main.js')}`;

const USAGE = `usage: ${COMMAND} [--vendors qwen,ernie,glm] [--host 127.0.0.1] [--port 0|N] [--quiet]`;

const HELP = `${USAGE}

Simulators of Alibaba Qwen, Baidu Ernie and Zhipu GLM on this machine, for tests. When all of them listen, it prints one line of JSON with their addresses and keys.

  --vendors NAMES  vendors to run, separated by commas, with ports in this order (default: all)
  --host ADDRESS   address to listen on (default: 127.0.0.1)
  --port N         port of the first vendor; the others and the admin API follow (default: 0, any free ports)
  --quiet          do not report to a parent process that it is ready
  -h, --help       this text
`;

class WrongOption extends Error {}

interface Values {
  readonly vendors?: string | undefined;
  readonly host: string;
  readonly port: string;
  readonly quiet: boolean;
  readonly help: boolean;
}

interface Command {
  readonly options: SimulatorOptions & { readonly host: string; readonly port: number };
  readonly quiet: boolean;
}

/** @throws WrongOption */
function readCommand(values: Values): Command {
  const known = VENDORS.map((vendor) => vendor.name);
  const names = values.vendors === undefined ? known : values.vendors.split(',').map((name) => name.trim());
  const vendors = names.map((name) => {
    const found = known.find((one) => one === name);
    if (found === undefined) throw new WrongOption(`--vendors: unknown vendor "${name}"; known: ${known.join(', ')}`);
    return found;
  });
  if (new Set(vendors).size < vendors.length) throw new WrongOption('--vendors: a vendor is named twice');
  const port = Number(values.port);
  const last = port === 0 ? 0 : port + vendors.length;
  if (!/^\d{1,5}$/.test(values.port) || last > 65_535)
    throw new WrongOption(`--port: "${values.port}" is not a port from 0 to ${65_535 - vendors.length}`);
  return { options: { vendors, host: values.host, port }, quiet: values.quiet };
}

/** @throws WrongOption */
function parse(args: readonly string[]): Values {
  try {
    return parseArgs({
      args: [...args],
      options: {
        vendors: { type: 'string' },
        host: { type: 'string', default: '127.0.0.1' },
        port: { type: 'string', default: '0' },
        quiet: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new WrongOption(error instanceof Error ? error.message : String(error));
  }
}

async function main(): Promise<void> {
  const values = parse(process.argv.slice(2));
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const { options, quiet } = readCommand(values);
  const simulator = await startSimulator(options);
  stopWith(simulator);
  const ready = { ready: true, admin: simulator.admin, vendors: simulator.vendors };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  if (!quiet) process.send?.(ready);
}

function stopWith(simulator: Simulator): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    simulator.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.once('disconnect', stop);
}

function fail(error: unknown): never {
  if (error instanceof WrongOption) {
    process.stderr.write(`simulator: ${error.message}\n${USAGE}\n`);
    process.exit(2);
  }
  process.stderr.write(`simulator: ${reason(error)}\n`);
  process.exit(1);
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port, address } = error as NodeJS.ErrnoException & { port?: number; address?: string };
  if (code === 'EADDRINUSE') return `port ${port} on ${address} is already in use; choose another with --port, or 0 for any free one`;
  return code === undefined ? (error.stack ?? error.message) : error.message;
}

main().catch(fail);
