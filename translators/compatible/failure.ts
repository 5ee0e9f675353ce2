import { type ErrorName, OpenAIError } from '../../openai/errors.ts';
import type { UpstreamFailure } from '../translator.ts';

/** One row of a vendor's error table. The first row that fits decides. */
export interface FailureRow {
  /** The vendor's code or codes, compared without regard to case, or the beginning of one (`InvalidFile.*`); absent: any. */
  readonly code?: string | readonly string[];
  /** The vendor's error type, compared without regard to case; absent: any. */
  readonly type?: string;
  /** HTTP statuses; absent: any. */
  readonly status?: readonly number[];
  /** Narrows by the vendor's message where one code means several things. */
  readonly text?: RegExp;
  readonly to: ErrorName;
  /** Another backend may do better. Content refusals and wrong parameters never fall back. */
  readonly fallback?: boolean;
  /** When the limit lets requests through again, in ms, where no `retry-after` header says so; the vendors document none. */
  readonly retryAfterMs?: number;
  /** The field at fault; `read` takes it from the message. */
  readonly param?: string;
  /** What it is instead where `read` finds no field. */
  readonly unread?: ErrorName;
}

/** A refusal, whatever envelope it came in. */
export interface ReadFailure {
  readonly code: string;
  readonly type: string;
  readonly message: string;
  readonly status: number;
  /** The vendor's own id of the request, for its support; '' where it told none. */
  readonly requestId: string;
  /** From the `retry-after` header; null where there is none, or it tells a date (that would take a clock). */
  readonly retryAfterMs: number | null;
}

/** What callers are told where the vendor's own words would say more than they should. */
const WORDS: Readonly<Partial<Record<ErrorName, string>>> = {
  upstream_auth: "The backend refused the relay's credentials. The administrator of this relay must act.",
  upstream_out_of_credit: 'The backend account is out of credit. The administrator of this relay must act.',
  upstream_model_unavailable: 'The backend does not serve this model to this account any more. The administrator of this relay must act.',
  upstream_overloaded: 'The backend is overloaded or failed inside. Please try again.',
  upstream_timeout: 'The backend gave up on the request after its own time limit.',
  upstream_rejected: "The backend refused the form of the relay's request.",
  upstream_invalid_response: "The backend's answer could not be read.",
  upstream_rate_limit_requests: "The backend's limit on requests is reached. Please try again shortly.",
  upstream_rate_limit_tokens: "The backend's limit on tokens is reached. Please try again shortly.",
  content_filter: "The backend's moderation refused this content.",
};

/** The first code, type and message found in any of the envelopes vendors use; empty strings where there is none. */
export function readFailure(failure: UpstreamFailure): ReadFailure {
  const top = record(parsed(failure.body));
  const inner = record(top['error']);
  const code = word(inner['code']) || word(top['code']) || word(top['error_code']) || word(failure.headers['x-bce-error-code']);
  const message =
    word(inner['message']) ||
    word(top['message']) ||
    word(top['msg']) ||
    word(top['error_msg']) ||
    word(top['error']) ||
    word(failure.headers['x-bce-error-message']);
  const wait = failure.headers['retry-after'];
  return {
    code,
    type: word(inner['type']),
    message: message.slice(0, 1000),
    status: failure.status,
    requestId: word(top['request_id']).slice(0, 100),
    retryAfterMs: wait !== undefined && /^\d{1,6}$/.test(wait) ? Number(wait) * 1000 : null,
  };
}

/** The body as JSON, which may be the first event of a stream; null for a gateway's page or nothing: status and headers must do. */
function parsed(body: string): unknown {
  const text = body.trimStart();
  const event = /^(?:(?:id|event)?:[^\r\n]*\r?\n)*data:([^\r\n]*)/.exec(text);
  try {
    return JSON.parse(event?.[1] ?? text);
  } catch {
    return null;
  }
}

/** True when the answer to a request that went well is an error all the same: vendors put errors into HTTP 200. */
export function looksLikeError(answer: Readonly<Record<string, unknown>>): boolean {
  if (answer['error'] !== undefined && answer['error'] !== null) return true;
  if (Array.isArray(answer['choices'])) return false;
  return answer['success'] === false || answer['code'] !== undefined || answer['error_code'] !== undefined;
}

