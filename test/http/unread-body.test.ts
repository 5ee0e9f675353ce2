import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { endAfterBody } from '../../routes/http/end-after-body.ts';
import { checkErrorResponse, checkHeaders } from '../contract/openai-schema.ts';
import { HELLO, KEY, openSimulated, parseRaw, type RawAnswer, type SimulatedDesk } from './desk.ts';

let desk: SimulatedDesk;
beforeAll(async () => {
  desk = await openSimulated();
});
afterAll(() => desk.close());

const MIB = 1024 * 1024;
const LENGTH = 20 * MIB;
const BODY = Buffer.alloc(LENGTH, 0x20);

/** Writes everything at once and reads to the end: what arrived, and the error of our socket. */
async function exchange(bytes: Buffer): Promise<{ answer: RawAnswer; fault: string | undefined }> {
  const socket = connect(desk.port, '127.0.0.1');
  const got: Buffer[] = [];
  let fault: string | undefined;
  socket.on('data', (piece: Buffer) => got.push(piece));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    fault = error.code;
  });
  socket.write(bytes);
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return { answer: parseRaw(Buffer.concat(got).toString('utf8')), fault };
}

const head = (path: string, fields: readonly string[]): string => `POST ${path} HTTP/1.1\r\nhost: x\r\n${fields.join('\r\n')}\r\n\r\n`;
const GOOD_KEY = `authorization: Bearer ${KEY}`;
const JSON_TYPE = 'content-type: application/json';
const SIZE = `content-length: ${LENGTH}`;
const CLOSE = 'connection: close';
const CHAT = '/v1/chat/completions';

describe('a refusal is read although 20 MB of body were sent with it', () => {
  test.each<[number, string, string, string[]]>([
    [413, 'too long by its length', CHAT, [GOOD_KEY, JSON_TYPE, SIZE, CLOSE]],
    [415, 'a type that is not taken', CHAT, [GOOD_KEY, 'content-type: text/plain', SIZE, CLOSE]],
    [415, 'a coding that is not taken', CHAT, [GOOD_KEY, JSON_TYPE, 'content-encoding: zstd', SIZE, CLOSE]],
    [401, 'no key', CHAT, [JSON_TYPE, SIZE, CLOSE]],
    [401, 'a wrong key', CHAT, ['authorization: Bearer sk-wrong', JSON_TYPE, SIZE, CLOSE]],
    [404, 'no such path', '/v1/nothing', [GOOD_KEY, JSON_TYPE, SIZE, CLOSE]],
    [405, 'no such method', '/v1/models', [GOOD_KEY, JSON_TYPE, SIZE, CLOSE]],
  ])('%d: %s', async (status, _name, path, fields) => {
    const bytes = Buffer.concat([Buffer.from(head(path, fields)), BODY]);
    const all = await Promise.all(Array.from({ length: 5 }, () => exchange(bytes)));
    for (const { answer, fault } of all) {
      expect({ status: answer.status, fault }).toEqual({ status, fault: undefined });
      expect(checkHeaders(answer.headers, 'json')).toEqual([]);
      expect(checkErrorResponse(status, JSON.parse(answer.body))).toEqual([]);
    }
  });

  test('413: too long in chunks', async () => {
    const chunk = Buffer.concat([Buffer.from(`${LENGTH.toString(16)}\r\n`), BODY, Buffer.from('\r\n0\r\n\r\n')]);
    const bytes = Buffer.concat([Buffer.from(head(CHAT, [GOOD_KEY, JSON_TYPE, 'transfer-encoding: chunked', CLOSE])), chunk]);
    const all = await Promise.all(Array.from({ length: 5 }, () => exchange(bytes)));
    for (const { answer, fault } of all) expect({ status: answer.status, fault }).toEqual({ status: 413, fault: undefined });
  });

  test('a connection that stays open serves the next request', async () => {
    const hello = Buffer.from(JSON.stringify(HELLO));
    const { answer, fault } = await exchange(
      Buffer.concat([
        Buffer.from(head(CHAT, [GOOD_KEY, JSON_TYPE, SIZE])),
        BODY,
        Buffer.from(head(CHAT, [GOOD_KEY, JSON_TYPE, `content-length: ${hello.length}`, CLOSE])),
        hello,
      ]),
    );
    expect(fault).toBeUndefined();
    expect(answer.text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
  });
});

describe('bounds of what is read for nothing', () => {
  test('the answer comes before the body does; a body without end is cut', async () => {
    const socket = connect(desk.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const answered = new Promise<Buffer>((resolve) => socket.once('data', resolve));
    socket.write(head(CHAT, [JSON_TYPE, `content-length: ${200 * MIB}`]));
    expect(parseRaw((await answered).toString()).status).toBe(401);
    for (let sent = 0; sent < 200 && !socket.destroyed; sent += 20) {
      await new Promise<void>((resolve) => socket.write(BODY, () => resolve()));
    }
    expect(socket.bytesWritten).toBeLessThan(160 * MIB);
    await closed;
  });

  test.each([
    ['stays open while the body is due', 4_999, false],
    ['is cut after 5 s', 5_000, true],
  ])('a connection whose body does not come %s', (_name, ms, cut) => {
    vi.useFakeTimers();
    try {
      const { response, calls } = waiting();
      endAfterBody(response, 'no');
      expect(calls).toEqual(['write no']);
      vi.advanceTimersByTime(ms);
      expect(calls).toEqual(cut ? ['write no', 'end', 'destroySoon'] : ['write no']);
    } finally {
      vi.useRealTimers();
    }
  });
});

/** An answer whose request has announced a body of which nothing comes. */
function waiting(): { response: ServerResponse; calls: string[] } {
  const calls: string[] = [];
  const socket = { destroySoon: () => void calls.push('destroySoon') };
  const req = Object.assign(new PassThrough(), { complete: false, headers: { 'content-length': '5' }, socket });
  const response = { req, write: (text: string) => void calls.push(`write ${text}`), end: () => void calls.push('end') };
  return { response: response as unknown as ServerResponse, calls };
}
