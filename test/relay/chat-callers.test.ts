import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { chat, KEY, until } from '../http/desk.ts';
import { completion, DONE, finishFrame, http, httpChunk, roleFrame, SSE_HEAD, textFrame, usageFrame } from './backends.ts';
import { type ChatDesk, type DeskOptions, openChatDesk } from './chat-desk.ts';

let rig: ChatDesk;
const open = async (options: DeskOptions = {}): Promise<ChatDesk> => {
  rig = await openChatDesk(options);
  return rig;
};
afterEach(() => rig.close());

const ask = (model: string, stream: boolean, signal?: AbortSignal): Promise<Response> =>
  chat(rig.desk, { model, stream, messages: [{ role: 'user', content: 'x' }] }, {}, signal);

/** A streaming request on a bare socket, so that the test decides when it reads and how it leaves. */
function rawCaller(model: string): Socket {
  const body = JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'x' }] });
  const socket = connect(rig.desk.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  return socket;
}

describe('a caller who leaves', () => {
  test.each([false, true])('cancels the backend\u2019s call (stream: %s)', async (stream) => {
    await open();
    rig.script.first = (socket) => void (stream && socket.write(SSE_HEAD + httpChunk(roleFrame + textFrame('Hel'))));
    const leave = new AbortController();
    const answer = ask('m', stream, leave.signal).then((response) => response.text());
    const failed = expect(answer).rejects.toThrow();
    await until('the backend is asked', () => rig.first.requests.length === 1);
    leave.abort();
    await failed;
    await until('the call is closed', () => rig.first.sockets.size === 0);
    await until('it is settled', () => rig.desk.records.length === 1);
    expect(rig.desk.records).toMatchObject([{ reason: 'client_gone', error: null, usage: { source: 'estimated' } }]);
    expect(rig.second.requests).toHaveLength(0);
  });

  test.each([false, true])('drain: the answer is read to its end to learn its cost (stream: %s)', async (stream) => {
    await open({ key: ', onDisconnect: drain' });
    let rest: () => void = () => undefined;
    rig.script.first = (socket) => {
      if (stream) socket.write(SSE_HEAD + httpChunk(roleFrame + textFrame('Hel')));
      rest = () =>
        void socket.write(
          stream
            ? `${[textFrame('lo'), finishFrame(), usageFrame, DONE].map(httpChunk).join('')}0\r\n\r\n`
            : http(200, completion('Hello')),
        );
    };
    const leave = new AbortController();
    const answer = ask('m', stream, leave.signal).then((response) => response.text());
    const failed = expect(answer).rejects.toThrow();
    await until('the backend is asked', () => rig.first.requests.length === 1);
    leave.abort();
    await failed;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(rig.first.sockets.size).toBe(1);
    expect(rig.desk.records).toHaveLength(0);
    rest();
    await until('it is settled', () => rig.desk.records.length === 1);
    expect(rig.desk.records).toMatchObject([
      { reason: 'client_gone', error: null, usage: { promptTokens: 3, completionTokens: 2, source: 'vendor' } },
    ]);
  });

  test.each([false, true])('drain: when the backend fails then, no other one is asked (stream: %s)', async (stream) => {
    await open({ key: ', onDisconnect: drain' });
    let fail: () => void = () => undefined;
    rig.script.first = (socket) => {
      fail = () => socket.destroy();
    };
    const leave = new AbortController();
    const failed = expect(ask('m', stream, leave.signal)).rejects.toThrow();
    await until('the backend is asked', () => rig.first.requests.length === 1);
    leave.abort();
    await failed;
    await new Promise((resolve) => setTimeout(resolve, 30));
    fail();
    await until('it is settled', () => rig.desk.records.length === 1);
    expect(rig.desk.records).toMatchObject([{ reason: 'client_gone', attempts: [{ backend: 'a', error: 'upstream_truncated' }] }]);
    expect(rig.second.connections).toBe(0);
  });

  test('drain does not wait for a caller who had stopped reading', async () => {
    await open({ key: ', onDisconnect: drain' });
    const piece = httpChunk(textFrame('x'.repeat(64 * 1024)));
    let written = 0;
    rig.script.first = (socket) => {
      socket.write(SSE_HEAD + httpChunk(roleFrame));
      const more = (): void => {
        while (written < 400) {
          written++;
          if (!socket.write(piece)) return void socket.once('drain', more);
        }
        socket.end(`${[finishFrame(), usageFrame, DONE].map(httpChunk).join('')}0\r\n\r\n`);
      };
      more();
    };
    const socket = rawCaller('one');
    socket.pause();
    let before = -1;
    while (before !== written || written === 0) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(written).toBeLessThan(400);
    socket.resetAndDestroy();
    await until('it is settled', () => rig.desk.records.length === 1);
    expect(written).toBe(400);
    expect(rig.desk.records).toMatchObject([{ reason: 'client_gone', usage: { source: 'vendor', completionTokens: 2 } }]);
  });

  test('a caller who leaves while the first backend fails is not sent to the second', async () => {
    await open();
    rig.script.first = (socket) => {
      caller.resetAndDestroy();
      // Long enough for the relay to see the caller go, whichever comes first.
      setTimeout(() => socket.destroy(), 30);
    };
    const caller = rawCaller('m');
    await until('it is settled', () => rig.desk.records.length === 1);
    expect(rig.desk.records).toMatchObject([{ reason: 'client_gone' }]);
    expect(rig.second.requests).toHaveLength(0);
  });
});

