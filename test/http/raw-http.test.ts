import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { checkErrorResponse, checkHeaders } from '../contract/openai-schema.ts';
import { chat, HELLO, KEY, openSimulated, parseRaw, type RawAnswer, rawExchange, type SimulatedDesk, until } from './desk.ts';

let desk: SimulatedDesk;
beforeAll(async () => {
  desk = await openSimulated('headersTimeoutMs: 300, requestTimeoutMs: 600, keepAliveTimeoutMs: 400');
});
afterAll(() => desk.close());

afterEach(async () => {
  const good = await chat(desk);
  expect(good.status).toBe(200);
  await good.arrayBuffer();
  expect(desk.log.filter(({ msg }) => msg === 'internal error')).toEqual([]);
  desk.simulator.reset();
});

const BODY = JSON.stringify(HELLO);
const HEAD = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\n`;

/** An answer in OpenAI's form, after which the connection is closed, and nothing reached a backend. */
function closedWith(answer: RawAnswer, status: number): void {
  expect(answer.status).toBe(status);
  expect(answer.headers['connection']).toBe('close');
  expect(Number(answer.headers['content-length'])).toBe(Buffer.byteLength(answer.body));
  expect(checkHeaders(answer.headers, 'json')).toEqual([]);
  expect(checkErrorResponse(status, JSON.parse(answer.body))).toEqual([]);
  expect(desk.simulator.journal()).toHaveLength(0);
}

describe('bytes that are not one HTTP request', () => {
  test.each<[string, string | Buffer]>([
    ['noise', 'hello there\r\n\r\n'],
    ['a TLS hello', Buffer.from('16030100a5010000a10303', 'hex')],
    ['an unknown version', 'GET /healthz HTTP/9.9\r\nhost: x\r\n\r\n'],
    ['an unknown method', 'FETCH /healthz HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['bare line feeds', 'GET /healthz HTTP/1.1\nhost: x\n\n'],
    ['a space before the colon', 'GET /healthz HTTP/1.1\r\nhost : x\r\n\r\n'],
    ['a NUL in a header', 'GET /healthz HTTP/1.1\r\nhost: x\r\na: b\0c\r\n\r\n'],
    ['a control character in the path', 'GET /health\x01z HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['two lengths', `${HEAD}content-length: ${BODY.length}\r\ncontent-length: 0\r\n\r\n${BODY}`],
    ['two equal lengths', `${HEAD}content-length: ${BODY.length}\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`],
    ['a list of lengths', `${HEAD}content-length: ${BODY.length}, ${BODY.length}\r\n\r\n${BODY}`],
    ['a negative length', `${HEAD}content-length: -1\r\n\r\n${BODY}`],
    ['a length in hex', `${HEAD}content-length: 0x10\r\n\r\n${BODY}`],
    ['a length and chunks', `${HEAD}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['chunks and a length', `${HEAD}transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n`],
    ['an unknown transfer coding', `${HEAD}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['chunked twice over', `${HEAD}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
  ])('%s', async (_name, bytes) => closedWith(await rawExchange(desk.port, [bytes]), 400));

  test.each<[string, string]>([
    ['a size that is no number', 'zz\r\n{}\r\n0\r\n\r\n'],
    ['a size beyond all bounds', 'fffffffffffffffff\r\n{}\r\n0\r\n\r\n'],
    ['a chunk longer than its size', '1\r\n{}\r\n0\r\n\r\n'],
    ['a bare line feed', '2\n{}\n0\n\n'],
  ])('a body in chunks with %s', async (_name, chunks) => {
    closedWith(await rawExchange(desk.port, [`${HEAD}transfer-encoding: chunked\r\n\r\n${chunks}`]), 400);
  });

  test.each<[string, string]>([
    ['one giant header', `GET /healthz HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(64 * 1024)}\r\n\r\n`],
    ['many headers', `GET /healthz HTTP/1.1\r\nhost: x\r\n${'abcdef: ghijkl\r\n'.repeat(4_000)}\r\n`],
    ['a giant path', `GET /${'x'.repeat(64 * 1024)} HTTP/1.1\r\nhost: x\r\n\r\n`],
  ])('%s', async (_name, bytes) => closedWith(await rawExchange(desk.port, [bytes]), 431));
});

