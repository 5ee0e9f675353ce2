import { type HrTime, type Link, type SpanContext, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { OpenAIError } from '../../../openai/errors.ts';
import { wasTried } from '../../../relay/records/record-of.ts';
import { type Attempt, HEDGED } from '../../../relay/records/request-record.ts';
import { type AttemptContext, attemptAttributes, operationOf, requestAttributes, type Told } from './span-attributes.ts';
import type { Span } from './span-queue.ts';
import type { Trace } from './trace.ts';

/** What all spans of a process share, and what is known of backends. */
export interface SpanFrame {
  readonly resource: Resource;
  readonly scope: Span['instrumentationScope'];
  readonly about: (attempt: Attempt) => Pick<AttemptContext, 'provider' | 'address'>;
  readonly state: (text: string) => SpanContext['traceState'];
}

/** The spans of a request that has a record: its own, and one for each call to a vendor; what kept a vendor from being called is an event. */
export function recordSpans(trace: Trace, told: Told, endMs: number, frame: SpanFrame): Span[] {
  const { record } = told;
  const { arrivedAtMs } = trace.input;
  const made = record.attempts.map(wasTried);
  const last = made.lastIndexOf(true);
  const spans: Span[] = [];
  const events: Span['events'] = [];
  let atMs = arrivedAtMs;
  for (const [index, attempt] of record.attempts.entries()) {
    const { number = index } = attempt;
    const startMs = attempt.startMs === undefined ? atMs : arrivedAtMs + attempt.startMs;
    atMs = startMs + attempt.ms;
    if (made[index] !== true) {
      const attributes = { 'estafet.backend': attempt.backend, 'error.type': attempt.error ?? 'client_gone' };
      events.push({ name: 'backend not called', time: hrTime(startMs), attributes, droppedAttributesCount: 0 });
      continue;
    }
    const answered = index === last && record.usage !== null;
    spans.push(
      span(trace, frame, {
        name: `${operationOf(record.surface)} ${attempt.model}`,
        kind: SpanKind.CLIENT,
        spanId: trace.attemptId(number),
        parentId: trace.spanId,
        startMs,
        endMs: Math.min(atMs, endMs),
        // One that was cancelled since the other was first has done nothing wrong.
        failed: attempt.error !== null && attempt.error !== HEDGED,
        attributes: attemptAttributes(attempt, told, { ...frame.about(attempt), number, answered }),
      }),
    );
  }
  const root = requestSpan(trace, frame, {
    name: `${operationOf(record.surface)} ${record.model}`,
    endMs,
    failed: record.error !== null && (record.status >= 500 || record.reason === 'vendor_error'),
    attributes: requestAttributes(told),
    events,
  });
  return [root, ...spans];
}

/** The span of a request that was refused before any limit was asked. */
export function refusedSpan(trace: Trace, error: OpenAIError, requestId: string, endMs: number, frame: SpanFrame): Span {
  return requestSpan(trace, frame, {
    name: `POST ${trace.input.route}`,
    endMs,
    failed: error.status >= 500,
    attributes: {
      'http.response.status_code': error.status,
      'error.type': error.kind,
      'estafet.request.id': requestId,
      'estafet.reason': 'refused',
    },
  });
}

type RequestSpan = Pick<Drawn, 'name' | 'endMs' | 'failed' | 'attributes'> & { readonly events?: Span['events'] };

function requestSpan(trace: Trace, frame: SpanFrame, { attributes, ...drawn }: RequestSpan): Span {
  const { route, arrivedAtMs, parent, link } = trace.input;
  const links: Link[] = link === null ? [] : [{ context: remote(link), attributes: {} }];
  return span(trace, frame, {
    ...drawn,
    kind: SpanKind.SERVER,
    spanId: trace.spanId,
    parentId: parent?.spanId ?? null,
    remote: true,
    startMs: arrivedAtMs,
    links,
    attributes: { 'http.request.method': 'POST', 'http.route': route, ...attributes },
  });
}

interface Drawn {
  readonly name: string;
  readonly kind: SpanKind;
  readonly spanId: string;
  readonly parentId: string | null;
  /** The parent is in another process. */
  readonly remote?: boolean;
  readonly startMs: number;
  readonly endMs: number;
  readonly failed: boolean;
  readonly attributes: Span['attributes'];
  readonly events?: Span['events'];
  readonly links?: Link[];
}

function span({ traceId, input }: Trace, { resource, scope, state }: SpanFrame, drawn: Drawn): Span {
  const { name, kind, spanId, parentId, startMs, failed, attributes, events = [], links = [] } = drawn;
  // Clocks that were set back in between: a span never ends before it began.
  const endMs = Math.max(drawn.endMs, startMs);
  const traceState = input.parent === null || input.state === undefined ? undefined : state(input.state);
  const context: SpanContext = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, ...(traceState === undefined ? {} : { traceState }) };
  return {
    name,
    kind,
    spanContext: () => context,
    ...(parentId === null
      ? {}
      : { parentSpanContext: { traceId, spanId: parentId, traceFlags: TraceFlags.SAMPLED, isRemote: drawn.remote === true } }),
    startTime: hrTime(startMs),
    endTime: hrTime(endMs),
    duration: hrTime(endMs - startMs),
    status: { code: failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes,
    links,
    events,
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

const remote = ({ traceId, spanId, sampled }: { traceId: string; spanId: string; sampled: boolean }): SpanContext => ({
  traceId,
  spanId,
  traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
  isRemote: true,
});

/** Seconds, and nanoseconds of the next. */
const hrTime = (ms: number): HrTime => [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)];
