import { describe, expect, test } from 'vitest';
import { checkErrorResponse, checkHeaders } from './openai-schema.ts';
import { errorBody } from './samples.ts';

describe('headers and error answers', () => {
  const id = `req_${'0a'.repeat(16)}`;
  const json = { 'x-request-id': id, 'content-type': 'application/json; charset=utf-8' };
  const stream = { 'x-request-id': id, 'content-type': 'text/event-stream; charset=utf-8' };

  test('good ones pass', () => {
    expect(checkHeaders(json, 'json')).toEqual([]);
    expect(checkHeaders(new Headers(stream), 'stream')).toEqual([]);
    expect(checkErrorResponse(502, errorBody())).toEqual([]);
  });

  test.each<[object, 'json' | 'stream', string]>([
    [{ ...json, 'x-request-id': undefined }, 'json', 'x-request-id undefined is not req_ + 32 hex'],
    [{ ...json, 'x-request-id': 'REQ' }, 'json', 'x-request-id "REQ" is not req_ + 32 hex'],
    [{ ...json, 'content-type': 'text/html' }, 'json', 'content-type "text/html" is wrong for json'],
    [{ ...stream, 'content-type': 'text/event-stream' }, 'stream', 'content-type "text/event-stream" is wrong for stream'],
    [{ ...stream, 'content-encoding': 'gzip' }, 'stream', 'content-encoding is set on a stream'],
  ])('%j as %s', (headers, kind, problem) => {
    expect(checkHeaders({ ...headers }, kind)).toEqual([problem]);
  });

  const refusal = (message: string) => ({ error: { message, type: 'invalid_request_error', param: null, code: null } });
  test.each<[number, unknown, { method: string; path: string } | undefined, string[]]>([
    [404, refusal('Invalid URL (POST /v1/foo)'), { method: 'POST', path: '/v1/foo' }, []],
    [405, refusal('Not allowed to GET on /v1/x. (HINT: …)'), { method: 'GET', path: '/v1/x' }, []],
    [
      404,
      refusal('Cannot POST /v1/foo'),
      { method: 'POST', path: '/v1/foo' },
      ['/error/message "Cannot POST /v1/foo" is not Invalid URL (…)'],
    ],
    [405, refusal('No'), { method: 'GET', path: '/v1/x' }, ['/error/message "No" is not Not allowed to …']],
    [500, refusal('No'), { method: 'GET', path: '/v1/x' }, ['status 500 is neither 404 nor 405']],
    [
      404,
      errorBody(),
      { method: 'GET', path: '/' },
      [
        '/error/type is "server_error", expected invalid_request_error',
        '/error/message "The backend closed the stream." is not Invalid URL (…)',
      ],
    ],
    [200, errorBody(), undefined, ['status 200 is not an error']],
    [400, refusal(' '), undefined, ['/error/message is empty']],
    [400, '<html>', undefined, ['/ must be object', '/error/message is empty']],
  ])('status %i %j', (status, body, asked, problems) => {
    expect(checkErrorResponse(status, body, asked)).toEqual(problems);
  });
});
