import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Config, MetricsSettings } from '../../config/config.ts';
import type { OpenAIError } from '../../openai/errors.ts';
import type { Cost } from '../../relay/ledger/cost.ts';
import type { Outcome } from '../../relay/quota/guarded-quota.ts';
import type { Attempt, RequestRecord } from '../../relay/records/request-record.ts';
import type { BreakerEvent } from '../../relay/routing/breaker-event.ts';
import type { MetricsPage } from '../../routes/ops/metrics.ts';
import type { ModelNames } from '../model-names.ts';
import { VERSION } from '../version.ts';
import type { MetricValues } from '../workers/calls.ts';
import { valuesOf } from '../workers/gathered-metrics.ts';
import { ADMIN_CAUSES, causeOf, NO_CAUSE } from './cause.ts';
import { type MetricSet, type MetricSources, metricSet } from './metric-set.ts';
import { countRouting } from './routing-counts.ts';

/** Where no backend was asked. */
const NO_BACKEND = 'none';

interface Billed {
  readonly prompt: number;
  readonly completion: number;
  readonly cached: number;
  readonly reasoning: number;
  readonly cost: Cost | null;
}

/** A model's name as a label; asked for each time, since a reload brings others. */
type Names = Pick<ModelNames, 'asked' | 'served'>;

/** Counts what happens, in this process since its start. Told once a request, after its answer: a chunk costs nothing. */
export class Metrics {
  readonly #names: Names;
  readonly #registry = new Registry();
  readonly #set: MetricSet;

