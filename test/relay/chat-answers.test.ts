import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkErrorResponse, checkHeaders, checkStream } from '../contract/openai-schema.ts';
import { completion, DONE, finishFrame, http, httpChunk, roleFrame, type Script, SSE_HEAD, textFrame, usageFrame } from './backends.ts';
import { type ChatDesk, openChatDesk, type Told, tell } from './chat-desk.ts';

let rig: ChatDesk;
beforeAll(async () => {
  rig = await openChatDesk({ backend: ', timeouts: { firstByteMs: 300, wholeMs: 300, idleMs: 300 }' });
});
afterAll(() => rig.close());
beforeEach(() => {
  rig.first.requests.length = 0;
  rig.second.requests.length = 0;
  rig.desk.records.length = 0;
  rig.script.second = whole('from the second');
});

const whole =
  (content: string): Script =>
  (socket) =>
    socket.write(http(200, completion(content)));
const stream =
  (...frames: string[]): Script =>
  (socket) =>
    socket.write(`${SSE_HEAD}${frames.map(httpChunk).join('')}0\r\n\r\n`);
const GOOD = [roleFrame, textFrame('Hel'), textFrame('lo'), finishFrame(), usageFrame, DONE];
const secondStreams = stream(roleFrame, textFrame('from the second'), finishFrame(), usageFrame, DONE);
const STREAM = { stream: true, stream_options: { include_usage: true } };

/** An error with a real status, in OpenAI's form, that shows nothing of the backend. */
function refusal(told: Told, status: number, code: string): void {
  expect({ status: told.status, code: told.error?.code }).toEqual({ status, code });
  expect(checkErrorResponse(told.status, JSON.parse(told.text))).toEqual([]);
  expect(checkHeaders(told.headers, 'json')).toEqual([]);
  expect(told.text).not.toMatch(/127\.0\.0\.1|sk-secret|secret-of|<html/);
}

