import { type Aggregator, Counter, Gauge, type Registry } from 'prom-client';
import { reloadMetrics } from './own-metrics.ts';
import { TallyCounter, TallyHistogram } from './tally.ts';

/** What is read only when someone asks for the metrics. */
export interface MetricSources {
  readonly books: () => { readonly waiting: number; readonly lost: number; readonly down: boolean };
  /** Settlements that the store of limits has not confirmed, and reservations that this process holds. */
  readonly quota: () => { readonly unsent: number; readonly open: number };
  readonly breakers: () => Iterable<{ readonly backend: string; readonly cause: string; readonly open: number }>;
  readonly queues: () => Iterable<{ readonly backend: string; readonly waiting: number }>;
  readonly learned: () => Iterable<{ readonly backend: string; readonly most: number }>;
  readonly backendRunning: () => Iterable<{ readonly backend: string; readonly running: number }>;
  /** Null, or absent: no traces are kept. */
  readonly traces?: () => { readonly sent: number; readonly lost: number; readonly beyondRate: number } | null;
  readonly running: () => { readonly streams: number; readonly whole: number };
}

/** In seconds: a cached refusal takes milliseconds, a thinking model minutes. */
const ANSWER_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const STORE_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25];
/** Queues are looked at every quarter of a second; `waitMs` is 5 s unless set. */
const WAIT_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Around 1, where the estimate was exact. */
const RATIOS = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 2, 4];

export type MetricSet = ReturnType<typeof metricSet>;

/**
 * Every metric of the relay's own, registered. Labels hold words of the code, of the configuration and of the catalogue only, never what a
 * caller or a vendor sent (S19): who adds one says in `metrics.ts` where its values come from.
 */
