import { describe, expect, test } from 'vitest';
import { ERRORS, type ErrorName } from '../../../openai/errors.ts';
import { type FailureRow, looksLikeError, mapFailure, readFailure } from '../../../translators/compatible/failure.ts';

const read = (body: unknown, status = 400, headers: Record<string, string> = {}) =>
  readFailure({ status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
const LAST: FailureRow = { to: 'upstream_invalid_response' };
const map = (message: string, row: FailureRow, headers = {}) =>
  mapFailure(read({ error: { message, code: 'c' } }, 400, headers), [row], LAST, (text) => text);

describe('envelopes', () => {
  test.each<[string, unknown, string, string]>([
    ["OpenAI's", { error: { message: 'm', type: 't', code: 'c' } }, 'c', 'm'],
    ['flat', { code: 'c', message: 'm', request_id: 'r' }, 'c', 'm'],
    ['a number for a code', { error: { code: 1211, message: 'm' } }, '1211', 'm'],
    ['error_code', { error_code: 17, error_msg: 'm' }, '17', 'm'],
    ['msg', { code: 500, msg: 'm', success: false }, '500', 'm'],
    ['an error that is a text', { error: 'm' }, '', 'm'],
    ['the first event of a stream', 'data: {"error":{"code":"c","message":"m"}}\n\n', 'c', 'm'],
    ['no space', 'data:{"error":{"code":"c","message":"m"}}', 'c', 'm'],
    ['more events behind', 'data: {"error":{"code":"c","message":"m"}}\r\n\r\ndata: [DONE]\r\n\r\n', 'c', 'm'],
    ['HTML', '<html>Bad gateway</html>', '', ''],
    ['nothing', '', '', ''],
    ['null', 'null', '', ''],
    ['a list', '[1]', '', ''],
    ['wrong types', { error: { code: {}, message: [], type: 5 } }, '', ''],
    ['keys of objects', '{"error":{"__proto__":{"code":"x"}}}', '', ''],
  ])('%s', (_name, body, code, message) => {
    expect(read(body)).toMatchObject({ code, message, status: 400 });
  });

  test('a long message is cut', () => {
    expect(read({ message: 'x'.repeat(5000) }).message).toHaveLength(1000);
  });
});

describe('an error inside an answer', () => {
  test.each<[unknown, boolean]>([
    [{ error: { code: 'c' } }, true],
    [{ error: 'm' }, true],
    [{ error: {}, choices: [] }, true],
    [{ code: 'InternalError' }, true],
    [{ error_code: 4 }, true],
    [{ success: false }, true],
    [{ error: null, choices: [] }, false],
    [{ choices: [], code: 'c' }, false],
    [{}, false],
    [{ object: 'chat.completion.chunk', choices: null }, false],
  ])('%j: %s', (answer, is) => {
    expect(looksLikeError(answer as Record<string, unknown>)).toBe(is);
  });
});

describe('rows', () => {
  const kind = (row: FailureRow, body: object, status = 400) => mapFailure(read(body, status), [row], LAST, (text) => text).kind;
  const to = 'content_filter' as const;
  test.each<[string, FailureRow, object, number, boolean]>([
    ['code', { code: 'Abc', to }, { code: 'aBC' }, 400, true],
    ['another code', { code: 'Abc', to }, { code: 'Abcd' }, 400, false],
    ['one of several', { code: ['a', 'b'], to }, { code: 'b' }, 400, true],
    ['the beginning of a code', { code: 'InvalidFile.*', to }, { code: 'InvalidFile.Size' }, 400, true],
    ['the beginning alone', { code: 'InvalidFile.*', to }, { code: 'InvalidFile' }, 400, true],
    ['only a part of a word', { code: 'InvalidFile.*', to }, { code: 'InvalidFilename' }, 400, false],
    ['status', { status: [429], to }, { code: 'x' }, 429, true],
    ['another status', { status: [429], to }, { code: 'x' }, 400, false],
    ['text', { text: /arrears/, to }, { message: 'in arrears' }, 400, true],
    ['code and text', { code: 'a', text: /arrears/, to }, { code: 'a', message: 'no' }, 400, false],
    ['type', { type: 'T', to }, { error: { type: 't' } }, 400, true],
  ])('%s', (_name, row, body, status, fits) => {
    expect(kind(row, body, status)).toBe(fits ? to : 'upstream_invalid_response');
  });
});

describe('param', () => {
  const row: FailureRow = { to: 'invalid_value', param: 'read', unread: 'invalid_request' };
  test.each<[string, string | undefined]>([
    ['Range of max_tokens should be [1, 8192]', 'max_tokens'],
    ["-1 is lesser than the minimum of 0 - 'seed'", 'seed'],
    ["'n' must be 1 when tools is not None", 'n'],
    ['Temperature should be in [0.0, 2.0)', 'temperature'],
    ["developer is not one of ['system', 'user'] - 'messages[0].role'", 'messages[0].role'],
    ['messages.3.content must be a string', 'messages[3].content'],
    ['Input should be a valid string (input.messages.2.content)', 'messages[2].content'],
    ['The tool_choice parameter does not support being set to required', 'tool_choice'],
    ["The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options'],
    ["[] is too short - 'tools'", 'tools'],
    ['the top_p range is (0, 1]', 'top_p'],
    ['The input messages do not contain elements with the role of user.', 'messages'],
    ['The user must try again with another model.', undefined],
    ['A [1, N] range was given', undefined],
    ['', undefined],
  ])('%j: %s', (message, param) => {
    const error = map(message, row);
    expect([error.details.param, error.kind]).toEqual([param, param === undefined ? 'invalid_request' : 'invalid_value']);
  });

  test('is read in time that grows with the text only', () => {
    const started = performance.now();
    for (const text of ['a'.repeat(1000), 'messages.'.repeat(110), "'".repeat(1000), 'messages[1]'.repeat(90), 'sk-'.repeat(330)])
      map(text, row);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('what the caller learns', () => {
  test.each(
    (Object.keys(ERRORS) as ErrorName[]).filter(
      (name) =>
        ERRORS[name].status >= 429 &&
        name.startsWith('upstream_') &&
        !['upstream_truncated', 'upstream_unreachable', 'upstream_unmet'].includes(name),
    ),
  )('%s: never the words of the vendor', (to) => {
    const error = map('internal host 10.1.2.3 of account 42', { to });
    expect(JSON.stringify(error)).not.toMatch(/10\.1|42/);
    expect(error.cause).toBe('400 c internal host 10.1.2.3 of account 42');
  });

  test('a wrong parameter is told in the words of the vendor, without keys', () => {
    expect(map('Bad value for sk-abc123def456 and bce-v3/ALTAK-x', { to: 'invalid_value' }).message).toBe('Bad value for [key] and [key]');
    expect(map('', { to: 'invalid_value' }).message).toBe('The backend refused the request.');
  });

  test('the wait of the vendor, else of the row; none where asking again is no use', () => {
    const row: FailureRow = { to: 'upstream_rate_limit_requests', retryAfterMs: 1000 };
    expect(map('m', row).details).toMatchObject({ retryAfterMs: 1000, limit: 'upstream', upstreamCode: 'c', fallback: false });
    expect(map('m', row, { 'retry-after': '7' }).details.retryAfterMs).toBe(7000);
    expect(map('m', row, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }).details.retryAfterMs).toBe(1000);
    expect(map('m', { to: 'upstream_auth' }, { 'retry-after': '7' }).details.retryAfterMs).toBeUndefined();
  });

  test('without a code the status stands for it', () => {
    expect(mapFailure(read('<html>', 502), [], LAST, (text) => text).details.upstreamCode).toBe('http_502');
  });
});
