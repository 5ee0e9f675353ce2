import type { Attributes } from '@opentelemetry/api';
import { type Attempt, HEDGED, type RequestRecord } from '../../../relay/records/request-record.ts';

/**
 * Names of OpenTelemetry's GenAI and HTTP conventions, and `estafet.*` for what they have none for. Names of the configuration, numbers and
 * words of catalogues only: no prompt, no answer, no message of an error, which may quote either, and no secret (S11).
 */
export interface Told {
  readonly record: RequestRecord;
  readonly request: Readonly<Record<string, unknown>>;
  /** What the request failed of, in the catalogue's words; `none` when it did not. */
  readonly cause: string;
}

/** Surface → `gen_ai.operation.name`. */
const OPERATIONS: Readonly<Record<string, string>> = { embeddings: 'embeddings', rerank: 'rerank', completions: 'text_completion' };
export const operationOf = (surface: string): string => OPERATIONS[surface] ?? 'chat';

const NUMBERS: readonly (readonly [field: string, attribute: string])[] = [
  ['temperature', 'gen_ai.request.temperature'],
  ['top_p', 'gen_ai.request.top_p'],
  ['max_tokens', 'gen_ai.request.max_tokens'],
  ['max_completion_tokens', 'gen_ai.request.max_tokens'],
  ['frequency_penalty', 'gen_ai.request.frequency_penalty'],
  ['presence_penalty', 'gen_ai.request.presence_penalty'],
  ['seed', 'gen_ai.request.seed'],
  ['n', 'gen_ai.request.choice.count'],
  ['dimensions', 'gen_ai.embeddings.dimension.count'],
];

/** Of the span of a request. What it used is on the spans of its attempts: a tool that adds up spans must not count it twice. */
export function requestAttributes({ record, request, cause }: Told): Attributes {
  const { surface, model, stream, decision, attempts, usage, cost, status } = record;
  const last = attempts.findLast(({ unsent }) => unsent !== true);
  const attributes: Attributes = {
    'gen_ai.operation.name': operationOf(surface),
    'gen_ai.request.model': model,
    'gen_ai.request.stream': stream,
    'http.response.status_code': status,
    'estafet.request.id': record.id,
    'estafet.key': record.key,
    'estafet.team': record.team,
    'estafet.reason': record.reason,
    'estafet.strategy': decision.strategy,
    'estafet.attempts': attempts.length,
  };
  for (const [field, attribute] of NUMBERS) {
    const value = request[field];
    if (typeof value === 'number') attributes[attribute] = value;
  }
  if (typeof request['encoding_format'] === 'string') attributes['gen_ai.request.encoding_formats'] = [request['encoding_format']];
  if (last !== undefined) attributes['estafet.backend'] = last.backend;
  if (last !== undefined && usage !== null) attributes['gen_ai.response.model'] = last.model;
  if (record.finishReasons !== undefined) attributes['gen_ai.response.finish_reasons'] = [...record.finishReasons];
  if (record.firstByteMs !== null) attributes['gen_ai.response.time_to_first_chunk'] = record.firstByteMs / 1000;
  if (record.chunks !== undefined) attributes['estafet.chunks'] = record.chunks;
  if (record.refusedBy !== undefined) attributes['estafet.refused_by'] = record.refusedBy;
  if (record.hedge !== undefined) attributes['estafet.hedge'] = record.hedge;
  if (cost !== null) {
    attributes['estafet.cost'] = cost.amountNano / 1e9;
    attributes['estafet.cost.currency'] = cost.currency;
  }
  if (cause !== 'none') attributes['error.type'] = cause;
  return attributes;
}

export interface AttemptContext {
  /** `gen_ai.provider.name`. */
  readonly provider: string;
  readonly address: { readonly host: string; readonly port: number } | null;
  /** Its place among the attempts, from 0. */
  readonly number: number;
  /** Its answer is the one the caller got, or a part of it. */
  readonly answered: boolean;
}

/** Of the span of one call to a vendor. */
export function attemptAttributes(attempt: Attempt, { record }: Told, { provider, address, number, answered }: AttemptContext): Attributes {
  const attributes: Attributes = {
    'gen_ai.operation.name': operationOf(record.surface),
    'gen_ai.provider.name': provider,
    'gen_ai.request.model': attempt.model,
    'estafet.backend': attempt.backend,
    'estafet.region': attempt.region,
    'estafet.attempt': number,
  };
  if (address !== null) {
    attributes['server.address'] = address.host;
    attributes['server.port'] = address.port;
  }
  const { usage } = record;
  const used = answered ? usage && { ...usage, promptTokens: usage.paidPromptTokens } : (attempt.discarded ?? null);
  if (used !== null) {
    attributes['gen_ai.usage.input_tokens'] = used.promptTokens;
    attributes['gen_ai.usage.output_tokens'] = used.completionTokens;
    attributes['gen_ai.usage.cache_read.input_tokens'] = used.cachedTokens;
    attributes['gen_ai.usage.reasoning.output_tokens'] = used.reasoningTokens;
  }
  if (answered && record.finishReasons !== undefined) attributes['gen_ai.response.finish_reasons'] = [...record.finishReasons];
  if (attempt.vendorRequestId !== undefined) attributes['estafet.vendor_request_id'] = attempt.vendorRequestId;
  if (attempt.upstreamCode !== null) attributes['estafet.upstream_code'] = attempt.upstreamCode;
  if (attempt.hedge === true) attributes['estafet.hedge'] = true;
  if (attempt.error === HEDGED) attributes['estafet.outrun'] = true;
  else if (attempt.error !== null) attributes['error.type'] = attempt.error;
  return attributes;
}