  /** @param worker of several; its process is told apart by this label, and what it counts is added up with the others' */
  constructor(names: Names, sources: MetricSources, worker?: number) {
    this.#names = names;
    this.#set = metricSet(this.#registry, sources);
    this.#set.build.set({ version: VERSION, node: process.version }, 1);
    collectDefaultMetrics({ register: this.#registry, ...(worker === undefined ? {} : { labels: { worker: String(worker) } }) });
  }

  /** In Prometheus's text form. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** For the sum of all workers. */
  values(): Promise<MetricValues> {
    return valuesOf(this.#registry);
  }

  /** A configuration is in force. A series begins at 0 here: one that its first failure brings about at 1 shows no increase. */
  configured({ backends, models }: Pick<Config, 'backends' | 'models'>): void {
    for (const backend of Object.keys(backends)) for (const cause of ADMIN_CAUSES) this.#set.needsAdmin.inc({ backend, cause }, 0);
    for (const { to } of Object.values(models)) for (const { backend, model } of to) this.#set.unpriced.inc({ backend, model }, 0);
  }

  settled(record: RequestRecord): void {
    const { surface, status, attempts, usage, cost } = record;
    const last = attempts.at(-1);
    const backend = last?.backend ?? NO_BACKEND;
    this.#set.requests.inc({ surface, model: this.#names.asked(record.model), backend, status, cause: causeOf(record) });
    for (const attempt of attempts) if (attempt.unsent !== true) this.#attempt(attempt);
    countRouting(this.#set, record);
    if (record.hedge !== undefined) this.#set.hedges.inc({ model: this.#names.asked(record.model), outcome: record.hedge });
    if (record.firstByteMs !== null) this.#set.firstByte.observe({ surface, backend }, record.firstByteMs / 1000);
    this.#set.duration.observe({ surface, backend, stream: record.stream ? 'true' : 'false' }, Math.max(0, record.totalMs) / 1000);
    if (record.chunks !== undefined && record.chunks > 0) this.#set.chunks.inc({ backend }, record.chunks);
    if (usage === null || last === undefined) return;
    const { paidPromptTokens: prompt, completionTokens: completion, cachedTokens: cached, reasoningTokens: reasoning } = usage;
    this.#billed(last, { prompt, completion, cached, reasoning, cost });
    this.#estimate(last.vendor, record);
    this.#debt(last.vendor, record);
  }

  /** A probe is a call to a backend, and no request. */
  probed({ attempts, usage, cost }: RequestRecord): void {
    const [attempt] = attempts;
    if (attempt === undefined) return;
    this.#set.probes.inc({ backend: attempt.backend, outcome: attempt.error ?? 'answered' });
    this.#attempt(attempt);
    if (usage === null) return;
    const { paidPromptTokens: prompt, completionTokens: completion, cachedTokens: cached, reasoningTokens: reasoning } = usage;
    this.#billed(attempt, { prompt, completion, cached, reasoning, cost });
  }

  /** Every error that an answer carries, also before a request got as far as a record. */
  answered({ status, kind }: OpenAIError): void {
    this.#set.errors.inc({ status, cause: kind });
  }

  /** The limits have said whether they admit a request. */
  reserved(outcome: Outcome, ms: number): void {
    this.#set.reserveSeconds.observe({}, Math.max(0, ms) / 1000);
    this.#set.reservations.inc({ outcome: outcome.ok ? 'admitted' : outcome.kind === 'unavailable' ? 'unavailable' : 'refused' });
    if (!outcome.ok && 'limit' in outcome) this.#set.refusals.inc({ limit: outcome.limit.name, kind: outcome.kind });
  }

  breaker({ state, backend, cause }: BreakerEvent): void {
    this.#set.breakers.inc({ backend, cause, state });
  }

  /** The configuration file was read again. */
  reloaded(outcome: 'applied' | 'unchanged' | 'refused'): void {
    this.#set.reloads.inc({ outcome });
    this.#set.fileRefused.set(outcome === 'refused' ? 1 : 0);
  }

  /** The store of limits has answered a command, or has not. */
  redis(command: string, ms: number, ok: boolean): void {
    this.#set.redisSeconds.observe({ command }, Math.max(0, ms) / 1000);
    if (!ok) this.#set.redisFailures.inc({ command });
  }

  quotaFault(): void {
    this.#set.quotaFaults.inc({});
  }

  #attempt(attempt: Attempt): void {
    const { backend, vendor, model, error, discarded } = attempt;
    this.#set.attempts.inc({ backend, model: this.#names.served(vendor, model), cause: error ?? NO_CAUSE });
    if (ADMIN_CAUSES.some((cause) => cause === error)) this.#set.needsAdmin.inc({ backend, cause: error as string });
    if (discarded === undefined) return;
    const { promptTokens: prompt, completionTokens: completion, cachedTokens: cached, reasoningTokens: reasoning, cost } = discarded;
    this.#billed(attempt, { prompt, completion, cached, reasoning, cost });
  }

  #billed({ backend, vendor, model: asServed }: Attempt, { cost, ...counts }: Billed): void {
    const model = this.#names.served(vendor, asServed);
    for (const kind of TOKEN_KINDS) if (counts[kind] > 0) this.#set.tokens.inc({ backend, model, kind }, counts[kind]);
    if (cost === null) this.#set.unpriced.inc({ backend, model });
    else this.#set.cost.inc({ backend, model, currency: cost.currency }, Math.max(0, cost.amountNano) / 1e9);
  }

  /** What was used beyond what was reserved is taken from the limits all the same: the next request waits for it. */
  #debt(vendor: string, { estimate, usage }: RequestRecord): void {
    if (estimate === null || usage === null) return;
    const over = usage.paidPromptTokens + usage.completionTokens - estimate.promptTokens - estimate.completionTokens;
    if (over > 0) this.#set.debt.inc({ vendor }, over);
  }

  /** Of whole answers only, and of counts that are the vendor's own. */
  #estimate(vendor: string, { reason, estimate, usage }: RequestRecord): void {
    if (estimate === null || reason !== 'done' || usage?.source !== 'vendor') return;
    const observe = (kind: string, used: number, reserved: number): void => {
      if (reserved > 0) this.#set.estimateRatio.observe({ vendor, kind }, used / reserved);
    };
    observe('prompt', usage.promptTokens, estimate.promptTokens);
    observe('completion', usage.completionTokens, estimate.completionTokens);
  }
}

/** As it is served: the text, and the token that is asked for. */
export const metricsPage = (metrics: { text(): Promise<string> }, settings: MetricsSettings | undefined): MetricsPage => ({
  contentType: Registry.PROMETHEUS_CONTENT_TYPE,
  text: () => metrics.text(),
  token: settings?.token?.reveal() ?? null,
});

const TOKEN_KINDS = ['prompt', 'completion', 'cached', 'reasoning'] as const;
