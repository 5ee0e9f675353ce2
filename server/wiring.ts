import type { Express } from 'express';
import { type Catalog, loadCatalog } from '../catalog/catalog.ts';
import type { Backend, Config, Server } from '../config/config.ts';
import { storedSettings } from '../config/stored-access.ts';
import { OpenAIError } from '../openai/errors.ts';
import { SchemaChecker } from '../relay/emulation/schema-checker.ts';
import { InFlight } from '../relay/in-flight.ts';
import { KeyRing } from '../relay/keys/key-ring.ts';
import { Books } from '../relay/ledger/books.ts';
import type { LedgerStore } from '../relay/ledger/ledger-store.ts';
import { BackendGate, backendLimits, ownerOf } from '../relay/quota/backend-gate.ts';
import { Calibration } from '../relay/quota/calibration.ts';
import { QuotaGate } from '../relay/quota/gate.ts';
import type { Served } from '../relay/quota/learned-by-model.ts';
import { LearnedLimits } from '../relay/quota/learned-limits.ts';
import type { RequestRecord } from '../relay/records/request-record.ts';
import { RequestRecords } from '../relay/records/request-records.ts';
import { BackendQueues } from '../relay/routing/backend-queues.ts';
import { DeadlineWheel } from '../relay/upstream/deadlines.ts';
import { ListCalibration } from '../relay/vectors/list-forecast.ts';
import type { MetricsPage } from '../routes/ops/metrics.ts';
import { VENDORS } from '../translators/registry.ts';
import { createApp } from './app.ts';
import { BackendClients } from './backend-clients.ts';
import { openHealth } from './backend-health.ts';
import { tableChanges } from './countries.ts';
import { accessReader } from './database/open-access.ts';
import { ledgerStore } from './database/open-ledger.ts';
import { type Generation, generation } from './generation.ts';
import { KeyWatch } from './key-watch.ts';
import { Overload } from './overload.ts';
import { Prober } from './probe/prober.ts';
import { openQuotaStore } from './quota-store.ts';
import { ReadinessProbe } from './readiness.ts';
import { readyChecks } from './ready-checks.ts';
import type { Change } from './reload/change.ts';
import { configChanges } from './reload/config-changes.ts';
import { withoutRestart } from './reload/fixed-settings.ts';
import { logBooks } from './telemetry/books-log.ts';
import { logBreaker } from './telemetry/breaker-log.ts';
import { logKeys } from './telemetry/keys-log.ts';
import { createLogger, flushRegularly, type Logger, logError, logFault, logQuotaFault } from './telemetry/logger.ts';
import { Metrics, metricsPage } from './telemetry/metrics.ts';
import { logRetirement, RetirementWatch } from './telemetry/retirement-watch.ts';
import { tellProbed, tellSettled } from './telemetry/settled.ts';
import { tracingHooks } from './telemetry/tracing/hooks.ts';
import type { MakeTracing } from './telemetry/tracing/open-tracing.ts';
import { VERSION } from './version.ts';

/** A dead node's reservations are settled at their reserved amounts after so long; a living one renews them three times as often. */
const LEASE_MS = 60_000;
/** The keys’ own connection has nothing to write: a database that does not answer is left soon. */
const KEYS_CLOSE_MS = 1_000;

/** Everything one process consists of. */
export interface Built {
  readonly app: Express;
  /** What a port of its own serves; null when there is none. */
  readonly metrics: MetricsPage | null;
  readonly logger: Logger;
  readonly books: Books;
  /** Opens the books, then the store of limits, which may be gone. @throws LedgerFault when the database cannot be used */
  open(): Promise<void>;
  /** Of the configuration in force. */
  server(): Server;
  /**
   * Puts another configuration in force, whole, for requests that begin from now on; those that run keep theirs. What needs a restart stays.
   * @throws Error when it cannot be used, or the keys of the database cannot be read: nothing has changed then
   */
  apply(config: Config): Promise<readonly Change[]>;
  /** The first half of `apply`: all that can fail. One of the two that come back must be called, soon: no key is read anew until then. */
  prepare(config: Config): Promise<Prepared>;
  /** Counted and shown by the metrics. */
  reloaded(outcome: 'applied' | 'unchanged' | 'refused'): void;
  /** From now on new requests are refused. */
  drain(): void;
  /** Ends the requests that still run: each gets `draining`, a stream that has begun as its last event. */
  cut(): void;
  /** Ends timers, threads and connections; running calls first when `graceful`. Lines that wait for the books are written. */
  close(graceful: boolean): Promise<void>;
}

