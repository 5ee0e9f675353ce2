import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Connections } from '../../server/connections.ts';

let server: Server;
let connections: Connections;
let answers: ServerResponse[];
let quiet: number;
const sockets: Socket[] = [];
beforeEach(async () => {
  answers = [];
  quiet = 0;
  // Long waits of its own: what closes a connection here is not Node's clock.
  server = createServer({ keepAliveTimeout: 600_000 }, (_, response) => void answers.push(response));
  connections = new Connections(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.closeAllConnections();
});

const port = (): number => (server.address() as AddressInfo).port;
const begun = (count: number) => expect.poll(() => answers.length, { interval: 2 }).toBe(count);
/** What is open here, as the server knows it. */
const open = (): Promise<number> =>
  new Promise((resolve, reject) => server.getConnections((fault, n) => (fault ? reject(fault) : resolve(n))));

async function said(text: string): Promise<Socket> {
  const taken = once(server, 'connection');
  const socket = connect(port(), '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  const [there] = (await taken) as [Socket];
  if (text !== '') {
    socket.write(text);
    await expect.poll(() => there.bytesRead, { interval: 2 }).toBe(text.length);
  }
  return socket;
}
function drained(): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  connections.drain(() => quiet++);
  return closed;
}
const GET = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';

test('an answer that has been handed over whole and waits for a slow reader is not cut', async () => {
  const whole = Buffer.alloc(48 * 1024 * 1024, 'a');
  const { promise: reply, resolve } = Promise.withResolvers<IncomingMessage>();
  request({ port: port(), host: '127.0.0.1' }, resolve).end();
  await begun(1);
  answers[0]?.writeHead(200, { 'content-length': whole.length }).end(whole);
  const answer = await reply;
  answer.pause();
  const closed = drained();
  connections.closeIdle();
  expect(answers[0]?.writableFinished).toBe(false);
  let read = 0;
  for await (const piece of answer) read += (piece as Buffer).length;
  expect(read).toBe(whole.length);
  await closed;
  expect(quiet).toBe(1);
});

test('the end of the last answer closes the last connection: no clock has a part in it', async () => {
  for (const text of [GET, GET, GET]) await said(text);
  await begun(3);
  answers.shift()?.end();
  await once(sockets[0]?.resume() as Socket, 'data');
  const closed = drained();
  await expect.poll(open, { interval: 2 }).toBe(2);
  answers[0]?.end();
  await expect.poll(open, { interval: 2 }).toBe(1);
  expect(quiet).toBe(0);
  answers[1]?.end();
  await closed;
  expect(quiet).toBe(1);
});

test('requests behind each other on one connection are all answered', async () => {
  const socket = await said(GET + GET);
  let text = '';
  socket.on('data', (piece: Buffer) => void (text += piece.toString()));
  await begun(2);
  const closed = drained();
  const ended = once(socket, 'close');
  for (const answer of answers) answer.end('x');
  await Promise.all([closed, ended]);
  expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
});

test('an answer whose head is still to come says that it is the last of its connection', async () => {
  const socket = await said(GET);
  let text = '';
  socket.on('data', (piece: Buffer) => void (text += piece.toString()));
  await begun(1);
  const closed = drained();
  answers[0]?.end('x');
  await Promise.all([closed, once(socket, 'close')]);
  expect(text.toLowerCase()).toContain('connection: close');
});

describe('a connection that has carried nothing', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  test('just opened, its request is waited for, and answered', async () => {
    const fresh = await said('');
    vi.advanceTimersByTime(999);
    const closed = drained();
    connections.closeIdle();
    vi.advanceTimersByTime(499);
    fresh.write(GET);
    await begun(1);
    vi.advanceTimersByTime(1);
    answers[0]?.end();
    const [piece] = (await once(fresh, 'data')) as [Buffer];
    expect(piece.toString()).toMatch(/^HTTP\/1\.1 200/);
    await closed;
  });

  test.each([
    ['just opened, but no longer than half a second', 999, 500],
    ['opened a second ago, no more', 1_000, 0],
  ])('%s', async (_, openMs, waitedMs) => {
    await said('');
    vi.advanceTimersByTime(openMs);
    const closed = drained();
    vi.advanceTimersByTime(waitedMs);
    await closed;
  });
});

test('half a head is waited for; it holds nothing open once it is given up', async () => {
  const first = await said(`${GET}`);
  await begun(1);
  const half = await said('GET / HT');
  const closed = drained();
  answers[0]?.end();
  await once(first.resume(), 'close');
  expect([await open(), quiet]).toEqual([1, 1]);
  half.write('TP/1.1\r\nhost: x\r\n\r\n');
  await begun(2);
  connections.closeQuiet();
  expect(await open()).toBe(1);
  answers[1]?.end();
  await closed;
});

test('given up, half a head is closed', async () => {
  await said('GET / HT');
  const closed = drained();
  expect([await open(), quiet]).toEqual([1, 1]);
  connections.closeQuiet();
  await closed;
});

test('an answer to what has not arrived whole may be written until another one has begun', async () => {
  const told: boolean[] = [];
  const [there] = await Promise.all([once(server, 'connection').then(([socket]) => socket as Socket), said('')]);
  const client = sockets.at(-1) as Socket;
  const look = (): void => void told.push(connections.awaitsAnswer(there));
  look();
  client.write(GET);
  await begun(1);
  look();
  answers[0]?.writeHead(200, { 'content-length': 2 }).write('a');
  look();
  answers[0]?.end('b');
  await once(client, 'data');
  await expect.poll(() => connections.awaitsAnswer(there), { interval: 2 }).toBe(true);
  client.write(GET + GET);
  await begun(3);
  // What is written now would be taken for the answer to the first of the two.
  look();
  expect(told).toEqual([true, true, false, false]);
});
