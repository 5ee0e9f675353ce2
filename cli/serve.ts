import { existsSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { LedgerFault } from '../relay/ledger/ledger-store.ts';
import { type RunningRelay, startRelay } from '../server/main.ts';
import { type Built, build } from '../server/wiring.ts';
import { firstRun, greeting } from './first-run.ts';
import { loadOrExplain, warn } from './load.ts';
import { type StartedSimulator, startSimulator } from './simulate.ts';

export interface ServeOptions {
  readonly config?: string;
  readonly host?: string;
  readonly port?: number;
}

const DEFAULT_FILE = 'estafet.yaml';

/** `estafet serve`: starts whole or not at all, and ends with exit code 0 when told to. */
export async function serve(options: ServeOptions): Promise<void> {
  const file = options.config ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : null);
  let simulator: StartedSimulator | null = null;
  let config: Config | null;
  let key: string | null = null;
  if (file === null) {
    simulator = await startSimulator();
    ({ config, key } = firstRun(simulator));
  } else {
    const loaded = loadOrExplain(file);
    if (loaded !== null) warn(loaded.warnings);
    config = loaded?.config ?? null;
  }
  const settled = config === null ? null : overridden(config, options, process.env);
  if (settled === null) return fail(simulator);
  let built: Built;
  try {
    built = build(settled);
  } catch (error) {
    console.error(`estafet: cannot start: ${error instanceof Error ? error.message : String(error)}`);
    return fail(simulator);
  }
  let running: RunningRelay;
  try {
    running = await startRelay(settled, built);
  } catch (error) {
    console.error(`estafet: ${error instanceof LedgerFault ? error.message : listenFault(error, settled)}`);
    return fail(simulator);
  }
  // Before the line is out: whoever reads it may send a signal at once.
  stopOnSignals(running, simulator);
  console.log(key === null ? `Estafet listens on ${running.url} (configuration: ${file}).` : greeting(running.url, key));
  if (running.metricsUrl !== null) console.log(`Metrics are at ${running.metricsUrl}.`);
}

function fail(simulator: StartedSimulator | null): void {
  simulator?.child.kill();
  process.exitCode = 1;
}

/** Options win over environment variables, and these over the file. Null, and a message, when a variable is no use. */
function overridden(config: Config, options: ServeOptions, env: NodeJS.ProcessEnv): Config | null {
  const fromEnv = env['PORT'];
  if (options.port === undefined && fromEnv !== undefined && !(/^\d{1,5}$/.test(fromEnv) && Number(fromEnv) <= 65_535)) {
    console.error(`estafet: the environment variable PORT must be a whole number from 0 to 65535, not "${fromEnv}".`);
    return null;
  }
  const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
  const level = env['LOG_LEVEL'];
  const logLevel = LEVELS.find((name) => name === level) ?? (level === undefined ? config.server.logLevel : undefined);
  if (logLevel === undefined) {
    console.error(`estafet: the environment variable LOG_LEVEL must be one of ${LEVELS.join(', ')}, not "${level}".`);
    return null;
  }
  // An empty address would mean every one of this machine.
  if (options.host === undefined && env['HOST'] === '') {
    console.error('estafet: the environment variable HOST is empty: unset it, or name the address to listen on.');
    return null;
  }
  const port = options.port ?? (fromEnv === undefined ? config.server.port : Number(fromEnv));
  return { ...config, server: { ...config.server, host: options.host ?? env['HOST'] ?? config.server.host, port, logLevel } };
}

/** In one line: which port, that of the apps or that of the metrics, and what to do. */
function listenFault(error: unknown, { server }: Config): string {
  const { code, address, port } = error as { readonly code?: string; readonly address?: string; readonly port?: number };
  const forMetrics = port !== undefined && port === server.metrics?.port && port !== server.port;
  const words: Readonly<Record<string, string>> = {
    EADDRINUSE: `the port is taken. ${forMetrics ? 'Set another server.metrics.port.' : 'Choose another with --port or PORT.'}`,
    EACCES: 'this user may not open that port. Choose one above 1023.',
    EADDRNOTAVAIL: `this machine has no such address. Set ${forMetrics ? 'server.metrics.host' : '--host or server.host'}.`,
  };
  const why = words[code === 'ENOTFOUND' ? 'EADDRNOTAVAIL' : (code ?? '')] ?? (error instanceof Error ? error.message : String(error));
  return `cannot listen on ${address ?? server.host}:${port ?? server.port}: ${why}`;
}

function stopOnSignals(running: RunningRelay, simulator: StartedSimulator | null): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    running.stop().then(
      (clean) => {
        simulator?.child.kill();
        if (!clean) console.error('estafet: some answers were still running after server.drainTimeoutMs and were cut.');
        process.exit(0);
      },
      (error: unknown) => {
        console.error('estafet: stopping failed:', error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // The default would end the process; a reload is what the sender means.
  process.on('SIGHUP', () => console.error('estafet: SIGHUP: this release reloads nothing; restart to apply a changed file.'));
  simulator?.child.on('exit', () => {
    if (!stopping) console.error('estafet: the simulator has ended; requests will fail until the relay is started again.');
  });
}