export function metricSet(register: Registry, sources: MetricSources) {
  const registers = [register];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new TallyCounter<L>({ name, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, buckets: number[], labelNames: readonly L[] = []) =>
    new TallyHistogram<L>({ name, help, labelNames, registers }, buckets);
  const read = (name: string, help: string, value: () => number, aggregator: Aggregator = 'sum'): void => {
    new Gauge({
      name,
      help,
      registers,
      aggregator,
      collect() {
        this.set(value());
      },
    });
  };

  new Gauge({
    name: 'estafet_requests_in_flight',
    help: 'Requests that are being answered now: streams, and whole answers.',
    labelNames: ['kind'],
    registers,
    collect() {
      const { streams, whole } = sources.running();
      this.set({ kind: 'stream' }, streams);
      this.set({ kind: 'whole' }, whole);
    },
  });
  read('estafet_quota_unsent_settlements', 'Settlements that the store of limits has not confirmed yet.', () => sources.quota().unsent);
  read('estafet_quota_open_reservations', 'Reservations that this process holds.', () => sources.quota().open);
  read('estafet_books_waiting_lines', 'Lines of the books that are not in the database yet.', () => sources.books().waiting);
  read('estafet_books_down', '1 while the database of the books fails, else 0.', () => (sources.books().down ? 1 : 0), 'max');
  new Gauge({
    name: 'estafet_breakers_open',
    help: 'Breakers that keep requests away now, from a backend, a model or a key, for the cause; not one whose time is over and that nobody probes.',
    labelNames: ['backend', 'cause'],
    // Workers tell each other: what is open is open in each.
    aggregator: 'max',
    registers,
    collect() {
      this.reset();
      for (const { backend, cause, open } of sources.breakers()) this.set({ backend, cause }, open);
    },
  });
  new Gauge({
    name: 'estafet_backend_queue',
    help: 'Requests that wait for room at a backend; one that waits at several counts at each.',
    labelNames: ['backend'],
    registers,
    collect() {
      this.reset();
      for (const { backend, waiting } of sources.queues()) this.set({ backend }, waiting);
    },
  });
  new Gauge({
    name: 'estafet_backend_learned_concurrency',
    help: 'Calls at a time that a backend was found to bear, from its refusals; absent while nothing is learned.',
    labelNames: ['backend'],
    registers,
    collect() {
      this.reset();
      for (const { backend, most } of sources.learned()) this.set({ backend }, most);
    },
  });
  new Gauge({
    name: 'estafet_backend_running',
    help: 'Calls under way at a backend with a queue: what a learned concurrency counts.',
    labelNames: ['backend'],
    registers,
    collect() {
      this.reset();
      for (const { backend, running } of sources.backendRunning()) this.set({ backend }, running);
    },
  });
  new Counter({
    name: 'estafet_books_lost_lines_total',
    help: 'Lines of the books that will never be in the database.',
    registers,
    collect() {
      this.reset();
      this.inc(sources.books().lost);
    },
  });
  new Counter({
    name: 'estafet_trace_spans_total',
    help: 'Spans that the collector took (`sent`), and those that are lost: it did not take them, or more waited than may (`lost`).',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      const traces = sources.traces?.() ?? null;
      if (traces === null) return;
      this.inc({ outcome: 'sent' }, traces.sent);
      this.inc({ outcome: 'lost' }, traces.lost);
    },
  });
  new Counter({
    name: 'estafet_traces_beyond_rate_total',
    help: 'Requests without spans although they were to have some: more a second than `server.tracing.maxPerSecond`.',
    registers,
    collect() {
      this.reset();
      this.inc(sources.traces?.()?.beyondRate ?? 0);
    },
  });

  return {
    build: new Gauge({
      name: 'estafet_build_info',
      help: 'Always 1; the version is in the label.',
      aggregator: 'max',
      labelNames: ['version', 'node'],
      registers,
    }),
    requests: counter(
      'estafet_requests_total',
      'Requests that got as far as the limits, by how they ended. `model` is what was asked for, `backend` the one tried last.',
      ['surface', 'model', 'backend', 'status', 'cause'],
    ),
    errors: counter('estafet_error_answers_total', 'Answers with an error status, those before the limits included.', ['status', 'cause']),
    attempts: counter('estafet_upstream_attempts_total', 'Calls to backends. `model` is the backend’s own name.', [
      'backend',
      'model',
      'cause',
    ]),
    needsAdmin: counter(
      'estafet_needs_admin_total',
      'Calls that failed of what nobody but an admin can mend: the account’s key, its money, or a model that it does not have. From 0 for each backend of the configuration.',
      ['backend', 'cause'],
    ),
    leftOut: counter(
      'estafet_candidates_left_out_total',
      'Candidates of requests that were not asked, by the rule: `model`, `vendor`, `region` of a permit, `retired`, what the request needs, or `breaker`.',
      ['backend', 'rule'],
    ),
    fallbacks: counter(
      'estafet_fallbacks_total',
      'Requests that another candidate than the first has answered. `backend` is that one, `cause` what the first failed of.',
      ['backend', 'cause'],
    ),
    probes: counter(
      'estafet_probes_total',
      'Questions of the relay’s own to backends that were left out: `answered`, or what they failed of.',
      ['backend', 'outcome'],
    ),
    retries: counter('estafet_retries_total', 'Calls to the place that had just failed, by what it had failed of.', ['backend', 'cause']),
    queueSeconds: histogram(
      'estafet_queue_wait_seconds',
      'Waits for room at a backend, by their end: `room`, or `in vain`.',
      WAIT_SECONDS,
      ['outcome'],
    ),
    firstByte: histogram(
      'estafet_first_byte_seconds',
      'From the arrival of a streamed request to the first byte of its answer.',
      ANSWER_SECONDS,
      ['surface', 'backend'],
    ),
    duration: histogram('estafet_request_duration_seconds', 'From the arrival of a request to the end of its answer.', ANSWER_SECONDS, [
      'surface',
      'backend',
      'stream',
    ]),
    tokens: counter(
      'estafet_tokens_total',
      'Tokens as backends bill them, answers that were thrown away included. `cached` are among `prompt`, `reasoning` among `completion`.',
      ['backend', 'model', 'kind'],
    ),
    cost: counter('estafet_cost_total', 'List prices of what was used, in units of the currency.', ['backend', 'model', 'currency']),
    unpriced: counter('estafet_unpriced_requests_total', 'Answers whose cost is in no sum, since no price is known.', ['backend', 'model']),
    estimateRatio: histogram(
      'estafet_estimate_ratio',
      'Tokens that a backend counted, divided by those that were reserved. Above 1 more was used than reserved.',
      RATIOS,
      ['vendor', 'kind'],
    ),
    hedges: counter(
      'estafet_hedges_total',
      'Requests whose first candidate was silent for too long, by what came of calling another beside it: `won`, `lost`, `failed`, or not called: `over-budget`, `no-room`.',
      ['model', 'outcome'],
    ),
    ...reloadMetrics(register),
    reservations: counter('estafet_quota_reservations_total', 'Questions to the limits, by outcome: admitted, refused, unavailable.', [
      'outcome',
    ]),
    refusals: counter('estafet_quota_refusals_total', 'Refusals by the limit that refused, and whether to wait.', ['limit', 'kind']),
    reserveSeconds: histogram('estafet_quota_reserve_seconds', 'Time that the limits took to answer.', STORE_SECONDS),
    breakers: counter('estafet_breaker_changes_total', 'Breakers that opened, let a probe through (`half-open`) or closed.', [
      'backend',
      'cause',
      'state',
    ]),
    chunks: counter('estafet_stream_chunks_total', 'Chunks of streams that were written, `[DONE]` not counted.', ['backend']),
    debt: counter(
      'estafet_quota_debt_tokens_total',
      'Tokens that requests used beyond what was reserved for them: taken from the limits afterwards, so that the next requests wait.',
      ['vendor'],
    ),
    redisSeconds: histogram(
      'estafet_redis_seconds',
      'Time that Redis took for one script of the limits, failures included.',
      STORE_SECONDS,
      ['command'],
    ),
    redisFailures: counter('estafet_redis_failures_total', 'Scripts of the limits that Redis did not carry out.', ['command']),
    quotaFaults: counter('estafet_quota_faults_total', 'Faults of the store of limits, and of the books where it asks them.'),
  };
}
