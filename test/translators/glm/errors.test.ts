import { describe, expect, test } from 'vitest';
import type { OpenAIError } from '../../../openai/errors.ts';
import { ERRORS } from '../../../simulator/glm/errors.ts';
import { glmV4 } from '../../../translators/glm/v4.ts';
import { validateError } from '../../contract/openai-schema.ts';

const SECRET = 'vendor words: account 4711';

function told(error: OpenAIError) {
  const { message, type, param, code } = error.toJSON().error;
  return {
    message,
    row: [error.status, type, code, param, error.details.retryAfterMs ?? null, error.details.fallback ?? false, error.retry ?? true],
  };
}

const refuse = (status: number, body: unknown, headers: Record<string, string> = {}): OpenAIError =>
  glmV4.failure({ status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) });

const AUTH = [502, 'server_error', 'upstream_auth', null, null, true, false];
const CREDIT = [503, 'server_error', 'upstream_out_of_credit', null, null, true, false];
const MODEL = [502, 'server_error', 'upstream_model_unavailable', null, null, true, false];
const rate = (ms: number) => [429, 'requests', 'rate_limit_exceeded', null, ms, true, true];
const busy = (ms: number) => [503, 'server_error', 'upstream_overloaded', null, ms, true, true];
const OURS = [502, 'server_error', 'upstream_rejected', null, null, true, false];
const bad = (code: string | null, param: string | null) => [400, 'invalid_request_error', code, param, null, false, true];
const GARBAGE = [502, 'server_error', 'upstream_invalid_response', null, null, true, true];

/** Every code the vendor documents: [code, HTTP status it comes with, text, what the caller is told]. */
const CODES: [string, number, string, unknown[]][] = [
  ['500', 500, SECRET, busy(1000)],
  ['1000', 401, SECRET, AUTH],
  ['1001', 401, SECRET, AUTH],
  ['1002', 401, SECRET, AUTH],
  ['1003', 401, SECRET, AUTH],
  ['1004', 401, SECRET, AUTH],
  ['1005', 401, SECRET, AUTH],
  ['1100', 429, SECRET, AUTH],
  ['1110', 429, SECRET, AUTH],
  ['1111', 429, SECRET, AUTH],
  ['1112', 429, SECRET, AUTH],
  ['1113', 429, SECRET, CREDIT],
  ['1120', 500, SECRET, busy(1000)],
  ['1121', 429, SECRET, AUTH],
  ['1200', 500, SECRET, busy(1000)],
  ['1210', 400, 'A parameter of the call is wrong', bad(null, null)],
  ['1211', 400, SECRET, MODEL],
  ['1212', 400, SECRET, MODEL],
  ['1213', 400, 'messages[1].content parameter was not received', bad('missing_required_parameter', 'messages[1].content')],
  ['1214', 400, 'top_p parameter is illegal', bad('invalid_value', 'top_p')],
  ['1215', 400, 'temperature and do_sample exclude each other', bad('invalid_value', 'temperature')],
  ['1220', 403, SECRET, AUTH],
  ['1221', 400, SECRET, MODEL],
  ['1222', 400, SECRET, MODEL],
  ['1230', 500, SECRET, busy(1000)],
  ['1231', 400, SECRET, OURS],
  ['1234', 500, SECRET, busy(1000)],
  ['1261', 400, 'Prompt too long', [400, 'invalid_request_error', 'context_length_exceeded', 'messages', null, true, true]],
  ['1300', 400, SECRET, bad('content_filter', null)],
  ['1301', 400, SECRET, bad('content_filter', null)],
  ['1302', 429, SECRET, rate(1000)],
  ['1303', 429, SECRET, rate(1000)],
  ['1304', 429, SECRET, CREDIT],
  ['1305', 429, SECRET, busy(2000)],
  ['1308', 429, `${SECRET} resets at 2026-09-01 18:00:00`, CREDIT],
  ['1309', 429, SECRET, CREDIT],
  ['1310', 429, SECRET, CREDIT],
  ['1311', 429, SECRET, MODEL],
  ['1312', 429, SECRET, busy(2000)],
  ['1313', 429, SECRET, rate(60_000)],
  ...['1314', '1315', '1316', '1317', '1318', '1319', '1320', '1321'].map((code): [string, number, string, unknown[]] => [
    code,
    429,
    SECRET,
    CREDIT,
  ]),
];

