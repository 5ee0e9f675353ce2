import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import {
  createTraceState,
  ROOT_CONTEXT,
  SamplingDecision,
  type SpanContext,
  SpanKind,
  TraceFlags,
  trace as traces,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes, serviceNameEnvDetector } from '@opentelemetry/resources';
import { AlwaysOffSampler, AlwaysOnSampler, ParentBasedSampler, type Sampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import type { Server } from '../../../config/config.ts';
import type { OpenAIError } from '../../../openai/errors.ts';
import type { Exchange } from '../../../relay/exchange.ts';
import type { Attempt, RequestRecord } from '../../../relay/records/request-record.ts';
import type { RequestTrace } from '../../../relay/request-trace.ts';
import { VERSION } from '../../version.ts';
import { causeOf } from '../cause.ts';
import type { AttemptContext } from './span-attributes.ts';
import { type CollectorEvent, type Span, type SpanCounts, SpanQueue } from './span-queue.ts';
import { recordSpans, refusedSpan, type SpanFrame } from './spans.ts';
import { Trace } from './trace.ts';
import { traceParent } from './trace-parent.ts';
import type { TraceSettings } from './trace-settings.ts';

/** What traces learn from the rest of the process. */
export interface TracingHooks {
  /** Of the configuration in force. */
  readonly settings: () => Server['tracing'];
  /** What is known of the backend of an attempt. */
  readonly about: (attempt: Attempt) => Pick<AttemptContext, 'provider' | 'address'>;
  readonly report: (event: CollectorEvent) => void;
  /** Milliseconds that never go back; from the process unless given. */
  readonly now?: () => number;
}

export interface TracingCounts extends SpanCounts {
  /** Requests without spans although they were to have some: beyond `server.tracing.maxPerSecond`. */
  readonly beyondRate: number;
}

/** Spans still unsent at the end of the process have this long: a dead collector must not hold up a restart. */
const CLOSE_MS = 1_000;

/** Refused before the caller was known: strangers make no spans. */
const STRANGERS: ReadonlySet<string> = new Set(['missing_api_key', 'invalid_api_key', 'unsupported_country_region_territory']);

/**
 * Listens to what becomes of requests and sends spans of it. This file and its neighbour `spans.ts` are the only ones that load OpenTelemetry;
 * `open-tracing.ts` loads them, and only where an endpoint is set. A running request costs ids; its spans are made once it has ended.
 */
export class Tracing {
  readonly #hooks: TracingHooks;
  readonly #sampler: Sampler;
  readonly #queue: SpanQueue;
  readonly #frame: SpanFrame;
  /** How many requests may have spans now; refilled by the clock. */
  #room = Number.POSITIVE_INFINITY;
  #refilledAt = 0;
  #beyondRate = 0;

  /** @param worker its number among those of one port; null for a process alone */
  constructor(settings: TraceSettings, worker: number | null, hooks: TracingHooks) {
    this.#hooks = hooks;
    this.#sampler = samplerOf(settings.sampler);
    this.#queue = new SpanQueue(new OTLPTraceExporter(), settings.queue, hooks.report);
    const own = resourceFromAttributes({
      'service.name': 'estafet',
      'service.version': VERSION,
      'service.instance.id': randomUUID(),
      ...(worker === null ? {} : { 'estafet.worker': worker }),
    });
    const resource = own.merge(detectResources({ detectors: [envDetector, serviceNameEnvDetector] }));
    this.#frame = { resource, scope: { name: 'estafet', version: VERSION }, about: hooks.about, state: createTraceState };
  }

  get counts(): TracingCounts {
    return { ...this.#queue.counts, beyondRate: this.#beyondRate };
  }

  /** A request has arrived. */
  begin({ traceparent, tracestate }: IncomingHttpHeaders, route: string, arrivedAtMs: number): Trace {
    const { callerContext } = this.#hooks.settings();
    const caller = callerContext === 'ignore' || traceparent === undefined ? null : traceParent(traceparent);
    return new Trace({
      route,
      arrivedAtMs,
      parent: callerContext === 'join' ? caller : null,
      state: typeof tracestate === 'string' ? tracestate : undefined,
      link: callerContext === 'link' ? caller : null,
      decide: (trace) => this.#isSampled(trace),
    });
  }

  /** It has ended, and this is its record. */
  settled(record: RequestRecord, { trace, request }: Pick<Exchange, 'trace' | 'request'>): void {
    if (!(trace instanceof Trace) || trace.ended) return;
    trace.ended = true;
    if (!trace.sampled) return;
    const told = { record, request: request as Readonly<Record<string, unknown>>, cause: causeOf(record) };
    this.#add(recordSpans(trace, told, trace.input.arrivedAtMs + Math.max(0, record.totalMs), this.#frame));
  }

  /** It was answered with an error; one that has a record is done already. */
  failed(trace: RequestTrace | null, error: OpenAIError, requestId: string): void {
    if (!(trace instanceof Trace) || trace.ended) return;
    trace.ended = true;
    if (STRANGERS.has(error.kind) || !trace.sampled) return;
    this.#add([refusedSpan(trace, error, requestId, Date.now(), this.#frame)]);
  }

  close(): Promise<void> {
    return this.#queue.close(CLOSE_MS);
  }

  #add(spans: readonly Span[]): void {
    for (const span of spans) this.#queue.add(span);
  }

  /** The sampler's word, within the rate that the configuration allows: a caller who marks every request as sampled gets no further. */
  #isSampled({ traceId, input: { parent } }: Trace): boolean {
    const context =
      parent === null
        ? ROOT_CONTEXT
        : traces.setSpanContext(ROOT_CONTEXT, {
            traceId,
            spanId: parent.spanId,
            traceFlags: parent.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
            isRemote: true,
          } satisfies SpanContext);
    const { decision } = this.#sampler.shouldSample(context, traceId, 'request', SpanKind.SERVER, {}, []);
    return decision === SamplingDecision.RECORD_AND_SAMPLED && this.#takeRoom();
  }

  #takeRoom(): boolean {
    const { maxPerSecond } = this.#hooks.settings();
    const { now: clock = () => performance.now() } = this.#hooks;
    const now = clock();
    this.#room = Math.min(maxPerSecond, this.#room + ((now - this.#refilledAt) / 1000) * maxPerSecond);
    this.#refilledAt = now;
    if (this.#room >= 1) {
      this.#room -= 1;
      return true;
    }
    this.#beyondRate++;
    return false;
  }
}

function samplerOf({ kind, parentBased, ratio }: TraceSettings['sampler']): Sampler {
  const root =
    kind === 'always_on' ? new AlwaysOnSampler() : kind === 'always_off' ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(ratio);
  return parentBased ? new ParentBasedSampler({ root }) : root;
}