/** A configuration that can be put in force whole, or be left. */
export interface Prepared {
  commit(): readonly Change[];
  abandon(): void;
}

export interface BuildOptions {
  readonly logger?: Logger;
  readonly catalog?: Catalog;
  readonly random?: () => number;
  /** Absent or null: no traces are kept. */
  readonly tracing?: MakeTracing | null;
  /** The calendar, ms since the epoch: which models their vendors have retired by now. */
  readonly now?: () => number;
  /** Where the books lie; from the configuration unless given. */
  readonly ledger?: LedgerStore;
  /** Instead of a minute: after so long what a dead node had reserved is settled; its nodes look three times as often. */
  readonly leaseMs?: number;
  /** Told of every settled request, after the log. */
  readonly onSettled?: (record: RequestRecord) => void;
}

/** Builds the process from a configuration: every `new` of the relay stands here. Opens no port and no connection. */
export function build(config: Config, options: BuildOptions = {}): Built {
  const logger = options.logger ?? createLogger(config.server.logLevel);
  const stopFlushing = flushRegularly(logger);
  const wheel = new DeadlineWheel();
  wheel.start();
  const checker = new SchemaChecker();
  const records = new RequestRecords(config.server.receiptsKept, config.server.receiptTtlMs);
  const catalog = options.catalog ?? loadCatalog();
  const { now = Date.now, random = Math.random } = options;
  const retirementWatch = new RetirementWatch(
    () => live.retirements(),
    (retirement) => logRetirement(logger, retirement),
  );
  const tracing = options.tracing?.(tracingHooks(logger, () => live.config)) ?? null;
  const books = new Books(options.ledger ?? ledgerStore(config.database), {
    ...config.books,
    report: (event) => logBooks(logger, event),
  });
  const onQuotaFault = (fault: unknown, waiting = 0): void => {
    logQuotaFault(logger, fault, waiting);
    metrics?.quotaFault();
  };
  const { leaseMs = LEASE_MS } = options;
  // What was reserved before a reload is swept to its end after it too.
  const owned = new Set<string>();
  const own = ({ teams, backends }: Config): void => {
    for (const team of Object.keys(teams)) owned.add(`team/${team}`);
    for (const backend of Object.values(backends)) if (backendLimits(backend).length > 0) owned.add(ownerOf(backend));
  };
  own(config);
  const owners = (): string[] => [...new Set([...owned, ...Array.from(watch?.teams ?? [], (team) => `team/${team}`)])];
  const quotas = openQuotaStore(config, owners, books, leaseMs, onQuotaFault, (...said) => metrics?.redis(...said));
  const backendsNow = (): readonly Backend[] => Object.values(live.config.backends);
  const breakers = openHealth({
    redis: quotas.redis,
    backends: backendsNow,
    now: () => wheel.now(),
    random,
    isProbed: (backend, place) => live.probeQuestion(backend, place) !== null,
    onChange: (event) => {
      logBreaker(logger, event);
      metrics?.breaker(event);
    },
    // A Redis that is gone is told of by the limits.
    onFault: (fault) => logger.debug({ error: String(fault) }, 'breakers: Redis does not answer; each process knows its own'),
  });
  const { health } = breakers;
  const names = {
    asked: (name: string) => live.names.asked(name),
    served: (vendor: string, model: string) => live.names.served(vendor, model),
  };
  const inFlight = new InFlight();
  const queues = new BackendQueues(wheel);
  const onRoom = (backend: string): void => queues.room(backend);
  const learned = new LearnedLimits(() => wheel.now(), onRoom);
  const metrics =
    config.server.metrics &&
    new Metrics(names, {
      books: () => books.status(),
      quota: () => quotas.quota,
      breakers: () => health.openings(backendsNow()),
      queues: () => queues.lengths(),
      learned: () => learned.limits(),
      running: () => inFlight,
      traces: () => tracing?.counts ?? null,
    });
  const known = ({ vendor, model }: Served): boolean => live.names.isServed(vendor, model);
  const calibration = new Calibration({ charsPerToken: (vendor) => VENDORS[vendor]?.charsPerToken ?? null, known });
  const listCalibrations = { embedding: new ListCalibration(known), rerank: new ListCalibration(known) };
  const backends = new BackendGate(quotas.quota, { leaseMs, learned, onFault: onQuotaFault, onRoom });
  const onReserved = metrics && ((...said: Parameters<Metrics['reserved']>) => metrics.reserved(...said));
  const gate = new QuotaGate(quotas.quota, {
    leaseMs,
    shared: config.redis !== undefined,
    spent: quotas.spent,
    onFault: onQuotaFault,
    onReserved,
  });
  const onSettled = tellSettled({ books, records, logger, metrics, tracing, also: options.onSettled });
  const onFault = (fault: unknown, id: string): void => logFault(logger, fault, id);
  const prober = new Prober({
    current: () => live,
    health,
    gate: backends,
    wheel,
    onProbed: tellProbed({ books, logger, metrics }),
    onFault,
  });
  const clients = new BackendClients(wheel, `estafet/${VERSION}`);
  const services = {
    wheel,
    check: checker.check,
    gate,
    backends,
    calibration,
    listCalibrations,
    inFlight,
    health,
    queues,
    random,
    onSettled,
    onFault,
  };
  const make = (next: Config, before: Generation | null) =>
    generation(next, clients.prepare(Object.values(next.backends)), { catalog, now, services }, before);
  let live = make(config, null);
  clients.adopt(live.clients);
  let keys = new KeyRing(config);
  const currentOf = () => ({ relay: live.relay, vectors: live.vectors, keys, server: live.config.server, origins: live.origins });
  let current = currentOf();
  const reader = accessReader(config.database);
  const watch =
    reader &&
    new KeyWatch(reader, {
      config,
      settings: storedSettings(VENDORS),
      report: (event) => logKeys(logger, event),
      onChange: (ring) => {
        keys = ring;
        current = currentOf();
      },
    });
  let draining = false;
  const checks = readyChecks(books, health, backendsNow, quotas.ping);
  const probe = new ReadinessProbe({ checks, timeoutMs: 1_000, keptMs: 1_000, draining: () => draining });
  const page = metrics && metricsPage(metrics, config.server.metrics);
  const overload = new Overload({ maxInFlight: () => live.config.server.maxInFlight, maxLagMs: () => live.config.server.maxLagMs });
  const app = createApp({
    current: () => current,
    records,
    books,
    levels: (caller) => gate.levels(caller),
    ready: () => probe.ready(),
    metrics: config.server.metrics?.port === undefined ? (page ?? null) : null,
    draining: () => draining,
    overload,
    tracing,
    onError: (error, id, method, path, trace) => {
      logError(logger, error, id, method, path, trace);
      metrics?.answered(error);
      tracing?.failed(trace, error, id);
    },
  });
  const prepare = async (wanted: Config): Promise<Prepared> => {
    const { config: next, restart } = withoutRestart(live.config, wanted);
    const made = make(next, live);
    const ring = watch === null ? { commit: () => new KeyRing(next), abandon: () => {} } : await watch.prepare(next);
    // Nothing waits in here: no request sees half of it.
    const commit = (): readonly Change[] => {
      const changes = [...configChanges(live, made), ...tableChanges(live.countries, made.countries), ...restart];
      clients.adopt(made.clients);
      own(next);
      live = made;
      keys = ring.commit();
      current = currentOf();
      logger.level = next.server.logLevel;
      retirementWatch.look();
      return changes;
    };
    return { commit, abandon: ring.abandon };
  };
  return {
    app,
    metrics: config.server.metrics?.port === undefined ? null : (page ?? null),
    logger,
    books,
    open: async () => {
      await books.open();
      await watch?.open();
      quotas.start();
      breakers.start();
      prober.start();
      gate.start();
      overload.start();
      retirementWatch.start();
    },
    server: () => live.config.server,
    apply: async (wanted) => (await prepare(wanted)).commit(),
    prepare,
    reloaded: (outcome) => metrics?.reloaded(outcome),
    drain: () => {
      draining = true;
    },
    cut: () => inFlight.cut(new OpenAIError('draining', 'The relay is shutting down. Please try again.', { retryAfterMs: 1000 })),
    close: async (graceful) => {
      await prober.stop();
      await clients.close(graceful);
      // Calls that were cut settle only now, and their lines belong in the books.
      await new Promise(setImmediate);
      await gate.close(config.books.flushTimeoutMs);
      breakers.stop();
      await quotas.close();
      // The books last: of a SQLite file only a connection that may write can fold the log back into it.
      await watch?.close(KEYS_CLOSE_MS);
      await books.close(config.books.flushTimeoutMs);
      await tracing?.close();
      wheel.stop();
      overload.stop();
      retirementWatch.stop();
      stopFlushing();
      await checker.close();
    },
  };
}
