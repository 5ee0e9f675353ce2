import { describe, expect, test } from 'vitest';
import { asOpenAIError, ERRORS, type ErrorName, OpenAIError } from '../../openai/errors.ts';
import { checkErrorResponse } from '../contract/openai-schema.ts';

const NAMES = Object.keys(ERRORS) as ErrorName[];

describe.each(NAMES)('%s', (name) => {
  test('has a status and a type that an SDK understands, and is a good error answer', () => {
    const error = new OpenAIError(name, 'What was wrong.', { param: 'messages[0].role' });
    expect(error.status).toBeGreaterThanOrEqual(400);
    expect(error.status).toBeLessThan(600);
    expect(Object.keys(error.toJSON().error)).toEqual(['message', 'type', 'param', 'code']);
    expect(checkErrorResponse(error.status, error.toJSON())).toEqual([]);
    expect(ERRORS[name].about).toMatch(/\.$/);
  });

  test('only the fault of a backend is a 502, and only that of the relay itself a 500', () => {
    const { status } = ERRORS[name];
    expect(status === 502).toBe(name.startsWith('upstream_') && status === 502);
    expect(status === 500).toBe(name === 'internal_error');
  });
});

test.each<[ErrorName, number, string, string | null, false | undefined]>([
  ['upstream_auth', 502, 'server_error', 'upstream_auth', false],
  ['upstream_out_of_credit', 503, 'server_error', 'upstream_out_of_credit', false],
  ['upstream_rate_limit_requests', 429, 'requests', 'rate_limit_exceeded', undefined],
  ['upstream_rate_limit_tokens', 429, 'tokens', 'rate_limit_exceeded', undefined],
  ['upstream_overloaded', 503, 'server_error', 'upstream_overloaded', undefined],
  ['upstream_model_unavailable', 502, 'server_error', 'upstream_model_unavailable', false],
  ['content_filter', 400, 'invalid_request_error', 'content_filter', undefined],
  ['context_length_exceeded', 400, 'invalid_request_error', 'context_length_exceeded', undefined],
  ['upstream_timeout', 504, 'server_error', 'upstream_timeout', undefined],
  ['upstream_invalid_response', 502, 'server_error', 'upstream_invalid_response', undefined],
  ['upstream_truncated', 502, 'server_error', 'upstream_truncated', undefined],
  ['unsupported_country_region_territory', 403, 'request_forbidden', 'unsupported_country_region_territory', undefined],
  ['region_not_permitted', 403, 'invalid_request_error', 'region_not_permitted', undefined],
  ['model_not_found', 404, 'invalid_request_error', 'model_not_found', undefined],
  ['missing_api_key', 401, 'invalid_request_error', null, undefined],
  ['invalid_api_key', 401, 'invalid_request_error', 'invalid_api_key', undefined],
  ['invalid_json', 400, 'invalid_request_error', null, undefined],
])('%s is %i %s %s, retry %s', (name, status, type, code, retry) => {
  const error = new OpenAIError(name, 'x');
  expect([error.status, error.type, error.code, error.retry]).toEqual([status, type, code, retry]);
});

test('details override the retry of the catalogue, never the other way', () => {
  expect(new OpenAIError('upstream_truncated', 'x', { retry: false }).retry).toBe(false);
});

test('JSON holds neither the cause nor the details', () => {
  const error = new OpenAIError('upstream_auth', 'The message.', { cause: 'sk-secret', upstreamCode: 'InvalidApiKey', fallback: true });
  expect(JSON.stringify(error)).toBe('{"error":{"message":"The message.","type":"server_error","param":null,"code":"upstream_auth"}}');
  expect(error.cause).toBe('sk-secret');
});

test('anything thrown becomes an error that tells nothing', () => {
  const known = new OpenAIError('invalid_value', 'x');
  expect(asOpenAIError(known)).toBe(known);
  for (const thrown of [new TypeError('secret path /etc'), 'secret', null, undefined]) {
    const error = asOpenAIError(thrown);
    expect([error.kind, error.status, error.cause]).toEqual(['internal_error', 500, thrown]);
    expect(JSON.stringify(error)).not.toContain('secret');
  }
});
