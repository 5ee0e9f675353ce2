import { existsSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { LedgerFault } from '../relay/ledger/ledger-store.ts';
import { type RunningRelay, startRelay } from '../server/main.ts';
import { openTracing } from '../server/telemetry/tracing/open-tracing.ts';
import { type Built, build } from '../server/wiring.ts';
import { firstRun, greeting } from './first-run.ts';
import { liveReload } from './live-reload.ts';
import { loadOrExplain, warn } from './load.ts';
import { overridden } from './overrides.ts';
import type { ServeOptions } from './serve-options.ts';
import { type StartedSimulator, startSimulator } from './simulate.ts';

const DEFAULT_FILE = 'estafet.yaml';

/** `estafet serve`: starts whole or not at all, and ends with exit code 0 when told to. */
export async function serve(options: ServeOptions): Promise<void> {
  // What is told to nobody, or to a full disk, ends no relay.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => {});
  const file = options.config ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : null);
  const files = new Set<string>();
  let simulator: StartedSimulator | null = null;
  let config: Config | null;
  let key: string | null = null;
  if (file === null) {
    simulator = await startSimulator();
    ({ config, key } = firstRun(simulator));
  } else {
    const loaded = loadOrExplain(file, (path) => files.add(path));
    if (loaded !== null) warn(loaded.warnings);
    config = loaded?.config ?? null;
  }
  const settled = config === null ? null : overridden(config, options, process.env);
  if (settled === null) return fail(simulator);
  let built: Built;
  try {
    built = build(settled, { tracing: await openTracing(process.env) });
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
  if (file === null) process.on('SIGHUP', () => console.error('estafet: SIGHUP: there is no configuration file to read again.'));
  else await liveReload({ file, files, options, built, running });
  console.log(key === null ? `Estafet listens on ${running.url} (configuration: ${file}).` : greeting(running.url, key));
  if (running.metricsUrl !== null) console.log(`Metrics are at ${running.metricsUrl}.`);
}

function fail(simulator: StartedSimulator | null): void {
  simulator?.child.kill();
  process.exitCode = 1;
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

/** Two signals so close are one. */
const ONE_WISH_MS = 500;

function stopOnSignals(running: RunningRelay, simulator: StartedSimulator | null): void {
  let stoppingSince: number | null = null;
  const stop = (): void => {
    if (stoppingSince !== null) {
      // Ctrl-C comes twice where npm passes on what the terminal has sent already: that is one wish.
      if (performance.now() - stoppingSince < ONE_WISH_MS) return;
      simulator?.child.kill();
      console.error('estafet: told to stop a second time: answers that still ran are cut.');
      process.exit(1);
    }
    stoppingSince = performance.now();
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
  simulator?.child.on('exit', () => {
    if (stoppingSince === null) console.error('estafet: the simulator has ended; requests will fail until the relay is started again.');
  });
}
