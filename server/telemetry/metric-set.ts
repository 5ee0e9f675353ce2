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
    help: 'Requests in progress, by kind of answer: `stream` or `whole`.',
    labelNames: ['kind'],
    registers,
    collect() {
      const { streams, whole } = sources.running();
      this.set({ kind: 'stream' }, streams);
      this.set({ kind: 'whole' }, whole);
    },
  });
  read(
    'estafet_quota_unsent_settlements',
    'Settlements that Redis has not confirmed yet. They grow while Redis is unavailable.',
    () => sources.quota().unsent,
  );
  read('estafet_quota_open_reservations', 'Reservations of limits that this process holds.', () => sources.quota().open);
  read('estafet_books_waiting_lines', 'Lines of the books that wait to be written to the database.', () => sources.books().waiting);
  read('estafet_books_down', '1 while the books cannot be written to the database, else 0.', () => (sources.books().down ? 1 : 0), 'max');
  new Gauge({
    name: 'estafet_breakers_open',
    help: 'Breakers that keep requests away now, by cause. A breaker belongs to a backend, or to one model or key of it. One that is due for a probe does not count until the probe is sent.',
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
    help: 'Requests that wait in the queue of a backend. One that waits at several backends counts at each.',
    labelNames: ['backend'],
    registers,
    collect() {
      this.reset();
      for (const { backend, waiting } of sources.queues()) this.set({ backend }, waiting);
    },
  });
  new Gauge({
    name: 'estafet_backend_learned_concurrency',
    help: "Number of calls at a time that a backend accepts, learned from the vendor's rate limits. Absent while nothing is learned.",
    labelNames: ['backend'],
    registers,
    collect() {
      this.reset();
      for (const { backend, most } of sources.learned()) this.set({ backend }, most);
    },
  });
  new Gauge({
    name: 'estafet_backend_running',
    help: 'Calls in progress at a backend that has a `queue`. The learned concurrency bounds them.',
    labelNames: ['backend'],
    registers,
    collect() {
      this.reset();
      for (const { backend, running } of sources.backendRunning()) this.set({ backend }, running);
    },
  });
  new Counter({
    name: 'estafet_books_lost_lines_total',
    help: 'Lines of the books that were lost before they reached the database.',
    registers,
    collect() {
      this.reset();
      this.inc(sources.books().lost);
    },
  });
  new Counter({
    name: 'estafet_trace_spans_total',
    help: 'Spans, by outcome. `sent`: the collector accepted them. `lost`: it did not, or too many were waiting.',
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
    help: 'Sampled requests that were served without spans because of `server.tracing.maxPerSecond`.',
    registers,
    collect() {
      this.reset();
      this.inc(sources.traces?.()?.beyondRate ?? 0);
    },
  });

  return {
    build: new Gauge({
      name: 'estafet_build_info',
      help: 'Always 1. The labels have the versions of the relay and of Node.',
      aggregator: 'max',
      labelNames: ['version', 'node'],
      registers,
    }),
    requests: counter(
      'estafet_requests_total',
      'Requests that passed validation and routing, by how they ended. `model` is the requested name, `backend` the one tried last.',
      ['surface', 'model', 'backend', 'status', 'cause'],
    ),
    errors: counter('estafet_error_answers_total', 'Answers with an error status, including those to requests that were refused early.', [
      'status',
      'cause',
    ]),
    attempts: counter('estafet_upstream_attempts_total', 'Calls to backends, by how they ended. `model` is the backend’s own name.', [
      'backend',
      'model',
      'cause',
    ]),
    needsAdmin: counter(
      'estafet_needs_admin_total',
      'Calls that failed for a reason that only an admin can fix: the API key, the money of the account, or a model that it does not have. Starts at 0 for each configured backend.',
      ['backend', 'cause'],
    ),
    leftOut: counter(
      'estafet_candidates_left_out_total',
      'Candidates that a request skipped, by rule: `model`, `vendor` or `region` of a permit, `retired`, an ability that the request needs (such as `tools`), or `breaker`, which includes the limits of a backend.',
      ['backend', 'rule'],
    ),
    fallbacks: counter(
      'estafet_fallbacks_total',
      'Requests answered by a candidate other than the first. `backend` is the one that answered, `cause` the reason why the first did not.',
      ['backend', 'cause'],
    ),
    probes: counter(
      'estafet_probes_total',
      'Probes that the relay sent to backends with an open breaker, by outcome: `answered`, or the error.',
      ['backend', 'outcome'],
    ),
    retries: counter('estafet_retries_total', 'Repeated calls to the same backend and model, by the error of the call before.', [
      'backend',
      'cause',
    ]),
    queueSeconds: histogram(
      'estafet_queue_wait_seconds',
      'Time that requests waited in queues of backends. `room`: the request was then sent. `in vain`: it was not.',
      WAIT_SECONDS,
      ['outcome'],
    ),
    firstByte: histogram(
      'estafet_first_byte_seconds',
      'Time from the arrival of a streamed request to the first byte of its answer.',
      ANSWER_SECONDS,
      ['surface', 'backend'],
    ),
    duration: histogram(
      'estafet_request_duration_seconds',
      'Time from the arrival of a request to the end of its answer.',
      ANSWER_SECONDS,
      ['surface', 'backend', 'stream'],
    ),
    tokens: counter(
      'estafet_tokens_total',
      'Tokens that backends bill, including those of discarded answers. `prompt` includes `cached`, and `completion` includes `reasoning`.',
      ['backend', 'model', 'kind'],
    ),
    cost: counter('estafet_cost_total', 'Cost of the tokens at list prices, in units of the currency.', ['backend', 'model', 'currency']),
    unpriced: counter(
      'estafet_unpriced_requests_total',
      'Answers of models without a known price. Their cost is missing in `estafet_cost_total`.',
      ['backend', 'model'],
    ),
    estimateRatio: histogram(
      'estafet_estimate_ratio',
      'Tokens that the vendor counted, divided by the tokens reserved. Above 1: the request used more than was reserved.',
      RATIOS,
      ['vendor', 'kind'],
    ),
    hedges: counter(
      'estafet_hedges_total',
      'Requests for which a second call was due (`hedge`), by outcome. `won`, `lost`, `failed`: what became of the second call. `over-budget`, `no-room`: it was not made.',
      ['model', 'outcome'],
    ),
    ...reloadMetrics(register),
    reservations: counter(
      'estafet_quota_reservations_total',
      'Requests checked against limits, by outcome: `admitted`, `refused`, `unavailable` (the limits could not be checked).',
      ['outcome'],
    ),
    refusals: counter(
      'estafet_quota_refusals_total',
      'Requests refused by a limit. `kind`: `wait` (try again later), `too_large` (more than the whole limit) or `spent` (budget).',
      ['limit', 'kind'],
    ),
    reserveSeconds: histogram('estafet_quota_reserve_seconds', 'Time to check a request against limits.', STORE_SECONDS),
    breakers: counter(
      'estafet_breaker_changes_total',
      'Changes of breakers to the states `open`, `half-open` (a probe may pass) and `closed`.',
      ['backend', 'cause', 'state'],
    ),
    chunks: counter('estafet_stream_chunks_total', 'Chunks written to streams, without `[DONE]`.', ['backend']),
    debt: counter(
      'estafet_quota_debt_tokens_total',
      'Tokens that requests used beyond their reservation. They are taken from the limits afterwards, so the next requests may wait longer.',
      ['vendor'],
    ),
    redisSeconds: histogram('estafet_redis_seconds', 'Time of one script of the limits in Redis, including failed ones.', STORE_SECONDS, [
      'command',
    ]),
    redisFailures: counter('estafet_redis_failures_total', 'Scripts of the limits that failed in Redis.', ['command']),
    quotaFaults: counter('estafet_quota_faults_total', 'Faults of the store of limits (Redis), and of the books when limits read them.'),
  };
}
