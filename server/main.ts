import type { Server } from 'node:http';
import type { Config } from '../config/config.ts';
import type { Built, Prepared } from './built.ts';
import type { Connections } from './connections.ts';
import { createHttpServer, setServerLimits, stopListening } from './http-server.ts';
import { listen, urlOf } from './listen.ts';
import { createMetricsServer } from './metrics-server.ts';
import type { Change } from './reload/change.ts';
import { flushed } from './telemetry/logger.ts';
import { build } from './wiring.ts';

/** A relay that listens. */
export interface RunningRelay {
  /** `http://host:port` */
  readonly url: string;
  readonly server: Server;
  /** `http://host:port/metrics` when a port of their own serves them, else null. */
  readonly metricsUrl: string | null;
  /** Puts another configuration in force without ending anything. @throws Error, and nothing has changed */
  apply(config: Config): Promise<readonly Change[]>;
  /** The first half of `apply`, as `Built` has it. */
  prepare(config: Config): Promise<Prepared>;
  /**
   * Refuses new work, lets running answers end (at most `server.drainTimeoutMs`), then closes everything. True when none was cut. Whoever
   * calls it again hears of the same end.
   */
  stop(): Promise<boolean>;
}

/**
 * Builds, opens the books and listens.
 * @throws LedgerFault when the database cannot be used; Error with the system's code (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`) when the
 * port cannot be had; nothing stays open
 */
export async function startRelay(config: Config, built: Built = build(config)): Promise<RunningRelay> {
  const { server, connections } = createHttpServer(built.app, config.server);
  const { metrics } = config.server;
  const metricsServer = built.metrics === null ? null : createMetricsServer(built.metrics);
  try {
    await built.open();
    if (metricsServer !== null && metrics?.port !== undefined) await listen(metricsServer, metrics.port, metrics.host);
    // Last: whoever can ask is answered.
    await listen(server, config.server.port, config.server.host);
  } catch (error) {
    server.close();
    metricsServer?.close();
    await built.close(false);
    throw error;
  }
  const stopAll = async (): Promise<boolean> => {
    const clean = await emptied(server, connections, built, built.server().drainTimeoutMs);
    // Last: the end is watched too.
    metricsServer?.close();
    metricsServer?.closeAllConnections();
    return clean;
  };
  let stopping: Promise<boolean> | null = null;
  const stop = (): Promise<boolean> => (stopping ??= stopAll());
  const prepare = async (next: Config): Promise<Prepared> => {
    const prepared = await built.prepare(next);
    const commit = (): readonly Change[] => {
      const changes = prepared.commit();
      setServerLimits(server, built.server());
      return changes;
    };
    return { ...prepared, commit };
  };
  const apply = async (next: Config): Promise<readonly Change[]> => (await prepare(next)).commit();
  return { url: urlOf(server), server, metricsUrl: metricsServer && `${urlOf(metricsServer)}/metrics`, apply, prepare, stop };
}

/** For the rest of a head that had begun to arrive, once nothing else is under way. */
const LAST_HEADS_MS = 500;
/** What arrives so soon after the word to stop was on its way before it, and is answered. */
const ARRIVING_MS = 1_000;
/** For the last event of a stream that is cut. */
const LAST_WORDS_MS = 500;

/** Turns of the event loop: more connections than that are not waited for. */
const MOST_TURNS = 1_000;

/**
 * Connections that the system has accepted and queued are reset when nobody listens any more, with the requests in them. Each turn of the
 * event loop takes one of them: until two have passed in which nobody came.
 */
async function queueTaken(server: Server): Promise<void> {
  let quiet = 0;
  const came = (): void => {
    quiet = 0;
  };
  server.on('connection', came);
  for (let turns = 0; quiet < 2 && turns < MOST_TURNS; turns++) {
    quiet++;
    await new Promise(setImmediate);
  }
  server.off('connection', came);
}

async function emptied(server: Server, connections: Connections, built: Built, timeoutMs: number): Promise<boolean> {
  built.drain();
  let cut = false;
  let heads: NodeJS.Timeout | undefined;
  connections.drain(() => {
    heads ??= setTimeout(() => connections.closeQuiet(), LAST_HEADS_MS);
  });
  await queueTaken(server);
  const closed = new Promise<void>((resolve) => stopListening(server, resolve));
  const arriving = setTimeout(() => built.refuse(), ARRIVING_MS);
  let end: NodeJS.Timeout | undefined;
  const timer = setTimeout(() => {
    cut = true;
    built.refuse();
    built.cut();
    // Whoever does not take the last event in time, or is not yet as far as an answer, is cut off.
    end = setTimeout(() => server.closeAllConnections(), LAST_WORDS_MS);
  }, timeoutMs);
  await closed;
  clearTimeout(arriving);
  clearTimeout(heads);
  clearTimeout(timer);
  clearTimeout(end);
  // The lines of the last answers, beside all else: what follows has few of its own.
  built.logger.flush();
  await built.close(!cut);
  await flushed(built.logger);
  return !cut;
}
