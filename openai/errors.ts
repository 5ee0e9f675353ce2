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
  /** For the generated reference: what it means, and what to do. */
  readonly about: string;
}

const refused = (status: number, about: string, code?: null): ErrorKind => ({
  status,
  type: 'invalid_request_error',
  ...(code === undefined ? {} : { code }),
  about,
});

const badRequest = (about: string, code?: null): ErrorKind => refused(400, about, code);

const rateLimit = (type: 'requests' | 'tokens', about: string): ErrorKind => ({ status: 429, type, code: 'rate_limit_exceeded', about });

const serverError = (status: number, about: string, retry?: false): ErrorKind => ({
  status,
  type: 'server_error',
  ...(retry === undefined ? {} : { retry }),
  about,
});

export const ERRORS = {
  invalid_json: badRequest('The body is not valid JSON, not valid UTF-8, or not a JSON object. Correct the body.', null),
  missing_required_parameter: badRequest('A required field is missing. Add the field in `param`.'),
  invalid_type: badRequest('A field has the wrong JSON type. Correct the field in `param`.'),
  invalid_value: badRequest('A field has a value that is not allowed. Correct the field in `param`.'),
  decimal_below_min_value: badRequest('A number is below its minimum. Raise the field in `param`.'),
  decimal_above_max_value: badRequest('A number is above its maximum. Lower the field in `param`.'),
  integer_below_min_value: badRequest('An integer is below its minimum. Raise the field in `param`.'),
  integer_above_max_value: badRequest('An integer is above its maximum. Lower the field in `param`.'),
  string_above_max_length: badRequest('A string is too long. Shorten the field in `param`.'),
  empty_string: badRequest('A string is empty, but must not be. Fill the field in `param`, or leave it out if it is optional.'),
  empty_array: badRequest('A list is empty, but must not be. Fill the field in `param`, or leave it out if it is optional.'),
  array_above_max_length: badRequest('A list has too many entries. Shorten the field in `param`.'),
  object_too_deep: badRequest('The body is nested deeper than `server.maxJsonDepth`. Send a flatter body.'),
  unsupported_parameter: badRequest(
    'The backend does not have this field, and dropping it could alter the answer; or the key is strict. Leave the field out, or use a model whose vendor has it.',
  ),
  unsupported_value: badRequest('The backend does not have this value of a field. Use another value, or a model whose vendor has it.'),
  invalid_function_parameters: badRequest('The JSON Schema of a function cannot be used. The message says where it is wrong.'),
  invalid_json_schema: badRequest('The JSON Schema of `response_format` cannot be used. The message says where it is wrong.'),
  stream_options_without_stream: badRequest('`stream_options` was sent without `stream: true`. Send both or neither.', null),
  json_word_missing: badRequest(
    '`response_format` is `json_object`, but no message contains the word "json". Ask for JSON in a message.',
    null,
  ),
  tool_messages_missing: badRequest(
    'An assistant message has tool calls that no tool message answers. Send a tool message for each call.',
    null,
  ),
  tool_message_orphan: badRequest(
    'A tool message answers no tool call before it, or one that has been answered. Send one tool message for each call.',
    null,
  ),
  context_length_exceeded: badRequest(
    "The prompt is longer than the model's context. Shorten the prompt, or use a model with a longer context.",
  ),
  invalid_image_url: badRequest(
    'The backend could not fetch or read an image or file. Check that the address is public and the format is supported.',
  ),
  content_filter: badRequest(
    "The backend's moderation refused the input, or (Qwen) the answer. Change the input. Another backend is tried only for teams with `moderationFallback`.",
  ),
  invalid_request: badRequest(
    'The backend refused the request without naming a field. The message quotes the backend; correct the request accordingly.',
    null,
  ),

  missing_api_key: refused(401, 'The header `Authorization: Bearer` is missing. Send a key of this relay.', null),
  invalid_api_key: refused(
    401,
    "The key is unknown, expired or revoked. Get a valid key from the admin of the relay; a vendor's key does not work here.",
  ),
  unsupported_country_region_territory: {
    status: 403,
    type: 'request_forbidden',
    about: "The caller's network or country is not in the permit. An admin can add it to `callers` or `countries`.",
  },
  region_not_permitted: refused(
    403,
    'Every backend of the model is in a region that the permit does not include. Use another model; an admin can add the region to `regions`.',
  ),
  model_not_found: refused(404, 'The model does not exist, or the key may not use it. `GET /v1/models` lists the models of the key.'),
  wrong_endpoint: refused(
    404,
    'The model exists, but this path does not serve its kind, for example a chat model at `/v1/embeddings`. Use the path for its kind.',
    null,
  ),
  unknown_request: refused(
    404,
    'No receipt with this id is kept for this key: the id is wrong, belongs to another key, or is too old. The log has the receipt, too.',
  ),
  unknown_url: refused(404, 'The path does not exist. Check the base URL and the path.', null),
  method_not_allowed: refused(405, 'The path exists, but not with this method. Check the method.', null),
  request_timeout: refused(
    408,
    'The request did not arrive within `server.headersTimeoutMs` or `server.requestTimeoutMs`. Send it again, faster.',
  ),
  request_too_large: refused(413, 'The body is larger than `server.maxBodyBytes`. Send a smaller one.'),
  unsupported_content_type: refused(
    415,
    'The body is not `application/json`, or is compressed with something other than gzip, deflate or br. Correct the headers.',
  ),
  headers_too_large: refused(431, 'The headers of the request are larger than `server.maxHeaderBytes`. Send fewer or shorter ones.'),

  rate_limit_requests: rateLimit(
    'requests',
    'A limit on requests or concurrency of the key or its team is used up; `x-estafet-limit` names it. Try again after `retry-after`.',
  ),
  rate_limit_tokens: rateLimit(
    'tokens',
    'A limit on tokens of the key or its team is used up; `x-estafet-limit` names it. Try again after `retry-after`. With `x-should-retry: false` and no `retry-after`, the request needs more than the whole limit: make it smaller.',
  ),
  insufficient_quota: {
    status: 429,
    type: 'insufficient_quota',
    retry: false,
    about:
      'The budget of the key or its team is spent, or smaller than the request may cost; `x-estafet-limit` names it. Wait for the next window, or ask an admin to raise it.',
  },
  upstream_rate_limit_requests: rateLimit(
    'requests',
    "The vendor's limit on requests or concurrency of the account (`x-estafet-limit: upstream`). Try again after `retry-after`.",
  ),
  upstream_rate_limit_tokens: rateLimit(
    'tokens',
    "The vendor's limit on tokens of the account (`x-estafet-limit: upstream`). Try again after `retry-after`.",
  ),

  backend_limit_requests: rateLimit(
    'requests',
    'Every backend of the model is at its configured limit on requests or concurrency; `x-estafet-limit` names it, for example `backend.rpm`. Try again after `retry-after`.',
  ),
  backend_limit_tokens: rateLimit(
    'tokens',
    'Every backend of the model is at its configured limit on tokens, or the request needs more than the whole limit; `x-estafet-limit` names it. Try again after `retry-after`, or make the request smaller.',
  ),

  internal_error: serverError(500, 'A fault in the relay itself. The log has the details under the `x-request-id`.'),
  upstream_auth: serverError(502, 'The backend refused its API key. An admin must replace the key.', false),
  upstream_model_unavailable: serverError(
    502,
    'The vendor no longer has the model, or has not opened it for the account. An admin must change `models` or have the model opened.',
    false,
  ),
  upstream_invalid_response: serverError(502, "The backend's answer could not be read. Try again."),
  upstream_truncated: serverError(502, 'The connection to the backend ended before the answer was complete. Try again.'),
  upstream_unreachable: serverError(502, 'No connection to the backend could be made. Try again; an admin should check the network.'),
  upstream_rejected: serverError(
    502,
    "The backend refused the form of the relay's request: a fault of the relay or its configuration. An admin should look at the log.",
    false,
  ),
  upstream_unmet: serverError(
    502,
    'The model did not make a forced tool call, or did not keep to a JSON Schema, even when asked again. Change the prompt or the model.',
    false,
  ),
  upstream_out_of_credit: serverError(
    503,
    'The account at the vendor has no money, or its free tier is over. An admin must top it up.',
    false,
  ),
  upstream_overloaded: serverError(503, 'The backend is overloaded or has an internal fault. Try again after `retry-after`.'),
  quota_unavailable: serverError(
    503,
    'The limits cannot be checked, because Redis or the books do not answer. Try again after `retry-after`.',
  ),
  draining: serverError(
    503,
    'The process is shutting down, or cannot check an answer against its JSON Schema because too many wait. Try again.',
  ),
  overloaded: serverError(
    503,
    'The process has too many requests (`server.maxInFlight`) or is too slow (`server.maxLagMs`), or the time of the request (`totalDeadlineMs`) was over before a backend could be called. Try again.',
  ),
  usage_unavailable: serverError(503, 'The books cannot be read at the moment. Other requests are served. Try again.'),
  upstream_timeout: serverError(
    504,
    'The backend did not answer within its `timeouts`, or fell silent. Try again; an admin can raise them.',
  ),
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