test('a caller who reads slowly holds the backend back, and gets every byte in the end', async () => {
  await open();
  const texts = Array.from({ length: 400 }, (_, index) => `${index}:${'x'.repeat(64 * 1024)}`);
  let written = 0;
  rig.script.first = (socket) => {
    socket.write(SSE_HEAD + httpChunk(roleFrame));
    const more = (): void => {
      while (written < texts.length) {
        if (!socket.write(httpChunk(textFrame(texts[written++] as string)))) return void socket.once('drain', more);
      }
      socket.write(`${[finishFrame(), usageFrame, DONE].map(httpChunk).join('')}0\r\n\r\n`);
    };
    more();
  };
  const caller = rawCaller('one');
  caller.pause();
  let before = -1;
  while (before !== written || written === 0) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  // Both sockets' buffers are full; the relay itself keeps next to nothing.
  expect(written).toBeLessThan(300);
  let text = '';
  caller.on('data', (piece: Buffer) => {
    text += piece.toString('latin1');
    if (text.endsWith('0\r\n\r\n')) caller.end();
  });
  caller.resume();
  await new Promise((resolve) => caller.once('close', resolve));
  expect(text).toContain('data: [DONE]');
  const numbers = [...text.matchAll(/"content":"(\d+):x{65536}"/g)].map((match) => Number(match[1]));
  // HTTP's own chunk heads may fall into a text; what is whole is in order, and the last has come.
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  expect(numbers.length).toBeGreaterThan(380);
  expect(rig.desk.records).toMatchObject([{ reason: 'done', usage: { source: 'vendor' } }]);
});

test('a silent stream gets comments, but only once it has begun', async () => {
  await open({ server: ', heartbeatMs: 50' });
  let go: () => void = () => undefined;
  rig.script.first = (socket) => {
    const begin = (): void => {
      socket.write(SSE_HEAD + httpChunk(roleFrame + textFrame('Hel')));
      go = () => void socket.write(`${[finishFrame(), usageFrame, DONE].map(httpChunk).join('')}0\r\n\r\n`);
    };
    setTimeout(begin, 300);
  };
  const answer = await ask('one', true);
  let text = '';
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    text += Buffer.from(value).toString();
    if ((text.match(/: keep-alive/g) ?? []).length >= 2) go();
  }
  expect(text.startsWith('data: ')).toBe(true);
  expect(text).toMatch(/: keep-alive\n\n/);
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
});
