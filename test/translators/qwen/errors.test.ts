import { describe, expect, test } from 'vitest';
import { qwenFailure } from '../../../translators/qwen/errors.ts';
import { checkErrorResponse } from '../../contract/openai-schema.ts';
import { ROWS } from './error-rows.ts';

const envelopes: Record<string, (code: string, message: string) => string> = {
  compatible: (code, message) =>
    JSON.stringify({
      error: { message, type: 'invalid_request_error', param: null, code: code || null },
      id: 'chatcmpl-1',
      request_id: 'r',
    }),
  stream: (code, message) => `data: ${JSON.stringify({ error: { code, param: null, message, type: code } })}\n\n`,
  native: (code, message) => JSON.stringify({ code, message, request_id: 'r' }),
  // The vendor's own client expects an event also under a status that is none of a stream.
  'native stream': (code, message) => `id:1\nevent:error\n:HTTP_STATUS/400\ndata:${JSON.stringify({ code, message, request_id: 'r' })}\n\n`,
};

describe.each(ROWS)('%i %s %j', (status, code, message, told) => {
  test.each(Object.keys(envelopes))('%s', (envelope) => {
    const error = qwenFailure({
      status,
      headers: {},
      body: (envelopes[envelope] as (code: string, message: string) => string)(code, message),
    });
    const { param, retryAfterMs, fallback, limit, upstreamCode } = error.details;
    expect({ to: error.kind, param, retryAfterMs, fallback }).toEqual({
      param: undefined,
      retryAfterMs: undefined,
      fallback: false,
      ...told,
    });
    expect(limit).toBe(error.status === 429 ? 'upstream' : undefined);
    expect(upstreamCode).toBe(code || `http_${status}`);
    expect(checkErrorResponse(error.status, error.toJSON())).toEqual([]);
    expect(error.message).not.toMatch(/<400>|For details|help\.aliyun|InternalError/);
    // Callers of a failed backend do not learn its words.
    if (error.status >= 429 && message.length > 3) expect(error.message).not.toContain(message);
  });
});

test.each([
  ['HTML of a gateway', 502, '<html><h1>502 Bad Gateway</h1></html>', 'upstream_overloaded'],
  ['an empty body', 503, '', 'upstream_overloaded'],
  ['a list', 400, '[1,2]', 'invalid_request'],
  ['prototype keys', 400, '{"__proto__":{"code":"Arrearage"},"constructor":1}', 'invalid_request'],
])('%s', (_name, status, body, kind) => {
  expect(qwenFailure({ status, headers: {}, body }).kind).toBe(kind);
});

test('codes are told apart whatever their case', () => {
  expect(qwenFailure({ status: 400, headers: {}, body: '{"code":"ARREARAGE","message":""}' }).kind).toBe('upstream_out_of_credit');
});

test('the wait of a header goes before the one of the table', () => {
  const body = '{"error":{"code":"limit_requests","message":"m"}}';
  expect(qwenFailure({ status: 429, headers: { 'retry-after': '12' }, body }).details.retryAfterMs).toBe(12_000);
});

test("the vendor's id of the request is in the log's words, and not in the caller's", () => {
  const error = qwenFailure({ status: 500, headers: {}, body: '{"code":"InternalError","message":"m","request_id":"5f0f6a2e-0000"}' });
  expect(error.details.cause).toBe('500 InternalError m (request 5f0f6a2e-0000)');
  expect(JSON.stringify(error)).not.toContain('5f0f6a2e');
});