describe('whole answers', () => {
  test('a good one', async () => {
    rig.script.first = whole('hello');
    const told = await tell(rig.desk, 'm');
    expect(told).toMatchObject({ status: 200, content: 'hello', finishes: ['stop'], usage: { prompt_tokens: 3, completion_tokens: 2 } });
    expect(rig.desk.records).toMatchObject([
      { status: 200, reason: 'done', attempts: [{ backend: 'a', error: null }], usage: { source: 'vendor' } },
    ]);
  });

  test('a stream for a caller who did not ask for one', async () => {
    rig.script.first = stream(...GOOD);
    expect(await tell(rig.desk, 'one')).toMatchObject({ status: 200, content: 'Hello', finishes: ['stop'] });
  });

  test('headers of the backend stay behind', async () => {
    const leaky = {
      'set-cookie': 'session=1',
      server: 'secret-server',
      'x-dashscope-request-id': 'secret-id',
      'x-powered-by': 'secret',
      'access-control-allow-origin': '*',
      'x-request-id': 'theirs',
      'x-ratelimit-remaining-requests': '1',
    };
    for (const [body, type] of [
      [completion('x'), 'application/json'],
      [GOOD.join(''), 'text/event-stream'],
    ] as const) {
      rig.script.first = (socket) => socket.write(http(200, body, { ...leaky, 'content-type': type }));
      const { headers } = await tell(rig.desk, 'one', { stream: type === 'text/event-stream' });
      for (const name of Object.keys(leaky)) if (name !== 'x-request-id') expect(headers.has(name), name).toBe(false);
      expect(headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/);
    }
  });

  test.each<[string, string | Buffer, string, number, string]>([
    ['no JSON', http(200, 'hello'), 'upstream_invalid_response', 502, ''],
    [
      'an HTML page with status 200',
      http(200, '<html>secret</html>', { 'content-type': 'text/html' }),
      'upstream_invalid_response',
      502,
      '',
    ],
    ['nothing', http(200, ''), 'upstream_invalid_response', 502, ''],
    ['half an answer of the right length', http(200, completion('x').slice(0, 40)), 'upstream_invalid_response', 502, ''],
    ['a list', http(200, '[]'), 'upstream_invalid_response', 502, ''],
    ['null', http(200, 'null'), 'upstream_invalid_response', 502, ''],
    ['no choices', http(200, '{"choices":[]}'), '', 502, ''],
    ['a cut body', http(200, completion('x')).slice(0, -5), 'upstream_truncated', 502, 'end'],
    ['a redirect', http(302, '', { location: 'http://127.0.0.1:1/' }), '', 502, ''],
  ])('%s', async (_name, bytes, kind, status, end) => {
    rig.script.first = (socket) => void (end === 'end' ? socket.end(bytes) : socket.write(bytes));
    const told = await tell(rig.desk, 'one');
    if (kind !== '') refusal(told, status, kind);
    else expect([told.status, told.error?.code?.startsWith('upstream_')]).toEqual([502, true]);
    expect(rig.first.requests).toHaveLength(1);
  });

  test('a compressed answer, which was not asked for', async () => {
    const zipped = gzipSync(completion('x'));
    rig.script.first = (socket: Socket) => {
      socket.write(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: ${zipped.length}\r\n\r\n`,
      );
      socket.write(zipped);
    };
    refusal(await tell(rig.desk, 'one'), 502, 'upstream_invalid_response');
  });

  test('an answer without end is given up at a bound', async () => {
    rig.script.first = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n');
      const piece = httpChunk(' '.repeat(1024 * 1024));
      for (let mib = 0; mib < 40; mib++) socket.write(piece);
    };
    refusal(await tell(rig.desk, 'one'), 502, 'upstream_invalid_response');
  });

  test('a refusal without end too', async () => {
    rig.script.first = (socket) => {
      socket.write('HTTP/1.1 500 No\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n');
      for (let part = 0; part < 40; part++) socket.write(httpChunk('x'.repeat(8192)));
    };
    const told = await tell(rig.desk, 'one');
    expect(told.status).toBeGreaterThanOrEqual(502);
    expect(told.text.length).toBeLessThan(5_000);
  });

  test('a backend\u2019s 401 is ours to mend: 502, no retry, no key', async () => {
    rig.script.first = (socket) =>
      socket.write(http(401, '{"error":{"message":"Incorrect API key sk-secret-of-backend-a","code":"invalid_api_key"}}'));
    const told = await tell(rig.desk, 'one');
    refusal(told, 502, 'upstream_auth');
    expect(told.headers.get('x-should-retry')).toBe('false');
    expect(told.headers.has('www-authenticate')).toBe(false);
  });
});

describe('streams', () => {
  test('a good one keeps to OpenAI\u2019s form', async () => {
    rig.script.first = stream(...GOOD);
    const told = await tell(rig.desk, 'one', STREAM);
    expect(told).toMatchObject({ status: 200, content: 'Hello', finishes: ['stop'], done: true, usage: { prompt_tokens: 3 } });
    expect(checkHeaders(told.headers, 'stream')).toEqual([]);
    expect(checkStream(told.text, { includeUsage: true }).problems).toEqual([]);
  });

  test('usage only when asked for', async () => {
    rig.script.first = stream(...GOOD);
    expect((await tell(rig.desk, 'one', { stream: true })).usage).toBeNull();
  });

  test('a content type in capitals is a stream all the same', async () => {
    rig.script.first = (socket) => socket.write(http(200, GOOD.join(''), { 'content-type': 'Text/Event-Stream; charset=UTF-8' }));
    expect(await tell(rig.desk, 'one', STREAM)).toMatchObject({ status: 200, content: 'Hello', done: true });
  });

  test('a whole answer to a caller who streams', async () => {
    rig.script.first = whole('hello');
    expect(await tell(rig.desk, 'one', STREAM)).toMatchObject({ status: 200, content: 'hello', finishes: ['stop'], done: true });
  });

  test.each<[string, Script]>([
    ['the connection is cut', (socket) => socket.end(SSE_HEAD + httpChunk(roleFrame + textFrame('Hel') + finishFrame()))],
    [
      'it is reset',
      (socket) =>
        socket.write(SSE_HEAD + httpChunk(roleFrame + textFrame('Hel') + finishFrame()), () =>
          setTimeout(() => socket.resetAndDestroy(), 20),
        ),
    ],
    ['there is garbage', stream(roleFrame, textFrame('Hel'), finishFrame(), 'data: {half')],
    ['there is an error frame', stream(roleFrame, textFrame('Hel'), finishFrame(), 'data: {"error":{"message":"late","code":"x"}}\n\n')],
    ['there is silence', (socket) => socket.write(SSE_HEAD + httpChunk(roleFrame + textFrame('Hel') + finishFrame()))],
  ])('after the finish it does not matter that %s', async (_name, script) => {
    rig.script.first = script;
    const told = await tell(rig.desk, 'm', STREAM);
    expect(told).toMatchObject({ status: 200, content: 'Hel', finishes: ['stop'], done: true, error: null });
    expect(told.usage?.completion_tokens).toBeGreaterThan(0);
    expect(rig.desk.records).toMatchObject([{ reason: 'done', error: null, usage: { source: 'estimated' } }]);
    expect(rig.second.requests).toHaveLength(0);
  });

  test.each<[string, Script, string]>([
    ['is cut', (socket) => socket.end(SSE_HEAD + httpChunk(roleFrame + textFrame('Hel'))), 'upstream_truncated'],
    ['ends cleanly without a finish', stream(roleFrame, textFrame('Hel')), 'upstream_truncated'],
    ['says [DONE] without a finish', stream(roleFrame, textFrame('Hel'), DONE), 'upstream_truncated'],
    ['falls silent', (socket) => socket.write(SSE_HEAD + httpChunk(roleFrame + textFrame('Hel'))), 'upstream_timeout'],
    ['sends garbage', stream(roleFrame, textFrame('Hel'), 'data: {half\n\n', finishFrame(), DONE), 'upstream_invalid_response'],
    [
      'sends bytes that are no UTF-8',
      (socket) => {
        socket.write(SSE_HEAD + httpChunk(roleFrame + textFrame('Hel')));
        socket.write(Buffer.concat([Buffer.from('9\r\ndata: '), Buffer.from([0xff]), Buffer.from('\n\n\r\n')]));
      },
      'upstream_invalid_response',
    ],
  ])('a stream that %s ends in an error, without finish and without [DONE]', async (_name, script, code) => {
    rig.script.first = script;
    const told = await tell(rig.desk, 'm', STREAM);
    expect(told).toMatchObject({ status: 200, content: 'Hel', finishes: [], done: false, error: { code, type: 'server_error' } });
    expect(told.text.trimEnd().split('\n\n').at(-1)).toMatch(/^data: \{"error":/);
    expect(rig.second.requests).toHaveLength(0);
    expect(rig.desk.records).toMatchObject([{ status: 200, reason: 'vendor_error', error: { code }, usage: { source: 'estimated' } }]);
  });

  test.each<[string, Script]>([
    ['refuses', (socket) => socket.write(http(503, '{"error":{"message":"busy","code":"ModelServingError"}}'))],
    ['is cut before the head', (socket) => socket.end()],
    ['is cut after the head', (socket) => socket.end(SSE_HEAD)],
    ['is cut before any text', (socket) => socket.end(SSE_HEAD + httpChunk(': comment\n\n'))],
    ['is silent', () => undefined],
    ['sends an error frame first', stream('data: {"error":{"message":"busy","type":"x","code":"ModelServingError"}}\n\n')],
    ['sends garbage first', stream('data: no\n\n')],
  ])('a backend that %s: the next one is asked, and the caller sees nothing of it', async (_name, script) => {
    rig.script.first = script;
    rig.script.second = secondStreams;
    const told = await tell(rig.desk, 'm', STREAM);
    expect(told).toMatchObject({ status: 200, content: 'from the second', done: true, error: null });
    expect(told.headers.get('x-estafet-backend')).toBe('b');
    const [id] = /req_[0-9a-f]{32}/.exec(rig.first.requests[0] ?? '') ?? [];
    expect(rig.second.requests[0]).toContain(`x-request-id: ${id}-r1\r\n`);
    expect(rig.desk.records).toMatchObject([{ status: 200, reason: 'done', attempts: [{ backend: 'a' }, { backend: 'b', error: null }] }]);
  });

  test('when every backend fails, the last failure is told with its own status', async () => {
    rig.script.first = (socket) => socket.end();
    rig.script.second = () => undefined;
    const told = await tell(rig.desk, 'm', STREAM);
    refusal(told, 504, 'upstream_timeout');
    expect(rig.desk.records).toMatchObject([{ status: 504, attempts: [{ error: 'upstream_truncated' }, { error: 'upstream_timeout' }] }]);
  });

  test('a mistake of the caller is not tried elsewhere', async () => {
    rig.script.first = (socket) =>
      socket.write(
        http(400, '{"error":{"message":"temperature must be low","type":"invalid_request_error","code":"invalid_parameter_error"}}'),
      );
    const told = await tell(rig.desk, 'm');
    expect(told.status).toBe(400);
    expect(rig.second.requests).toHaveLength(0);
  });
});

test('a stream cut after any byte: [DONE] and a finish only if the backend had finished', async () => {
  const wire = GOOD.map(httpChunk).join('');
  const finishEnds = wire.indexOf(finishFrame()) + finishFrame().length;
  // Each byte near the finish and around the ends of frames, every seventh elsewhere.
  const cuts = Array.from({ length: wire.length + 1 }, (_, index) => index).filter(
    (index) => index % 7 === 0 || Math.abs(index - finishEnds) < 12 || wire.slice(index - 2, index + 2).includes('\n'),
  );
  for (const cut of cuts) {
    rig.script.first = (socket) => socket.end(SSE_HEAD + wire.slice(0, cut));
    const told = await tell(rig.desk, 'one', STREAM);
    const whole_ = cut >= finishEnds;
    const where = `cut after ${cut} of ${wire.length} bytes: ${JSON.stringify(wire.slice(Math.max(0, cut - 30), cut))}`;
    if (whole_) expect(told, where).toMatchObject({ status: 200, content: 'Hello', finishes: ['stop'], done: true, error: null });
    else {
      expect(told.done, where).toBe(false);
      expect(told.finishes, where).toEqual([]);
      expect(told.error?.code, where).toBe('upstream_truncated');
      expect('Hello'.startsWith(told.content), where).toBe(true);
      expect(told.status, where).toBe(told.text.includes('chat.completion.chunk') ? 200 : 502);
    }
  }
}, 60_000);
