import type { ServerResponse } from 'node:http';
import type { OpenAIError } from '../../openai/errors.ts';
import { requestId } from '../../openai/ids.ts';
import type { RequestTrace } from '../../relay/request-trace.ts';
import { endAfterBody } from './end-after-body.ts';

/** Longest wait an SDK obeys; beyond it the SDKs differ, so the answer also says not to ask again. */
const MAX_RETRY_AFTER_S = 60;

interface Begun {
  readonly id: string;
  readonly atMs: number;
  /** By the clock that only goes forward. */
  readonly at: number;
  readonly extra: string[];
  trace: RequestTrace | null;
}

const BEGUN = Symbol('begun');
type Response = ServerResponse & { [BEGUN]?: Begun };

/** The request behind a response: its id, its arrival, and headers that were set on the way. Made at first sight. */
function begin(response: ServerResponse): Begun {
  const known = (response as Response)[BEGUN];
  if (known !== undefined) return known;
  const entry: Begun = { id: requestId(), atMs: Date.now(), at: performance.now(), extra: [], trace: null };
  (response as Response)[BEGUN] = entry;
  return entry;
}

/** `req_…`, the same in the header, the log and the look-up. */
export const requestIdOf = (response: ServerResponse): string => begin(response).id;

/** The trace of the request behind a response; null where none is kept. */
export const traceOf = (response: ServerResponse): RequestTrace | null => begin(response).trace;

export function setTrace(response: ServerResponse, trace: RequestTrace): void {
  begin(response).trace = trace;
}

/** Milliseconds since the epoch. */
export const arrivedAt = (response: ServerResponse): number => begin(response).atMs;

/** How long ago it arrived, in ms, also where the machine's clock has been set since. */
export const sinceArrival = (response: ServerResponse): number => performance.now() - begin(response).at;

/** Sets a header that goes out with whatever answer is sent; a later value replaces an earlier one. */
export function setHeader(response: ServerResponse, name: string, value: string): void {
  const { extra } = begin(response);
  const at = extra.indexOf(name);
  if (at >= 0 && at % 2 === 0) extra[at + 1] = value;
  else extra.push(name, value);
}

/** The headers every answer has, as a flat list for `writeHead`. */
export function standardHeaders(response: ServerResponse, contentType: string): string[] {
  const { id, atMs, extra } = begin(response);
  return [
    'content-type',
    contentType,
    'x-request-id',
    id,
    'openai-version',
    '2020-10-01',
    'openai-processing-ms',
    String(Math.max(0, Date.now() - atMs)),
    'x-content-type-options',
    'nosniff',
    ...extra,
  ];
}

export function sendJson(response: ServerResponse, status: number, json: string, more: readonly string[] = []): void {
  if (response.headersSent || response.destroyed) return;
  const headers = standardHeaders(response, 'application/json');
  headers.push('content-length', String(Buffer.byteLength(json)), ...more);
  response.writeHead(status, headers);
  endAfterBody(response, json);
}

/** An error as OpenAI would answer it, with what SDKs need to decide on a retry. */
export function sendError(response: ServerResponse, error: OpenAIError): void {
  const { retryAfterMs, limit, headers: more } = error.details;
  const headers: string[] = [];
  let retry = error.retry;
  if (retryAfterMs !== undefined) {
    const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
    headers.push('retry-after', String(seconds), 'retry-after-ms', String(Math.ceil(retryAfterMs)));
    if (seconds > MAX_RETRY_AFTER_S) retry = false;
  }
  if (retry === false) headers.push('x-should-retry', 'false');
  if (limit !== undefined) headers.push('x-estafet-limit', limit);
  if (more !== undefined) for (const [name, value] of Object.entries(more)) headers.push(name, value);
  if (error.status === 401) headers.push('www-authenticate', 'Bearer');
  sendJson(response, error.status, JSON.stringify(error), headers);
}