describe('expectations and upgrades', () => {
  test('100-continue is granted, and the body read', async () => {
    const answer = await rawExchange(desk.port, [
      `${HEAD}connection: close\r\nexpect: 100-continue\r\ncontent-length: ${BODY.length}\r\n\r\n`,
      BODY,
    ]);
    expect(answer.status).toBe(100);
    const rest = parseRaw(answer.body);
    expect(rest.status).toBe(200);
    expect(JSON.parse(rest.body)).toMatchObject({ object: 'chat.completion' });
    desk.simulator.reset();
  });

  test('another expectation is none: the request is an ordinary one', async () => {
    const head = `${HEAD}connection: close\r\nexpect: 200-maybe\r\n`;
    const good = await rawExchange(desk.port, [`${head}content-length: ${BODY.length}\r\n\r\n${BODY}`]);
    expect(good.status).toBe(200);
    desk.simulator.reset();
    const bad = await rawExchange(desk.port, [`${head}content-length: 1\r\n\r\n{`]);
    expect(checkErrorResponse(bad.status, JSON.parse(bad.body))).toEqual([]);
    expect(checkHeaders(bad.headers, 'json')).toEqual([]);
  });

  test('an upgrade is not made', async () => {
    const answer = await rawExchange(desk.port, [
      'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n',
    ]);
    expect(answer.status).toBe(200);
  });

  test('a tunnel is not made', async () => {
    const answer = await rawExchange(desk.port, ['CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n']);
    expect(answer.text).not.toMatch(/ 200 /);
    expect(desk.simulator.journal()).toHaveLength(0);
  });

  test('a target in absolute form goes to no other place', async () => {
    const answer = await rawExchange(desk.port, ['GET http://example.com/healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n']);
    expect([200, 404]).toContain(answer.status);
  });
});

describe('a request without a Host', () => {
  test.each([
    ['/healthz', 200],
    ['/v1/models', 401],
    ['/nothing', 404],
  ])('%s is answered as any other', async (path, status) => {
    const answer = await rawExchange(desk.port, [`GET ${path} HTTP/1.1\r\nconnection: close\r\n\r\n`]);
    expect(answer.status).toBe(status);
    if (status !== 200) expect(checkErrorResponse(status, JSON.parse(answer.body))).toEqual([]);
  });
});

describe('slow and broken callers', () => {
  test('headers that do not end', async () => closedWith(await rawExchange(desk.port, [HEAD]), 408));

  test('headers in drips', async () => {
    const socket = connect(desk.port, '127.0.0.1');
    const closed = gathered(socket);
    const drip = setInterval(() => socket.write('a'), 50);
    socket.write('GET /healthz HTTP/1.1\r\nx: ');
    const answer = parseRaw(await closed);
    clearInterval(drip);
    closedWith(answer, 408);
  });

  test('a body that stops', async () => {
    closedWith(await rawExchange(desk.port, [`${HEAD}content-length: ${BODY.length}\r\n\r\n${BODY.slice(0, 20)}`]), 408);
  });

  test('a body in drips', async () => {
    const socket = connect(desk.port, '127.0.0.1');
    const closed = gathered(socket);
    socket.write(`${HEAD}content-length: 100000\r\n\r\n{`);
    const drip = setInterval(() => socket.write(' '), 50);
    const answer = parseRaw(await closed);
    clearInterval(drip);
    closedWith(answer, 408);
  });

  test('a connection that says nothing is closed', async () => {
    const answer = await rawExchange(desk.port, []);
    expect(answer.text === '' || answer.status === 408).toBe(true);
  });

  test.each(['end', 'reset'] as const)('a caller who leaves in the middle of the body (%s)', async (how) => {
    const before = desk.log.length;
    const socket = connect(desk.port, '127.0.0.1');
    const closed = gathered(socket);
    await new Promise<void>(
      (resolve) => void socket.write(`${HEAD}content-length: ${BODY.length}\r\n\r\n${BODY.slice(0, 20)}`, () => resolve()),
    );
    await new Promise((resolve) => setTimeout(resolve, 30));
    if (how === 'end') socket.end();
    else socket.resetAndDestroy();
    await closed;
    await until('the refusal is logged', () => desk.log.length > before);
    expect(desk.log.slice(before).map(({ level }) => level)).toEqual(['debug']);
    expect(desk.simulator.journal()).toHaveLength(0);
  });

  test('two requests on one connection, then noise: all three are answered, then it is closed', async () => {
    const get = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n';
    const socket = connect(desk.port, '127.0.0.1');
    let bodies = 0;
    socket.on('data', (piece: Buffer) => {
      bodies += piece.toString().split('{"status":"ok"}').length - 1;
      if (bodies === 2) socket.write('noise\r\n\r\n');
    });
    const closed = gathered(socket);
    socket.write(get + get);
    expect((await closed).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 400']);
  });

  test('a second request smuggled behind a length of 0 is a request of its own, without our key', async () => {
    const answer = await rawExchange(desk.port, [
      `${HEAD}content-length: 0\r\n\r\nGET /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
    ]);
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(/HTTP\/1\.1 401/);
  });
});

test('connections beyond the limit are closed, and there is room again when one ends', async () => {
  const small = await openSimulated('maxConnections: 2');
  try {
    const held = [connect(small.port, '127.0.0.1'), connect(small.port, '127.0.0.1')];
    for (const socket of held) socket.on('error', () => undefined);
    await Promise.all(held.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    const get = 'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
    expect((await rawExchange(small.port, [get])).text).toBe('');
    for (const socket of held) socket.destroy();
    let status = Number.NaN;
    for (let round = 0; round < 50 && status !== 200; round++) status = (await rawExchange(small.port, [get])).status;
    expect(status).toBe(200);
  } finally {
    await small.close();
  }
});

function gathered(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (piece: Buffer) => {
    text += piece.toString('utf8');
  });
  socket.on('error', () => undefined);
  return new Promise((resolve) => socket.once('close', () => resolve(text)));
}
