import cluster from 'node:cluster';
import { flushCompileCache } from 'node:module';
import { takeOver } from '../../config/handed-over.ts';
import type { Built, Prepared } from '../built.ts';
import { type RunningRelay, startRelay } from '../main.ts';
import { startFault } from '../start-fault.ts';
import type { LogFile } from '../telemetry/log-file.ts';
import { createLogger, standardOutput } from '../telemetry/logger.ts';
import { openTracing } from '../telemetry/tracing/open-tracing.ts';
import { build } from '../wiring.ts';
import type { PrimaryCalls, Stopped, WorkerCalls } from './calls.ts';
import { Channel } from './channel.ts';

export interface WorkerOptions {
  /** As `BuildOptions` has it. */
  readonly leaseMs?: number;
}

/** The primary asks all workers meanwhile, each for at most a second. */
const ASK_MS = 3_000;

/**
 * A worker: waits for the primary's word, and serves. Signals that a terminal sends to all processes are the primary's business; SIGTERM to
 * one of them asks the primary for leave. If the primary dies, nothing new can arrive: running answers end, then the worker.
 */
export function runWorker(options: WorkerOptions = {}): void {
  let serving: { readonly built: Built; readonly relay: RunningRelay } | null = null;
  let prepared: Promise<Prepared> | null = null;
  let stopping: Promise<Stopped> | null = null;

  const output = standardOutput();
  const served = () => {
    if (serving === null) throw new Error('it has not been started');
    return serving;
  };
  const stop = (): Promise<Stopped> => {
    stopping ??= (async () => {
      const { built, relay } = served();
      const clean = await relay.stop();
      const metrics = await built.counted();
      // So that the primary knows when it has read all of it, and need not wait for this process's end.
      output.close();
      return { clean, metrics };
    })();
    return stopping;
  };
  const mine: WorkerCalls = {
    start: async ({ number, config }) => {
      serving = await started(number, config, primary, output, options);
      // As `serve` does.
      flushCompileCache();
      return serving.relay.url;
    },
    prepare: async (config) => {
      prepared = served().relay.prepare(takeOver(config));
      await prepared;
      return null;
    },
    commit: async () => {
      if (prepared === null) throw new Error('nothing has been prepared');
      return (await prepared).commit();
    },
    abandon: async () => {
      // One that failed holds nothing.
      await prepared?.then(
        (made) => made.abandon(),
        () => {},
      );
      return null;
    },
    metrics: () => served().built.counted(),
    find: async ({ id, key }) => served().built.receipt(id, key),
    stop,
  };
  const primary = new Channel<PrimaryCalls>((message) => void process.send?.(message, undefined, undefined, () => {}), mine);
  process.on('message', (message) => primary.receive(message));
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  process.on('SIGTERM', () => void primary.call('leave', null, ASK_MS).catch(() => {}));
  cluster.worker?.on('disconnect', () => {
    primary.close('the primary process is gone');
    if (cluster.worker === undefined) return;
    // Node would end the process now: right for one that has stopped, but it cuts what still runs where the primary has died.
    cluster.worker.exitedAfterDisconnect = true;
    const told = stopping !== null;
    if (!told) serving?.built.logger.error('the primary process is gone; this worker ends after its running answers');
    stop().then(
      () => process.exit(told ? 0 : 1),
      () => process.exit(1),
    );
  });
}

/** @throws Error with the one line for the operator */
async function started(number: number, handed: string, primary: Channel<PrimaryCalls>, output: LogFile, { leaseMs }: WorkerOptions) {
  const config = takeOver(handed);
  const siblings = {
    number,
    text: () => primary.call('metrics', null, ASK_MS),
    find: (wanted: Parameters<PrimaryCalls['find']>[0]) => primary.call('find', wanted, ASK_MS),
  };
  const logger = createLogger(config.server.logLevel, output, number);
  let built: Built;
  try {
    built = build(config, {
      logger,
      siblings,
      tracing: await openTracing(process.env, number),
      ...(leaseMs === undefined ? {} : { leaseMs }),
    });
  } catch (error) {
    throw new Error(`cannot start: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return { built, relay: await startRelay(config, built) };
  } catch (error) {
    throw new Error(startFault(error, config));
  }
}
