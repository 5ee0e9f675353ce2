import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../http/desk.ts';
import { against, clientFor, closeAll } from './backend-calls.ts';
import { http, httpChunk, SSE_HEAD } from './backends.ts';

afterEach(closeAll);

describe('connections', () => {
  test('are used again, one after the other', async () => {
    const { ask, server } = await against((socket) => socket.write(http(200, 'ok')));
    for (let round = 0; round < 5; round++) expect(await ask().over).toBe('end');
    // A call made in the very moment another ends may still find its socket taken.
    expect(server.connections).toBeLessThanOrEqual(2);
    expect(server.requests).toHaveLength(5);
  });

  test('a connection that the backend closed in between is replaced', async () => {
    const { ask, server } = await against((socket) => socket.end(http(200, 'ok', { connection: 'close' })));
    for (let round = 0; round < 3; round++) expect(await ask().over).toBe('end');
    expect(server.connections).toBe(3);
  });

  test('at most `connections` at once; what waits is sent later', async () => {
    const held: (() => void)[] = [];
    const { ask, server } = await against((socket) => void held.push(() => socket.write(http(200, 'ok'))), ', connections: 2');
    const calls = [ask(), ask(), ask()];
    await until('two have arrived', () => held.length === 2);
    expect(server.requests).toHaveLength(2);
    for (const answer of held.splice(0)) answer();
    await until('the third has arrived', () => held.length === 1);
    held[0]?.();
    expect(await Promise.all(calls.map(({ over }) => over))).toEqual(['end', 'end', 'end']);
    expect(server.connections).toBe(2);
  });

  test('a call aborted while it waits is never sent', async () => {
    const held: (() => void)[] = [];
    const { ask, server } = await against((socket) => void held.push(() => socket.write(http(200, 'ok'))), ', connections: 1');
    const first = ask('{"first":1}');
    await until('the first has arrived', () => held.length === 1);
    const waiting = ask('{"waiting":1}');
    const third = ask('{"third":1}');
    const unsent = () => [first, waiting, third].map(({ call }) => call.unsent);
    expect(unsent()).toEqual([false, true, true]);
    waiting.call.abort();
    held.shift()?.();
    await first.over;
    await until('the third has arrived', () => held.length === 1);
    held.shift()?.();
    expect(await third.over).toBe('end');
    expect(waiting.settled).toBe(false);
    expect(unsent()).toEqual([false, true, false]);
    expect(server.requests.filter((request) => request.includes('waiting'))).toEqual([]);
  });

  describe('whose time is over while it waits', () => {
    const LIMITS = ', connections: 1, timeouts: { connectMs: 5000, firstByteMs: 500, idleMs: 5000 }';

    test('for a call to end: it was not sent, and the backend was not silent', async () => {
      const { ask, server } = await against((socket) => socket.write(SSE_HEAD + httpChunk('data: 1\n\n')), LIMITS);
      const first = ask();
      await until('the first is answered', () => first.text !== '');
      const waiting = ask();
      expect(await waiting.over).toBe('fail');
      expect(waiting.error).toMatchObject({
        kind: 'upstream_timeout',
        message: expect.stringContaining('no connection free'),
        details: { unsent: true },
      });
      expect(server.requests).toHaveLength(1);
      first.call.abort();
    });

    test('for a connection to be made: the backend is not there', async () => {
      // It takes the connection, and never speaks TLS.
      const { server } = await against(() => undefined);
      const waiting = clientFor(server.url.replace('http:', 'https:'), LIMITS).ask();
      expect(await waiting.over).toBe('fail');
      expect(waiting.error).toMatchObject({ kind: 'upstream_timeout', details: { upstreamCode: 'UND_ERR_CONNECT_TIMEOUT' } });
      expect(waiting.error?.details.unsent).toBeUndefined();
      expect(waiting.call.unsent).toBe(true);
    });
  });

  test('an aborted call closes its socket', async () => {
    const { ask, server } = await against((socket) => socket.write(SSE_HEAD + httpChunk('data: 1\n\n')));
    const heard = ask();
    await until('something has come', () => heard.text !== '');
    heard.call.abort();
    await until('the socket is closed', () => server.sockets.size === 0);
    expect(heard.settled).toBe(false);
  });

  test('a paused call holds the backend back; resumed, all of it comes', async () => {
    let written = 0;
    const total = 64 * 1024 * 1024;
    const piece = httpChunk('x'.repeat(1024 * 1024));
    const { ask } = await against((socket) => {
      socket.write(SSE_HEAD);
      const more = (): void => {
        while (written < total) {
          written += 1024 * 1024;
          if (!socket.write(piece)) {
            socket.once('drain', more);
            return;
          }
        }
        socket.end('0\r\n\r\n');
      };
      more();
    });
    const heard = ask();
    await until('something has come', () => heard.text !== '');
    heard.call.pause();
    let before = -1;
    // The buffers of both sockets fill up; then the backend stands still.
    while (before !== written) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(written).toBeLessThan(total / 2);
    heard.call.resume();
    expect(await heard.over).toBe('end');
    expect(heard.text.length).toBe(total);
  });

  test('drained: each is closed when its call has ended, those without one at once; late calls share new ones', async () => {
    const held: (() => void)[] = [];
    const { ask, client, server } = await against((socket, _, number) => {
      const answer = (): void => void socket.write(http(200, 'ok'));
      if (number === 2) held.push(answer);
      else answer();
    });
    const [first, running] = [ask(), ask()];
    expect(await first.over).toBe('end');
    await until('both have arrived', () => held.length === 1);
    client.drain();
    await until('the one without a call is closed', () => server.sockets.size === 1);
    for (let late = 0; late < 5; late++) expect(await ask().over).toBe('end');
    const kept = server.connections - 2;
    expect(kept).toBeLessThanOrEqual(2);
    held[0]?.();
    expect(await running.over).toBe('end');
    await until('that of the running call is closed', () => server.sockets.size === kept);
    await client.close();
    await until('those of the late calls are closed', () => server.sockets.size === 0);
  });

  test('closing lets a running call end; destroying does not', async () => {
    const held: (() => void)[] = [];
    const { ask, client } = await against((socket) => void held.push(() => socket.write(http(200, 'ok'))));
    const running = ask();
    await until('it has arrived', () => held.length === 1);
    const closed = client.close();
    held[0]?.();
    expect(await running.over).toBe('end');
    await closed;
    const late = ask();
    expect(await late.over).toBe('fail');

    const other = await against(() => undefined);
    const cut = other.ask();
    await until('it has arrived', () => other.server.requests.length === 1);
    await other.client.destroy();
    expect(await cut.over).toBe('fail');
  });
});
