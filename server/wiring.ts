import { loadCatalog } from '../catalog/catalog.ts';
import type { Backend, Config } from '../config/config.ts';
import { storedSettings } from '../config/stored-access.ts';
import { OpenAIError } from '../openai/errors.ts';
import { SchemaChecker } from '../relay/emulation/schema-checker.ts';
import { InFlight } from '../relay/in-flight.ts';
import { KeyRing } from '../relay/keys/key-ring.ts';
import { Books } from '../relay/ledger/books.ts';
import { BackendGate, backendLimits, ownerOf } from '../relay/quota/backend-gate.ts';
import { Calibration } from '../relay/quota/calibration.ts';
import { QuotaGate } from '../relay/quota/gate.ts';
import type { Served } from '../relay/quota/learned-by-model.ts';
import { LearnedLimits } from '../relay/quota/learned-limits.ts';
import { RequestRecords } from '../relay/records/request-records.ts';
import { BackendQueues } from '../relay/routing/backend-queues.ts';
import { DeadlineWheel } from '../relay/upstream/deadlines.ts';
import { ListCalibration } from '../relay/vectors/list-forecast.ts';
import { VENDORS } from '../translators/registry.ts';
import { createApp } from './app.ts';
import { BackendClients } from './backend-clients.ts';
import { openHealth } from './backend-health.ts';
import type { BuildOptions, Built, Prepared } from './built.ts';
import { configPage } from './config-page.ts';
import { tableChanges } from './countries.ts';
import { accessReader, ledgerStore } from './database/relay-stores.ts';
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
import { logBreaker, logUnprobed } from './telemetry/breaker-log.ts';
import { logKeys, seenByAll } from './telemetry/keys-log.ts';
import { createLogger, flushRegularly, logError, logFault, logQuotaFault } from './telemetry/logger.ts';
import { Metrics, metricsPage } from './telemetry/metrics.ts';
import { logRetirement, RetirementWatch } from './telemetry/retirement-watch.ts';
import { tellProbed, tellSettled } from './telemetry/settled.ts';
import { tracingHooks } from './telemetry/tracing/hooks.ts';
import { VERSION } from './version.ts';
import { withSiblings } from './workers/siblings.ts';

/** A dead node's reservations are settled at their reserved amounts after so long; a living one renews them three times as often. */
const LEASE_MS = 60_000;
/** The keys’ own connection has nothing to write: a database that does not answer is left soon. */
const KEYS_CLOSE_MS = 1_000;

