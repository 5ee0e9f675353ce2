import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Config } from '../../config/config.ts';
import { handOver } from '../../config/handed-over.ts';
import { listen, urlOf } from '../listen.ts';
import { createMetricsServer } from '../metrics-server.ts';
import type { Change } from '../reload/change.ts';
import { withoutRestart } from '../reload/fixed-settings.ts';
import type { Serving } from '../serving.ts';
import { startFault } from '../start-fault.ts';
import { createLogger, flushed, flushRegularly, standardOutput } from '../telemetry/logger.ts';
import { metricsPage } from '../telemetry/metrics.ts';
import { reloadMetrics, workerMetrics } from '../telemetry/own-metrics.ts';
import { logWorker } from '../telemetry/workers-log.ts';
import type { PrimaryCalls, Wanted } from './calls.ts';
import { forkWorker, setUpForks } from './forked.ts';
import { GatheredMetrics, valuesOf } from './gathered-metrics.ts';
import { Supervisor, type Worker } from './supervisor.ts';

export interface WorkersOptions {
  /** At least two. */
  readonly count: number;
  /** What each of them runs: it calls `runWorker`. */
  readonly script: URL;
}

/** A worker that has not begun to serve by then is killed. */
const START_MS = 60_000;
/** Longest wait for a worker that serves. */
const ASK_MS = 1_000;
/** Longest time to read the keys of the database under another configuration. */
const PREPARE_MS = 15_000;
/** What a worker has counted is known so exactly when it is killed. */
const METRICS_EVERY_MS = 1_000;
/** What a worker may need beyond the times of the configuration, to stop. */
const STOP_SLACK_MS = 10_000;

/**
 * Starts as many processes that share the port, and keeps them. This one reads the file, takes signals, opens the port and passes on what the
 * others write; it serves no request itself. Node closes the port while no worker listens.
 * @throws Error with one line for the operator; nothing stays open
 */
export async function startWorkers(config: Config, { count, script }: WorkersOptions): Promise<Serving> {
  let inForce = config;
  const out = standardOutput();
  const logger = createLogger(config.server.logLevel, out);
  flushRegularly(logger);
  const registry = new Registry();
  const own = { ...reloadMetrics(registry), ...workerMetrics(registry, () => supervisor.serving.length) };
  collectDefaultMetrics({ register: registry, labels: { worker: 'primary' } });
  const gathered = new GatheredMetrics<Worker>(
    () => valuesOf(registry),
    ({ channel }) => channel.call('metrics', null, ASK_MS),
  );
  const text = async (): Promise<string> => {
    await gathered.ask(supervisor.running);
    return gathered.text();
  };
  const calls = (self: Worker): PrimaryCalls => ({
    metrics: text,
    find: (wanted) =>
      foundBy(
        supervisor.running.filter((worker) => worker !== self),
        wanted,
      ),
    leave: async () => {
      void supervisor.leave(self, stopMs(inForce));
      return null;
    },
  });
  // Gathered in batches by who wrote them.
  const passOn = (lines: string): void => {
    out.write(lines);
    out.flush();
  };
  setUpForks(script);
  const supervisor = new Supervisor({
    count,
    fork: (number) => forkWorker(number, passOn, calls),
    start: ({ channel, number }) => channel.call('start', { number, config: handOver(inForce) }, START_MS),
    report: (event) => {
      logWorker(logger, event);
      if (event.type === 'worker-ended') own.ends.inc();
    },
    onEnd: (worker) => gathered.ended(worker),
    onStopped: (worker, { metrics }) => gathered.remember(worker, metrics),
  });

  const { metrics } = config.server;
  const metricsServer = metrics?.port === undefined ? null : createMetricsServer(metricsPage({ text }, metrics));
  let url: string;
  try {
    url = await supervisor.open(async () => {
      if (metricsServer === null || metrics?.port === undefined) return;
      await listen(metricsServer, metrics.port, metrics.host).catch((error: unknown) => {
        throw new Error(startFault(error, config));
      });
    }, stopMs(config));
  } catch (error) {
    metricsServer?.close();
    throw error;
  }
  const timer = metrics && setInterval(() => void gathered.ask(supervisor.running), METRICS_EVERY_MS).unref();

  const change = async (wanted: Config): Promise<readonly Change[]> => {
    const workers = supervisor.serving;
    if (workers.length === 0) throw new Error('no worker serves at the moment; try again');
    const text = handOver(wanted);
    const ready = await Promise.allSettled(workers.map(({ channel }) => channel.call('prepare', text, PREPARE_MS)));
    const refused = ready.find((one) => one.status === 'rejected');
    if (refused !== undefined) {
      // One that has just ended has nothing to abandon.
      await Promise.allSettled(workers.map(({ channel }) => channel.call('abandon', null, ASK_MS)));
      throw refused.reason;
    }
    // From here on there is no way back: those that start now start with it, and one that cannot follow is replaced.
    inForce = withoutRestart(inForce, wanted).config;
    logger.level = inForce.server.logLevel;
    const told = await Promise.all(
      workers.map((worker) =>
        worker.channel.call('commit', null, PREPARE_MS).catch((error: Error) => {
          logWorker(logger, { type: 'worker-behind', worker: worker.number, pid: worker.pid, fault: error.message });
          worker.kill();
          return null;
        }),
      ),
    );
    return told.find((changes) => changes !== null) ?? [];
  };
  return {
    url,
    metricsUrl: metricsServer && `${urlOf(metricsServer)}/metrics`,
    logger,
    server: () => inForce.server,
    apply: (wanted) => supervisor.exclusive(() => change(wanted)),
    reloaded: (outcome) => {
      own.reloads.inc({ outcome });
      own.fileRefused.set(outcome === 'refused' ? 1 : 0);
    },
    stop: async () => {
      try {
        return await supervisor.stop(stopMs(inForce));
      } finally {
        clearInterval(timer);
        // Last: the end is watched too.
        metricsServer?.close();
        metricsServer?.closeAllConnections();
        await flushed(logger);
      }
    },
    kill: () => supervisor.kill(),
    lost: supervisor.lost,
  };
}

const stopMs = ({ server, books }: Config): number => server.drainTimeoutMs + 2 * books.flushTimeoutMs + STOP_SLACK_MS;

const NOT_HERE = new Error('it is not here');

/** The receipt of whichever worker keeps it. @throws Error when none said so and not all said anything */
async function foundBy(workers: readonly Worker[], wanted: Wanted): Promise<string | null> {
  const answers = workers.map(async ({ channel }) => {
    const receipt = await channel.call('find', wanted, ASK_MS);
    if (receipt === null) throw NOT_HERE;
    return receipt;
  });
  try {
    return await Promise.any(answers);
  } catch (error) {
    const reasons = (error as AggregateError).errors as unknown[];
    if (reasons.every((reason) => reason === NOT_HERE)) return null;
    throw new Error('not all workers have said whether they keep it', { cause: error });
  }
}
