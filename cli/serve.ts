import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import type { Config } from '../config/config.ts';
import type { Built } from '../server/built.ts';
import type { Serving } from '../server/serving.ts';
import { startFault } from '../server/start-fault.ts';
import { workerCount } from '../server/workers/count.ts';
import { startWorkers } from '../server/workers/primary.ts';
import { firstRun, greeting } from './first-run.ts';
import { liveReload } from './live-reload.ts';
import { loadOrExplain, warn } from './load.ts';
import { overridden } from './overrides.ts';
import type { ServeOptions } from './serve-options.ts';
import { type StartedSimulator, startSimulator } from './simulate.ts';

const DEFAULT_FILE = 'estafet.yaml';
/** The compiled tree has .js files, the source tree .ts ones. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './serve-worker.ts' : './serve-worker.js', import.meta.url);

/** `estafet serve`: starts whole or not at all, and ends with exit code 0 when told to. */
export async function serve(options: ServeOptions): Promise<void> {
  // What is told to nobody, or to a full disk, ends no relay.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => {});
  // A reload that is asked for during the start would end the process: it waits for its turn.
  let reloadWanted = false;
  const wantReload = (): void => {
    reloadWanted = true;
  };
  process.on('SIGHUP', wantReload);
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
  const { count, note } = workerCount(settled);
  if (note !== null) console.error(`estafet: ${note}`);
  let serving: Serving;
  try {
    serving = count === 1 ? await startAlone(settled) : await startWorkers(settled, { count, script: WORKER });
  } catch (error) {
    console.error(`estafet: ${error instanceof Error ? error.message : String(error)}`);
    return fail(simulator);
  }
  // Now, once for each build: at its end it would hold up the exit.
  flushCompileCache();
  // Before the line is out: whoever reads it may send a signal at once.
  stopOnSignals(serving, simulator);
  if (file === null) process.on('SIGHUP', () => console.error('estafet: SIGHUP ignored: there is no configuration file to reload.'));
  else await liveReload({ file, files, options, serving });
  process.off('SIGHUP', wantReload);
  const workers = count === 1 ? '' : `, ${count} workers`;
  console.log(key === null ? `Estafet listens on ${serving.url} (configuration: ${file}${workers}).` : greeting(serving.url, key));
  if (serving.metricsUrl !== null) console.log(`Metrics are at ${serving.metricsUrl}.`);
  if (reloadWanted) process.emit('SIGHUP', 'SIGHUP');
}

function fail(simulator: StartedSimulator | null): void {
  simulator?.child.kill();
  process.exitCode = 1;
}

/** @throws Error with one line for the operator */
async function startAlone(config: Config): Promise<Serving> {
  // The first of several processes serves nothing, and does without these.
  const [{ startRelay }, { build }, { openTracing }] = await Promise.all([
    import('../server/main.ts'),
    import('../server/wiring.ts'),
    import('../server/telemetry/tracing/open-tracing.ts'),
  ]);
  let built: Built;
  try {
    built = build(config, { tracing: await openTracing(process.env) });
  } catch (error) {
    throw new Error(`cannot start: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    const running = await startRelay(config, built);
    const { logger, server, reloaded } = built;
    return { ...running, logger, server, reloaded, kill: () => {}, lost: new Promise(() => {}) };
  } catch (error) {
    throw new Error(startFault(error, config));
  }
}

/** Two signals so close are one. */
const ONE_WISH_MS = 500;

function stopOnSignals(serving: Serving, simulator: StartedSimulator | null): void {
  let stoppingSince: number | null = null;
  const stop = (): void => {
    if (stoppingSince !== null) {
      // Ctrl-C comes twice where npm passes on what the terminal has sent already: that is one wish.
      if (performance.now() - stoppingSince < ONE_WISH_MS) return;
      simulator?.child.kill();
      serving.kill();
      console.error('estafet: second signal to stop: running answers were cut.');
      process.exit(1);
    }
    stoppingSince = performance.now();
    serving.stop().then(
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
  void serving.lost.then((why) => {
    console.error(`estafet: ${why}.`);
    process.exit(1);
  });
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  simulator?.child.on('exit', () => {
    if (stoppingSince === null) console.error('estafet: the simulator has ended; requests will fail. Restart the relay.');
  });
}