/** Builds the process from a configuration: every `new` of the relay stands here. Opens no port and no connection. */
export function build(config: Config, options: BuildOptions = {}): Built {
  const logger = options.logger ?? createLogger(config.server.logLevel);
  const stopFlushing = flushRegularly(logger);
  const wheel = new DeadlineWheel();
  wheel.start();
  const checker = new SchemaChecker();
  const records = new RequestRecords(config.server.receiptsKept, config.server.receiptTtlMs);
  const catalog = options.catalog ?? loadCatalog();
  const { now = Date.now, random = Math.random, siblings } = options;
  // What all workers see alike is told by one of them.
  const tells = siblings === undefined || siblings.number === 1;
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
  const { health, ...breakers } = openHealth({
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
    onFault: (fault) => logger.debug({ error: String(fault) }, 'breakers: Redis does not answer; each process knows only its own breakers'),
  });
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
    new Metrics(
      names,
      {
        books: () => books.status(),
        quota: () => quotas.quota,
        breakers: () => health.openings(backendsNow()),
        queues: () => queues.lengths(),
        learned: () => learned.limits(),
        backendRunning: () => learned.running(),
        running: () => inFlight,
        traces: () => tracing?.counts ?? null,
      },
      siblings?.number,
    );
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
  const redact = (text: string): string => clients.redact(text);
  const onSettled = tellSettled({ books, records, logger, redact, metrics, tracing, also: options.onSettled });
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
  metrics?.configured(config);
  let keys = new KeyRing(config);
  const currentOf = () => ({ relay: live.relay, vectors: live.vectors, keys, server: live.config.server, origins: live.origins });
  let current = currentOf();
  const reader = accessReader(config.database);
  const watch =
    reader &&
    new KeyWatch(reader, {
      config,
      settings: storedSettings(VENDORS),
      report: (event) => (tells || !seenByAll(event) ? logKeys(logger, event) : undefined),
      onChange: (ring) => {
        keys = ring;
        current = currentOf();
      },
    });
  let draining = false;
  let refusing = false;
  const checks = readyChecks(books, health, backendsNow, quotas.ping);
  const probe = new ReadinessProbe({ checks, timeoutMs: 1_000, keptMs: 1_000, draining: () => draining });
  const page = metrics && metricsPage(siblings ?? metrics, config.server.metrics);
  const ownPort = config.server.metrics?.port !== undefined;
  const overload = new Overload({ maxInFlight: () => live.config.server.maxInFlight, maxLagMs: () => live.config.server.maxLagMs });
  const app = createApp({
    current: () => current,
    inFlight,
    records: siblings === undefined ? records : withSiblings(records, siblings),
    books,
    levels: (caller) => gate.levels(caller),
    ready: () => probe.ready(),
    config: () => configPage(live.config),
    metrics: ownPort ? null : (page ?? null),
    refusing: () => refusing,
    overload,
    tracing,
    onError: (error, id, method, path, trace) => {
      logError(logger, error, id, method, path, trace);
      metrics?.answered(error);
      tracing?.failed(trace, error, id);
    },
  });
  const prepare = async (wanted: Config): Promise<Prepared> => {
    if (draining) throw new Error('the relay is shutting down');
    const { config: next, restart } = withoutRestart(live.config, wanted);
    const made = make(next, live);
    const ring = watch === null ? { commit: () => new KeyRing(next), abandon: () => {} } : await watch.prepare(next);
    // Nothing waits in here: no request sees half of it.
    const commit = (): readonly Change[] => {
      const changes = [...configChanges(live, made), ...tableChanges(live.countries, made.countries), ...restart];
      clients.adopt(made.clients);
      own(next);
      metrics?.configured(next);
      live = made;
      keys = ring.commit();
      current = currentOf();
      logger.level = next.server.logLevel;
      if (tells) retirementWatch.look();
      if (tells) logUnprobed(logger, live.unprobed());
      return changes;
    };
    return { commit, abandon: ring.abandon };
  };
  return {
    app,
    metrics: ownPort && siblings === undefined ? (page ?? null) : null,
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
      if (tells) retirementWatch.start();
      if (tells) logUnprobed(logger, live.unprobed());
    },
    server: () => live.config.server,
    prepare,
    counted: async () => metrics?.values() ?? [],
    receipt: (id, key) => records.find(id, key, Date.now()),
    reloaded: (outcome) => metrics?.reloaded(outcome),
    drain: () => {
      draining = true;
      clients.drain();
      // Nobody's key is looked up any more: the running answers leave time for this. What fails is told by `close`, which waits for the same end.
      watch?.close(KEYS_CLOSE_MS).catch(() => {});
    },
    refuse: () => {
      refusing = true;
    },
    cut: () => inFlight.cut(new OpenAIError('draining', 'The relay is shutting down. Please try again.', { retryAfterMs: 1000 })),
    close: async (graceful) => {
      await prober.stop();
      await clients.close(graceful);
      // Calls that were cut settle only now, and their lines belong in the books.
      await new Promise(setImmediate);
      breakers.stop();
      const limitsClosed = async (): Promise<void> => {
        await gate.close(config.books.flushTimeoutMs);
        await quotas.close();
      };
      const databaseClosed = async (): Promise<void> => {
        // The books last: of a SQLite file only a connection that may write can fold the log back into it.
        await watch?.close(KEYS_CLOSE_MS);
        await books.close(config.books.flushTimeoutMs);
      };
      // None of them waits for another, nor is kept from its end by another's failure.
      const ends = await Promise.allSettled([limitsClosed(), databaseClosed(), tracing?.close(), checker.close()]);
      wheel.stop();
      overload.stop();
      retirementWatch.stop();
      stopFlushing();
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    },
  };
}
