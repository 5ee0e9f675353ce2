/**
 * Every error a caller can see, and the one class that carries it.
 *
 * SDKs choose their exception class and their retry from the status, so the status is part of the API.
 * The catalogue's name is the wire `code` unless `code` says otherwise (`null` is OpenAI's own for some refusals).
 * `retry: false` is sent as `x-should-retry: false`: the official SDKs then make no further attempt.
 */

interface ErrorKind {
  readonly status: number;
  readonly type: string;
  /** The wire `code` where it differs from the catalogue's name. */
  readonly code?: string | null;
  /** False when asking again cannot help, or would be paid for twice. */
  readonly retry?: false;
  /** One sentence for the generated reference. */
  readonly about: string;
}

const badRequest = (about: string, code?: string | null): ErrorKind =>
  code === undefined ? { status: 400, type: 'invalid_request_error', about } : { status: 400, type: 'invalid_request_error', code, about };

export const ERRORS = {
  invalid_json: badRequest('The body is not valid JSON, not valid UTF-8, or not a JSON object.', null),
  missing_required_parameter: badRequest('A required field is absent.'),
  invalid_type: badRequest('A field has the wrong JSON type.'),
  invalid_value: badRequest('A field has a value outside the ones allowed.'),
  decimal_below_min_value: badRequest('A number is below its smallest allowed value.'),
  decimal_above_max_value: badRequest('A number is above its largest allowed value.'),
  integer_below_min_value: badRequest('An integer is below its smallest allowed value.'),
  integer_above_max_value: badRequest('An integer is above its largest allowed value.'),
  string_above_max_length: badRequest('A string is longer than allowed.'),
  empty_string: badRequest('A string that must not be empty is empty.'),
  empty_array: badRequest('A list that must not be empty is empty.'),
  array_above_max_length: badRequest('A list is longer than allowed.'),
  object_too_deep: badRequest('The body is nested deeper than the relay accepts.'),
  unsupported_parameter: badRequest('The chosen backend cannot carry this field, and leaving it out would change the answer.'),
  unsupported_value: badRequest('The chosen backend cannot carry this value of a field.'),
  invalid_function_parameters: badRequest('The JSON Schema of a function cannot be used.'),
  invalid_json_schema: badRequest('The JSON Schema of `response_format` cannot be used.'),
  stream_options_without_stream: badRequest('`stream_options` was sent without `stream: true`.', null),
  json_word_missing: badRequest('`response_format` json_object needs the word "json" in a message.', null),
  tool_messages_missing: badRequest('An assistant message has tool calls that no tool message answers.', null),
  tool_message_orphan: badRequest('A tool message does not answer a tool call before it, or answers one a second time.', null),
  context_length_exceeded: badRequest('The prompt is longer than the model takes.'),
  invalid_image_url: badRequest('An image could not be fetched or read by the backend.'),
  content_filter: badRequest("The backend's moderation refused the input, or (Qwen) the answer. It is not sent to another backend."),
  invalid_request: badRequest('The backend refused the request as wrong, without naming a field the relay could read.', null),

  missing_api_key: { status: 401, type: 'invalid_request_error', code: null, about: 'No `Authorization: Bearer` header.' },
  invalid_api_key: { status: 401, type: 'invalid_request_error', about: 'The key is unknown, expired or revoked.' },
  unsupported_country_region_territory: {
    status: 403,
    type: 'request_forbidden',
    about: 'The caller’s network or country has no permit.',
  },
  region_not_permitted: {
    status: 403,
    type: 'invalid_request_error',
    about: 'Every backend of the model lies in a region the team has not permitted.',
  },
  model_not_found: { status: 404, type: 'invalid_request_error', about: 'The model is unknown, or not permitted to this key.' },
  wrong_endpoint: {
    status: 404,
    type: 'invalid_request_error',
    code: null,
    about:
      'The model exists, but is not of the kind that this path serves: a chat model asked for embeddings, an embedding model asked to chat.',
  },
  unknown_request: {
    status: 404,
    type: 'invalid_request_error',
    about: 'No receipt is kept under this request id for this key.',
  },
  unknown_url: { status: 404, type: 'invalid_request_error', code: null, about: 'The path does not exist.' },
  method_not_allowed: { status: 405, type: 'invalid_request_error', code: null, about: 'The path exists, but not with this method.' },
  request_timeout: { status: 408, type: 'invalid_request_error', about: 'The request did not arrive in time.' },
  request_too_large: { status: 413, type: 'invalid_request_error', about: 'The body is larger than `server.maxBodyBytes`.' },
  unsupported_content_type: {
    status: 415,
    type: 'invalid_request_error',
    about: 'The body is not `application/json`, or is compressed in another way than gzip, deflate or br.',
  },
  headers_too_large: { status: 431, type: 'invalid_request_error', about: 'The request headers are larger than `server.maxHeaderBytes`.' },

  rate_limit_requests: {
    status: 429,
    type: 'requests',
    code: 'rate_limit_exceeded',
    about: 'The key or its team has used up its requests or concurrent requests; `x-estafet-limit` names the limit.',
  },
  rate_limit_tokens: {
    status: 429,
    type: 'tokens',
    code: 'rate_limit_exceeded',
    about: 'The key or its team has used up its tokens, or asks for more than the whole limit holds; `x-estafet-limit` names the limit.',
  },
  insufficient_quota: {
    status: 429,
    type: 'insufficient_quota',
    retry: false,
    about: 'The budget of the key or its team is spent.',
  },
  upstream_rate_limit_requests: {
    status: 429,
    type: 'requests',
    code: 'rate_limit_exceeded',
    about: 'The backend’s own limit on requests or concurrency; `x-estafet-limit: upstream`.',
  },
  upstream_rate_limit_tokens: {
    status: 429,
    type: 'tokens',
    code: 'rate_limit_exceeded',
    about: 'The backend’s own limit on tokens; `x-estafet-limit: upstream`.',
  },

  backend_limit_requests: {
    status: 429,
    type: 'requests',
    code: 'rate_limit_exceeded',
    about:
      'Every backend of the model has used up the requests or concurrent requests that the configuration gives it; `x-estafet-limit` names which, such as `backend.rpm`.',
  },
  backend_limit_tokens: {
    status: 429,
    type: 'tokens',
    code: 'rate_limit_exceeded',
    about:
      'Every backend of the model has used up the tokens that the configuration gives it, or holds fewer than are asked for; `x-estafet-limit` names which.',
  },

  internal_error: { status: 500, type: 'server_error', about: 'A fault of the relay itself; the log has the details.' },
  upstream_auth: {
    status: 502,
    type: 'server_error',
    retry: false,
    about: 'The backend refused the relay’s own key. An admin must act.',
  },
  upstream_model_unavailable: {
    status: 502,
    type: 'server_error',
    retry: false,
    about: 'The backend no longer has the model, or it is not opened for this account.',
  },
  upstream_invalid_response: { status: 502, type: 'server_error', about: 'The backend’s answer could not be read.' },
  upstream_truncated: { status: 502, type: 'server_error', about: 'The backend closed the connection before its answer was complete.' },
  upstream_unreachable: { status: 502, type: 'server_error', about: 'No connection to the backend could be made.' },
  upstream_rejected: {
    status: 502,
    type: 'server_error',
    retry: false,
    about: 'The backend refused the form of the relay’s own request: a fault of the relay or its configuration.',
  },
  upstream_unmet: {
    status: 502,
    type: 'server_error',
    retry: false,
    about: 'The model did not do what an emulated feature promises (a forced tool call, JSON of a schema), also when asked again.',
  },
  upstream_out_of_credit: {
    status: 503,
    type: 'server_error',
    retry: false,
    about: 'The backend account has no money, or its free tier is over. An admin must act.',
  },
  upstream_overloaded: { status: 503, type: 'server_error', about: 'The backend is overloaded or failed inside.' },
  quota_unavailable: {
    status: 503,
    type: 'server_error',
    about: 'The limits cannot be checked at the moment: the store of limits does not answer.',
  },
  draining: {
    status: 503,
    type: 'server_error',
    about: 'This process is shutting down, or has too much to check at the moment; ask again.',
  },
  overloaded: {
    status: 503,
    type: 'server_error',
    about:
      'This process has too many requests at once, or no time for another (`server.maxInFlight`, `server.maxLagMs`), or the time of this one (`totalDeadlineMs`) was over before a backend could be asked.',
  },
  usage_unavailable: {
    status: 503,
    type: 'server_error',
    about: 'The books cannot be read at the moment. Requests are served all the same.',
  },
  upstream_timeout: { status: 504, type: 'server_error', about: 'The backend was silent for longer than its timeouts allow.' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorName = keyof typeof ERRORS;

export interface ErrorDetails {
  /** Path of the field at fault, e.g. `messages[0].content`. */
  readonly param?: string | undefined;
  /** When asking again can help, in ms. */
  readonly retryAfterMs?: number | undefined;
  /** For the log only. */
  readonly cause?: unknown;
  /** False overrides the catalogue: a paid call lies behind this error. */
  readonly retry?: false | undefined;
  /** Another backend may do better: routing reads it, callers never see it. */
  readonly fallback?: boolean | undefined;
  /** The connection broke, or the time was over, before any byte of an answer: of a break, the same backend may be asked again. Callers never see it. */
  readonly unanswered?: boolean | undefined;
  /** The time was over while the call waited for a connection: nothing has left. Callers never see it. */
  readonly unsent?: boolean | undefined;
  /** The backend's own error code, for the log and the books; never sent to a caller. */
  readonly upstreamCode?: string | undefined;
  /** More headers of the answer, e.g. `x-ratelimit-*`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What a refusal rests on, for the log only. */
  readonly evidence?: Readonly<Record<string, unknown>> | undefined;
  /** Which limit refused, for `x-estafet-limit`. */
  readonly limit?: string | undefined;
}

/** Messages quote what callers and vendors sent; no answer and no log line grows with that. In UTF-16 code units. */
const MAX_MESSAGE = 2_000;

/** The only error a caller sees. Anything else thrown is a bug: a bare 500 and a log line. */
export class OpenAIError extends Error {
  override readonly name = 'OpenAIError';
  readonly kind: ErrorName;
  readonly details: ErrorDetails;

  constructor(kind: ErrorName, message: string, details: ErrorDetails = {}) {
    const text = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE).toWellFormed()}…` : message;
    super(text, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.details = details;
  }

  get status(): number {
    return ERRORS[this.kind].status;
  }

  get type(): string {
    return ERRORS[this.kind].type;
  }

  /** The wire code; null where OpenAI's own is null. */
  get code(): string | null {
    const kind: ErrorKind = ERRORS[this.kind];
    return kind.code === undefined ? this.kind : kind.code;
  }

  /** False when the SDKs must not ask again; undefined leaves it to them. */
  get retry(): false | undefined {
    const kind: ErrorKind = ERRORS[this.kind];
    return this.details.retry ?? kind.retry;
  }

  /** All four keys, always. Never the cause, a key or an upstream URL. */
  toJSON(): { error: { message: string; type: string; param: string | null; code: string | null } } {
    return { error: { message: this.message, type: this.type, param: this.details.param ?? null, code: this.code } };
  }
}

/** Anything thrown, as something that may be shown: what is no `OpenAIError` becomes a bare 500 with the cause kept for the log. */
export function asOpenAIError(thrown: unknown): OpenAIError {
  if (thrown instanceof OpenAIError) return thrown;
  return new OpenAIError('internal_error', 'The relay had an error while processing your request.', { cause: thrown });
}
