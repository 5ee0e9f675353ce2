import { parseArgs } from 'node:util';
import { VENDORS } from './registry.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from './simulator.ts';

/**
 * The simulator as a process. Prints one JSON line when it is ready; ends on SIGTERM, SIGINT, or when the parent
 * that holds its IPC channel is gone. Exit code 2: wrong options; 1: it could not start.
 */

const USAGE = 'usage: node simulator/main.js [--vendors qwen,ernie,glm] [--host 127.0.0.1] [--port 0|N] [--quiet]';

class WrongOption extends Error {}

interface Command {
  readonly options: SimulatorOptions & { readonly host: string; readonly port: number };
  readonly quiet: boolean;
}

/** @throws WrongOption */
function readCommand(args: readonly string[]): Command {
  const values = parse(args);
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

function parse(args: readonly string[]): { vendors?: string | undefined; host: string; port: string; quiet: boolean } {
  try {
    return parseArgs({
      args: [...args],
      options: {
        vendors: { type: 'string' },
        host: { type: 'string', default: '127.0.0.1' },
        port: { type: 'string', default: '0' },
        quiet: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new WrongOption(error instanceof Error ? error.message : String(error));
  }
}

async function main(): Promise<void> {
  const { options, quiet } = readCommand(process.argv.slice(2));
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