describe.each(CODES)('code %s with HTTP %i', (code, status, message, row) => {
  const envelopes: [string, number, unknown][] = [
    ['as documented', status, { error: { code, message } }],
    ['code as a number', status, { error: { code: Number(code), message } }],
    ['at the top level', status, { code: Number(code), message }],
    ['success: false', 200, { success: false, code: Number(code), msg: message }],
    ['inside HTTP 200', 200, { error: { code, message }, request_id: 'r' }],
    ['with an odd status', 418, { error: { code, message } }],
    ['a sibling filter', status, { contentFilter: [{ level: 1, role: 'user' }], error: { code, message } }],
    ['Anthropic’s form', status, { type: 'error', error: { type: 'some_error', code, message: `[${code}]${message}` } }],
    ['the code in the text only', status, { type: 'error', error: { type: 'some_error', message: `[${code}] ${message}` } }],
  ];
  test.each(envelopes)('%s', (_what, http, body) => {
    const error = refuse(http, body);
    const { message: shown, row: got } = told(error);
    expect(got).toEqual(row);
    expect(validateError(error.toJSON())).toEqual([]);
    expect(error.details.upstreamCode).toBe(code);
    expect(shown).not.toContain('4711');
    // What only the log may see.
    expect(String(error.cause)).toContain(message);
    expect(error.details.limit).toBe(row[0] === 429 ? 'upstream' : undefined);
  });

  test('in a stream', () => {
    const events = { text() {}, reasoning() {}, tool() {}, args() {}, citations() {}, finish() {}, usage() {} };
    for (const body of [{ error: { code, message } }, { success: false, code: Number(code), msg: message }]) {
      expect(thrown(() => glmV4.frames(events).frame(JSON.stringify(body)))).toEqual(row);
      expect(thrown(() => glmV4.whole(body, events))).toEqual(row);
    }
  });
});

function thrown(run: () => void): unknown {
  try {
    run();
  } catch (error) {
    return told(error as OpenAIError).row;
  }
  return 'nothing was thrown';
}

test('every code of the vendor’s list is in the table above', () => {
  const ours = new Set(CODES.map(([code]) => code));
  expect(Object.keys(ERRORS).filter((code) => !ours.has(code))).toEqual([]);
});

test.each([
  ['1214', 'model does not exist', MODEL],
  ['1214', 'Unknown Model, please check the model code.', MODEL],
  ['1214', 'model 参数非法', MODEL],
  ['1214', '模型不存在', MODEL],
  ['1214', 'messages parameter is illegal.', bad('invalid_value', 'messages')],
  ['1214', 'messages 参数非法', bad('invalid_value', 'messages')],
  ['1214', 'Incorrect role information', bad('invalid_value', null)],
  ['1214', 'tools[0].type is illegal', bad('invalid_value', 'tools[0].type')],
  ['1214', 'messages[5].content[1].type type error', bad('invalid_value', 'messages[5].content[1].type')],
  ['1214', 'messages.1.content.1.image_url is not supported in this endpoint', bad('invalid_value', 'messages[1].content[1].image_url')],
  ['1214', 'messages[2]:content and tool_calls must not both be empty', bad('invalid_value', 'messages[2].content')],
  ['1214', 'max_tokens must be in [1,4095]', bad('invalid_value', 'max_tokens')],
  ['1214', 'the image model of this message is not the one meant', bad('invalid_value', null)],
  ['1214', 'user_id must have 6 to 128 characters', OURS],
  ['1210', 'request_id must be of type string', OURS],
  ['1210', '[1210] max_tokens must be in [1,131072]', bad('invalid_value', 'max_tokens')],
  ['1210', 'Tool choice must be auto', bad(null, null)],
  ['1210', 'Wrong parameter: picture format error', [400, 'invalid_request_error', 'invalid_image_url', 'messages', null, true, true]],
  ['1210', '图片输入格式/解析错误', [400, 'invalid_request_error', 'invalid_image_url', 'messages', null, true, true]],
])('%s: %s', (code, message, row) => {
  const error = refuse(400, { error: { code, message } });
  expect(told(error).row).toEqual(row);
  expect(error.message).not.toContain('[1210]');
});

/** No code to go by: the status decides. */
test.each<[string, number, string, unknown[]]>([
  ['a wrong path', 404, '{"timestamp":"2026-09-01T00:00:00Z","status":404,"error":"Not Found","path":"/v4/v1"}', OURS],
  ['a gateway’s page', 502, '<html>Bad Gateway 4711</html>', busy(1000)],
  ['nothing', 503, '', busy(1000)],
  ['nothing', 500, '', busy(1000)],
  ['nothing', 504, '', [504, 'server_error', 'upstream_timeout', null, null, true, true]],
  ['nothing', 429, '', rate(1000)],
  ['nothing', 401, '', AUTH],
  ['nothing', 403, '', AUTH],
  ['no permission in beta', 434, '', AUTH],
  ['a large file', 435, '', [413, 'invalid_request_error', 'request_too_large', null, null, false, true]],
  ['nothing', 413, '', [413, 'invalid_request_error', 'request_too_large', null, null, false, true]],
  ['nothing', 400, '', bad(null, null)],
  ['an unknown code', 400, '{"error":{"code":"1999","message":"temperature is odd"}}', bad('invalid_value', 'temperature')],
  ['an unknown code', 200, '{"error":{"code":"1999","message":"4711"}}', GARBAGE],
  ['a success of another interface', 200, '{"code":200,"msg":"4711","success":true,"data":{}}', GARBAGE],
  ['an array', 500, '[1]', busy(1000)],
])('%s with HTTP %i', (_what, status, body, row) => {
  const error = refuse(status, body);
  expect(told(error).row).toEqual(row);
  expect(error.message).not.toContain('4711');
});

test('a retry-after of a gateway in front is passed on', () => {
  expect(refuse(429, { error: { code: '1302', message: '' } }, { 'retry-after': '7' }).details.retryAfterMs).toBe(7000);
});
