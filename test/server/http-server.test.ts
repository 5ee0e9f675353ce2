import { once } from 'node:events';
import { IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import express from 'express';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHttpServer } from '../../server/http-server.ts';
import { configOf } from '../http/desk.ts';

const app = express();
/** What each request was before Express had seen it, and is to its handlers. */
const protos: object[] = [];
app.get('/a', (request, response) => {
  protos.push(Object.getPrototypeOf(request) as object, Object.getPrototypeOf(response) as object);
  const { originalUrl, ip, host, app: own } = request;
  response.json({ originalUrl, ip, host, own: own === app && response.app === app, node: request instanceof IncomingMessage });
});
app.get('/fails', () => {
  throw Object.assign(new Error('no'), { status: 418 });
});

const CONFIG = configOf('backends: { qwen: { vendor: qwen, region: cn-beijing, apiKey: env:K } }', { K: 'k' });
let servers: readonly Server[];
beforeAll(async () => {
  // Two of one app: the later one takes nothing from the first.
  servers = [1, 2].map(() => createHttpServer(app, CONFIG.server).server);
  for (const server of servers) {
    server.prependListener('request', (request, response) => {
      protos.push(Object.getPrototypeOf(request) as object, Object.getPrototypeOf(response) as object);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
});
afterAll(() => Promise.all(servers.map((server) => server[Symbol.asyncDispose]())));

async function asked(server: Server, head: string): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(`${head}\r\nhost: relay.example\r\nconnection: close\r\n\r\n`);
  return text(socket);
}

const WHOLE = '{"originalUrl":"/a?b=c","ip":"127.0.0.1","host":"relay.example","own":true,"node":true}';

test.each([
  ['GET /a?b=c HTTP/1.1', 200, WHOLE],
  ['HEAD /a?b=c HTTP/1.1', 200, ''],
  ['OPTIONS /a HTTP/1.1', 200, 'GET, HEAD'],
  ['GET /fails HTTP/1.1', 418, expect.stringContaining('Error')],
  ['GET /none HTTP/1.1', 404, expect.stringContaining('Cannot GET /none')],
  ['GET /a?b=c HTTP/1.1\r\nexpect: the best', 200, WHOLE],
  ['GET /a?b=c HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket', 200, WHOLE],
])('Express works as ever, on each of two servers: %j', async (head, status, body) => {
  for (const server of servers) {
    const answer = await asked(server, head);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer.slice(answer.indexOf('\r\n\r\n') + 4)).toEqual(body);
  }
});

test('a request and its response keep the prototype that they begin with', async () => {
  protos.length = 0;
  await asked(servers.at(-1) as Server, 'GET /a HTTP/1.1');
  const [request, response, handled, answered] = protos;
  // Not `toBe`: to print a request's prototype fails.
  expect([handled === request, answered === response]).toEqual([true, true]);
});
