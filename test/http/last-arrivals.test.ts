import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { configOf, type Desk, digestOf, KEY, openRelay, parseRaw } from './desk.ts';

/** Requests on their way in the moment a relay is told to end. */
const CONFIG = `server: { port: 0 }
backends: { q: { vendor: qwen, baseUrl: 'http://127.0.0.1:9/v1', apiKey: 'env:K' } }
models: { gpt-4o: [q/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
`;
const ASKED = `GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\n\r\n`;

let desk: Desk;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await desk.relay.stop();
});

/** The answer to a request that is sent as soon as the system has accepted the connection. */
async function asked(): Promise<{ status: number; closes: boolean }> {
  const socket = connect(desk.port, '127.0.0.1');
  sockets.push(socket);
  let text = '';
  socket.on('data', (piece: Buffer) => void (text += piece.toString('utf8')));
  socket.on('connect', () => socket.write(ASKED));
  await once(socket, 'close');
  const { status, headers } = parseRaw(text);
  return { status, closes: headers['connection'] === 'close' };
}

test('connections that only the system has accepted so far are taken, and their requests answered', async () => {
  desk = await openRelay(configOf(CONFIG, { K: 'sk-backend-secret' }));
  const answers = Array.from({ length: 20 }, asked);
  // That is when Node connects. The event loop has had no turn yet to take any of them.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  const stopped = desk.relay.stop();
  for (const answer of await Promise.all(answers)) expect(answer).toEqual({ status: 200, closes: true });
  expect(await stopped).toBe(true);
});