/** The vendor's refusal in OpenAI's words, by the first row that fits; `fallbackRow` if none does. */
export function mapFailure(
  read: ReadFailure,
  rows: readonly FailureRow[],
  lastRow: FailureRow,
  clean: (message: string) => string,
): OpenAIError {
  const row = rows.find((candidate) => fits(candidate, read)) ?? lastRow;
  const shown = withoutKeys(clean(read.message));
  const message = WORDS[row.to] ?? (shown === '' ? 'The backend refused the request.' : shown);
  const param = row.param === 'read' ? paramOf(shown) : row.param;
  const to = param === undefined ? (row.unread ?? row.to) : row.to;
  return new OpenAIError(to, message, {
    param,
    retryAfterMs: row.retryAfterMs === undefined ? undefined : (read.retryAfterMs ?? row.retryAfterMs),
    fallback: row.fallback ?? false,
    limit: row.to.startsWith('upstream_rate_limit') ? 'upstream' : undefined,
    upstreamCode: read.code || `http_${read.status}`,
    // For the log: the vendor's words, which callers of a 5xx do not see.
    cause: `${read.status} ${read.code} ${read.message}`.trim() + (read.requestId === '' ? '' : ` (request ${read.requestId})`),
  });
}

function fits(row: FailureRow, read: ReadFailure): boolean {
  if (row.status !== undefined && !row.status.includes(read.status)) return false;
  if (row.code !== undefined) {
    const codes = typeof row.code === 'string' ? [row.code] : row.code;
    const got = read.code.toLowerCase();
    if (!codes.some((code) => sameCode(code.toLowerCase(), got))) return false;
  }
  if (row.type !== undefined && row.type.toLowerCase() !== read.type.toLowerCase()) return false;
  return row.text === undefined || row.text.test(read.message);
}

const sameCode = (code: string, got: string): boolean =>
  code.endsWith('.*') ? got === code.slice(0, -2) || got.startsWith(code.slice(0, -1)) : got === code;

/** Vendors echo the relay's key, or its ends, in some refusals. */
const withoutKeys = (message: string): string => message.replace(/\b(?:sk-|bce-v3\/)[\w*./-]{3,}/g, '[key]');

/** Words that are no more than words in prose: they count when quoted or followed by a path. */
const PLAIN = 'messages|tools|temperature|stop|seed|metadata|dimensions';
const DISTINCT =
  'tool_choice|parallel_tool_calls|response_format|top_p|top_k|max_tokens|max_completion_tokens|presence_penalty|frequency_penalty|repetition_penalty|logit_bias|top_logprobs|logprobs|stream_options|enable_thinking|thinking_budget|preserve_thinking|reasoning_effort|enable_search|search_options|tool_calls|function_call';
const PROSE = 'stream|user|model|input|n|thinking|functions|do_sample';
const PATH = String.raw`(?:\[\d+\]|[.:]\d+|[.:][a-z_]+)`;
/** In the order in which they are tried: with a path, quoted, by a name of its own, by a plain word. */
const NAMINGS: readonly RegExp[] = [
  new RegExp(`\\b(messages|tools|functions)(${PATH}+)`),
  new RegExp(`['"\`](${DISTINCT}|${PLAIN}|${PROSE})(${PATH}*)['"\`]`, 'i'),
  new RegExp(`\\b(${DISTINCT})\\b(${PATH}*)`, 'i'),
  new RegExp(`\\b(${PLAIN})\\b()`, 'i'),
];

/** The request field named in a vendor's message, in OpenAI's spelling of paths: the one whose range is told, else the clearest. */
function paramOf(message: string): string | undefined {
  const ranged = /\b([a-z_]{1,40}) range is [[(]/.exec(message);
  if (ranged !== null) return ranged[1];
  for (const naming of NAMINGS) {
    const match = naming.exec(message);
    if (match === null) continue;
    const path = (match[2] ?? '').replace(/[.:](\d+)/g, '[$1]').replace(/:/g, '.');
    return `${(match[1] as string).toLowerCase()}${path}`;
  }
  return undefined;
}

const record = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

const word = (value: unknown): string => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '');
