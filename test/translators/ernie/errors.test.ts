import { describe, expect, test } from 'vitest';
import type { ErrorName } from '../../../openai/errors.ts';
import { ERNIE_FAILURES, ernieFailure } from '../../../translators/ernie/errors.ts';
import { ernieV2 } from '../../../translators/ernie/v2.ts';
import type { UpstreamFailure } from '../../../translators/translator.ts';
import { checkErrorResponse } from '../../contract/openai-schema.ts';

const failure = (status: number, body: unknown, headers: Record<string, string> = {}): UpstreamFailure => ({
  status,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

const refusal = (status: number, code: string, message = 'words of the vendor', type = 'invalid_request_error'): UpstreamFailure =>
  failure(status, { error: { code, message, type }, id: 'as-sim0000001' });

interface Row {
  readonly status: number;
  readonly code: string;
  readonly text?: string;
  readonly type?: string;
  readonly to: ErrorName;
  readonly param?: string;
  readonly fallback?: true;
  readonly retryAfterMs?: number;
}

/** One row of Qianfan's table each; `to` is the name in the catalogue, which fixes status, type and code. */
const ROWS: readonly Row[] = [
  { status: 400, code: 'malformed_json', text: 'Invalid Argument', to: 'invalid_request' },
  { status: 400, code: 'invalid_model', text: 'model is empty', to: 'upstream_rejected', fallback: true },
  { status: 400, code: 'invalid_model', text: 'unknown model', to: 'upstream_model_unavailable', fallback: true },
  { status: 400, code: 'invalid_messages', text: 'the content of messages[2] cannot be empty', to: 'invalid_value', param: 'messages' },
  {
    status: 400,
    code: 'characters_too_long',
    text: 'the max input characters is 20000',
    to: 'context_length_exceeded',
    param: 'messages',
    fallback: true,
  },
  {
    status: 400,
    code: 'tokens_too_long',
    text: 'Prompt tokens too long',
    to: 'context_length_exceeded',
    param: 'messages',
    fallback: true,
  },
  {
    status: 400,
    code: 'invalid_argument',
    text: 'parameter check failed, max_completion_tokens range is [2, 4096]',
    to: 'invalid_value',
    param: 'max_completion_tokens',
  },
  { status: 400, code: 'invalid_argument', text: 'temperature range is (0, 1]', to: 'invalid_value', param: 'temperature' },
  {
    status: 400,
    code: 'invalid_argument',
    text: 'for messages: penalty_score range is [1, 2]',
    to: 'invalid_value',
    param: 'penalty_score',
  },
  { status: 400, code: 'invalid_argument', text: 'the length of messages must be an odd number', to: 'invalid_value', param: 'messages' },
  { status: 400, code: 'invalid_argument', text: 'something is wrong', to: 'invalid_value' },
  { status: 400, code: 'invalid_image_generation_prompt', to: 'invalid_value', param: 'prompt' },
  { status: 400, code: 'invalid_image_genration_prompt', to: 'invalid_value', param: 'prompt' },
  { status: 400, code: 'invalid_image_generation_refer_image', to: 'invalid_value', param: 'image' },
  { status: 400, code: 'invalid_image_genration_refer_image', to: 'invalid_value', param: 'image' },
  { status: 400, code: 'invalid_image_url', to: 'invalid_image_url', param: 'messages' },
  { status: 400, code: 'invalid_plugin_argument', to: 'invalid_value', param: 'web_search' },
  { status: 400, code: 'image_url_unsafe', type: 'unsafe_request', to: 'content_filter', param: 'messages' },
  { status: 401, code: 'invalid_iam_token', text: 'IAM Certification failed', to: 'upstream_auth', fallback: true },
  { status: 401, code: 'invalid_appid', text: 'No permission to use the appid', to: 'upstream_auth', fallback: true },
  { status: 401, code: 'invalid_model', text: 'No permission to use the model', to: 'upstream_model_unavailable', fallback: true },
  {
    status: 401,
    code: 'no_parameter_permission',
    text: 'no permission to use parameter tool_choice',
    type: 'access_denied',
    to: 'unsupported_parameter',
    param: 'tool_choice',
    fallback: true,
  },
  {
    status: 403,
    code: 'system_unsafe',
    text: 'the content of system field is invalid',
    type: 'unsafe_request',
    to: 'content_filter',
    param: 'messages',
  },
  { status: 403, code: 'user_setting_unsafe', type: 'unsafe_request', to: 'content_filter', param: 'user' },
  { status: 403, code: 'functions_unsafe', type: 'unsafe_request', to: 'content_filter', param: 'tools' },
  { status: 403, code: 'some_new_unsafe', type: 'unsafe_request', to: 'content_filter', param: 'messages' },
  { status: 403, code: 'account_overdue', type: 'access_denied', to: 'upstream_out_of_credit', fallback: true },
  { status: 403, code: 'model_offline', type: 'access_denied', to: 'upstream_model_unavailable', fallback: true },
  { status: 405, code: 'method_not_supported', text: 'Only POST requests are accepted', to: 'upstream_rejected', fallback: true },
  { status: 429, code: 'rpm_rate_limit_exceeded', to: 'upstream_rate_limit_requests', retryAfterMs: 30_000, fallback: true },
  { status: 429, code: 'tpm_rate_limit_exceeded', to: 'upstream_rate_limit_tokens', retryAfterMs: 30_000, fallback: true },
  { status: 429, code: 'input_tpm_rate_limit_exceeded', to: 'upstream_rate_limit_tokens', retryAfterMs: 30_000, fallback: true },
  { status: 429, code: 'output_tpm_rate_limit_exceeded', to: 'upstream_rate_limit_tokens', retryAfterMs: 30_000, fallback: true },
  { status: 429, code: 'user_rate_limit_exceeded', to: 'upstream_rate_limit_requests', retryAfterMs: 2000, fallback: true },
  { status: 429, code: 'cluster_rate_limit_exceeded', to: 'upstream_overloaded', retryAfterMs: 2000, fallback: true },
  { status: 429, code: 'cluster_rpm_rate_limit_exceeded', to: 'upstream_overloaded', retryAfterMs: 2000, fallback: true },
  { status: 429, code: 'cluster_tpm_rate_limit_exceeded', to: 'upstream_overloaded', retryAfterMs: 2000, fallback: true },
  { status: 429, code: 'preemptible_rate_limit_exceeded', to: 'upstream_rate_limit_requests', retryAfterMs: 30_000, fallback: true },
  { status: 429, code: 'Offline_batch_reasoning_refused', to: 'upstream_rate_limit_requests', retryAfterMs: 30_000, fallback: true },
  { status: 429, code: 'a_new_limit', to: 'upstream_rate_limit_requests', retryAfterMs: 30_000, fallback: true },
  { status: 500, code: 'internal_error', type: 'Internal_error', to: 'upstream_overloaded', retryAfterMs: 1000, fallback: true },
  { status: 500, code: 'dispatch_internal_error', type: 'Internal_error', to: 'upstream_overloaded', retryAfterMs: 1000, fallback: true },
  { status: 500, code: 'image_generation_interal_error', to: 'upstream_overloaded', retryAfterMs: 1000, fallback: true },
  { status: 500, code: 'image_genration_interal_error', to: 'upstream_overloaded', retryAfterMs: 1000, fallback: true },
  { status: 400, code: 'a_new_refusal', text: 'seed is odd', to: 'invalid_request', param: 'seed', fallback: true },
  { status: 401, code: 'a_new_refusal', to: 'upstream_auth', fallback: true },
  { status: 403, code: 'a_new_refusal', to: 'invalid_request', fallback: true },
  { status: 403, code: 'a_new_refusal', type: 'access_denied', to: 'upstream_auth', fallback: true },
  { status: 404, code: 'not_found', to: 'upstream_rejected', fallback: true },
];

const OUTWARD: Partial<Record<ErrorName, readonly [number, string, string | null, false | undefined]>> = {
  invalid_request: [400, 'invalid_request_error', null, undefined],
  invalid_value: [400, 'invalid_request_error', 'invalid_value', undefined],
  unsupported_parameter: [400, 'invalid_request_error', 'unsupported_parameter', undefined],
  invalid_image_url: [400, 'invalid_request_error', 'invalid_image_url', undefined],
  context_length_exceeded: [400, 'invalid_request_error', 'context_length_exceeded', undefined],
  content_filter: [400, 'invalid_request_error', 'content_filter', undefined],
  upstream_rejected: [502, 'server_error', 'upstream_rejected', false],
  upstream_auth: [502, 'server_error', 'upstream_auth', false],
  upstream_model_unavailable: [502, 'server_error', 'upstream_model_unavailable', false],
  upstream_out_of_credit: [503, 'server_error', 'upstream_out_of_credit', false],
  upstream_overloaded: [503, 'server_error', 'upstream_overloaded', undefined],
  upstream_rate_limit_requests: [429, 'requests', 'rate_limit_exceeded', undefined],
  upstream_rate_limit_tokens: [429, 'tokens', 'rate_limit_exceeded', undefined],
};

describe.each(ROWS)('$status $code', (row) => {
  const text = row.text ?? 'words of the vendor';
  const error = ernieFailure(refusal(row.status, row.code, text, row.type));

  test('has its meaning', () => {
    expect([error.kind, error.status, error.type, error.code, error.retry]).toEqual([row.to, ...(OUTWARD[row.to] ?? [])]);
    expect(error.details.param).toBe(row.param);
    expect(error.details.fallback).toBe(row.fallback ?? false);
    expect(error.details.retryAfterMs).toBe(row.retryAfterMs);
    expect(error.details.upstreamCode).toBe(row.code);
    expect(error.details.limit).toBe(error.status === 429 ? 'upstream' : undefined);
    expect(checkErrorResponse(error.status, error.toJSON())).toEqual([]);
  });

  test("keeps the vendor's words from callers of a 5xx or 429", () => {
    if (error.status >= 429) expect(error.message).not.toContain(text);
    else if (row.to !== 'content_filter') expect(error.message).toBe(text);
    expect(String(error.details.cause)).toContain(text);
  });

  test('means the same with HTTP 200, where the code is known', () => {
    if (/^a_new|not_found/.test(row.code)) return;
    expect(ernieFailure(refusal(200, row.code, text, row.type)).kind).toBe(row.to);
  });
});

test('every code of the table has a row above', () => {
  const tested = new Set(ROWS.map(({ code }) => code.toLowerCase()));
  const codes = ERNIE_FAILURES.flatMap(({ code }) => code ?? []);
  expect(codes.filter((code) => !tested.has(code.toLowerCase()) && !['AccessDenied', 'IamSignatureInvalid'].includes(code))).toEqual([]);
});

describe('envelopes', () => {
  const bce = { 'x-bce-error-code': 'IamSignatureInvalid', 'x-bce-error-message': 'the signature of ak-123 does not match' };
  test.each<[string, UpstreamFailure, ErrorName]>([
    ['flat body', failure(403, { code: 'AccessDenied', message: 'Access denied.', requestId: 'sim-10' }), 'upstream_auth'],
    ['error without type in HTTP 200', failure(200, { error: { code: 'internal_error', message: 'high load' } }), 'upstream_overloaded'],
    ['flat with msg in HTTP 200', failure(200, { code: 'rpm_rate_limit_exceeded', msg: 'Rate limit' }), 'upstream_rate_limit_requests'],
    ['headers and no body', failure(403, '', bce), 'upstream_auth'],
    ['headers and no body, 401', failure(401, '', { ...bce, 'x-bce-error-code': 'AccessDenied' }), 'upstream_auth'],
    ['error_code of the first interface', failure(200, { error_code: 336100, error_msg: 'high load' }), 'upstream_invalid_response'],
    ['a line of a stream', failure(200, 'data: {"error":{"code":"account_overdue","message":"x"}}'), 'upstream_out_of_credit'],
    ['code in other case', refusal(403, 'ACCOUNT_OVERDUE'), 'upstream_out_of_credit'],
    ['a page, 502', failure(502, '<html>bad gateway 10.0.0.1</html>'), 'upstream_overloaded'],
    ['a page, 503', failure(503, '<html>busy</html>'), 'upstream_overloaded'],
    ['a page, 504', failure(504, '<html>slow</html>'), 'upstream_timeout'],
    ['a page, 413', failure(413, '<html>too big</html>'), 'request_too_large'],
    ['a page, 404', failure(404, '<html>no</html>'), 'upstream_rejected'],
    ['a page, 200', failure(200, '<html>pay first</html>'), 'upstream_invalid_response'],
    ['a page, 402', failure(402, '<html>pay first</html>'), 'upstream_out_of_credit'],
    ['nothing, 400', failure(400, ''), 'invalid_request'],
    ['nothing, 429', failure(429, ''), 'upstream_rate_limit_requests'],
    ['nothing, 302', failure(302, ''), 'upstream_invalid_response'],
    ['null', failure(500, 'null'), 'upstream_overloaded'],
    ['a list', failure(500, '[1]'), 'upstream_overloaded'],
    ['a text as error', failure(500, { error: 'high load at 10.0.0.1' }), 'upstream_overloaded'],
  ])('%s', (_name, upstream, to) => {
    const error = ernieV2.failure(upstream);
    expect(error.kind).toBe(to);
    expect(error.message).not.toMatch(/10\.0\.0\.1|<html|ak-123|high load/);
    expect(error.message).not.toBe('');
  });
});

test("the vendor's own retry-after wins, where it counts seconds", () => {
  const limited = (wait: string) =>
    ernieFailure({ ...refusal(429, 'rpm_rate_limit_exceeded'), headers: { 'retry-after': wait } }).details.retryAfterMs;
  expect(limited('7')).toBe(7000);
  expect(limited('0')).toBe(0);
  expect(limited('Tue, 24 Nov 2026 08:00:00 GMT')).toBe(30_000);
  expect(limited('-1')).toBe(30_000);
});
