import { createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../http/desk.ts';
import { against, clientFor, closeAll, closeLater } from './backend-calls.ts';
import { http, httpChunk, type Script, SSE_HEAD, scripted } from './backends.ts';

afterEach(closeAll);

test('what is sent: path, key, body, and nothing else', async () => {
  const { server, ask } = await against((socket) => socket.write(http(200, 'ok')));
  const heard = ask('{"text":"naïve 🙂"}');
  expect(await heard.over).toBe('end');
  expect([heard.heads, heard.text]).toEqual([[200], 'ok']);
  const [head = '', body] = (server.requests[0] ?? '').split('\r\n\r\n');
  expect(head.split('\r\n').toSorted()).toEqual(
    [
      'POST /base/v1/chat HTTP/1.1',
      'accept-encoding: identity',
      'authorization: Bearer sk-backend',
      'connection: keep-alive',
      'content-length: 22',
      'content-type: application/json',
      `host: 127.0.0.1:${server.port}`,
      'user-agent: estafet/test',
      'x-request-id: req_1',
    ].toSorted(),
  );
  expect(body).toBe('{"text":"naïve 🙂"}');
});

test.each([
  ['as a key of its own', 'bce-v3/ALTAK-1/2', ', appId: app-2'],
  ['behind the key', 'bce-v3/ALTAK-1/2|app-2', ''],
  ['both alike', 'bce-v3/ALTAK-1/2|app-2', ', appId: app-2'],
])('an application goes along, written %s', async (_how, key, more) => {
  const server = await scripted((socket) => socket.write(http(200, 'ok')));
  closeLater(() => server.close());
  await clientFor(server.url, more, 'ernie', key).ask().over;
  expect(server.requests[0]).toMatch(/^appid: app-2\r$/m);
  expect(server.requests[0]).toMatch(/^authorization: Bearer bce-v3\/ALTAK-1\/2\r$/m);
});

test('a | in a key of a vendor without applications is the key’s own', async () => {
  const server = await scripted((socket) => socket.write(http(200, 'ok')));
  closeLater(() => server.close());
  await clientFor(server.url, '', 'qwen', 'sk-1|app-2').ask().over;
  expect(server.requests[0]).toMatch(/^authorization: Bearer sk-1\|app-2\r$/m);
});

describe('failures', () => {
  test('nobody listens', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const heard = clientFor(`http://127.0.0.1:${port}`).ask();
    expect(await heard.over).toBe('fail');
    expect(heard.error).toMatchObject({ kind: 'upstream_unreachable', details: { fallback: true, upstreamCode: 'ECONNREFUSED' } });
    expect(JSON.stringify(heard.error)).not.toContain(String(port));
  });

  test('a name that does not exist', async () => {
    const heard = clientFor('http://nowhere.invalid').ask();
    expect(await heard.over).toBe('fail');
    expect(heard.error?.kind).toBe('upstream_unreachable');
    expect(JSON.stringify(heard.error)).not.toContain('nowhere');
  });

  const CUT = http(200, 'x'.repeat(100)).slice(0, -50);
  test.each<[string, Script, string, string]>([
    ['closed before the head', (socket) => socket.end(), 'upstream_truncated', ''],
    ['reset before the head', (socket) => socket.resetAndDestroy(), 'upstream_truncated', ''],
    ['closed within the head', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-ty'), 'upstream_truncated', ''],
    ['a body with a length, cut', (socket) => socket.end(CUT), 'upstream_truncated', 'x'.repeat(50)],
    ['a body in chunks, cut between two', (socket) => socket.end(SSE_HEAD + httpChunk('data: 1\n\n')), 'upstream_truncated', 'data: 1\n\n'],
    ['a body in chunks, cut within one', (socket) => socket.end(`${SSE_HEAD}ff\r\ndata`), 'upstream_truncated', 'data'],
    ['no HTTP', (socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'), 'upstream_invalid_response', ''],
    ['HTML without a head', (socket) => socket.end('<html>no</html>'), 'upstream_invalid_response', ''],
    ['a chunk size that is none', (socket) => socket.end(`${SSE_HEAD}zz\r\n`), 'upstream_invalid_response', ''],
    [
      'two lengths',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'),
      'upstream_truncated',
      '',
    ],
    ['headers without end', (socket) => socket.end(`HTTP/1.1 200 OK\r\na: ${'x'.repeat(40_000)}\r\n\r\n`), 'upstream_invalid_response', ''],
  ])('%s', async (_name, script, kind, text) => {
    const { ask, server } = await against(script);
    const heard = ask();
    expect(await heard.over).toBe('fail');
    expect(heard.error).toMatchObject({ kind, details: { fallback: true } });
    expect(heard.text).toBe(text);
    expect(JSON.stringify(heard.error)).not.toContain(String(server.port));
    // One request, one try: sending a paid call again is not this layer's to decide.
    expect(server.requests).toHaveLength(1);
  });

  test.each([301, 302, 307, 308])('a %d is told, not followed', async (status) => {
    const other = await scripted((socket) => socket.write(http(200, 'other')));
    closeLater(() => other.close());
    const { ask } = await against((socket) => socket.write(http(status, '', { location: `${other.url}/x` })));
    const heard = ask();
    expect(await heard.over).toBe('end');
    expect(heard.heads).toEqual([status]);
    expect(other.connections).toBe(0);
  });

  test('a compressed answer comes as the bytes it is', async () => {
    const zipped = gzipSync('hello');
    const { ask } = await against((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${zipped.length}\r\n\r\n`);
      socket.write(zipped);
    });
    const heard = ask();
    expect(await heard.over).toBe('end');
    expect(heard.headers['content-encoding']).toBe('gzip');
    expect(heard.text).not.toContain('hello');
  });
});

test.each([
  ['100', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ['103', 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'],
  ['102 twice', 'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n'],
])('interim answers are passed over: %s', async (name, interim) => {
  const { ask } = await against((socket) => socket.write(interim + http(200, 'ok')));
  const heard = ask();
  const how = await heard.over;
  // undici takes an unasked 100 for a protocol error; either way it is not the answer.
  if (name === '100') expect([how, heard.heads]).toEqual(how === 'fail' ? ['fail', []] : ['end', [200]]);
  else expect([how, heard.heads, heard.text]).toEqual(['end', [200], 'ok']);
});

describe('time', () => {
  const LIMITS = ', timeouts: { connectMs: 200, firstByteMs: 80, idleMs: 60, totalMs: 400 }';
  test.each<[string, Script]>([
    ['no answer at all', () => undefined],
    ['a head and no body', (socket) => socket.write(SSE_HEAD)],
    ['a body that falls silent', (socket) => socket.write(SSE_HEAD + httpChunk('data: 1\n\n'))],
    [
      'a body without end',
      (socket) => {
        socket.write(SSE_HEAD);
        const drip = setInterval(() => socket.write(httpChunk(': x\n\n')), 20);
        socket.on('close', () => clearInterval(drip));
      },
    ],
  ])('%s', async (_name, script) => {
    const { ask, server } = await against(script, LIMITS);
    const heard = ask();
    expect(await heard.over).toBe('fail');
    expect(heard.error).toMatchObject({ kind: 'upstream_timeout', details: { fallback: true } });
    await until('the socket is given up', () => server.sockets.size === 0);
  });
});
