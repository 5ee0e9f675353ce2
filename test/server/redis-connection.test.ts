import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { redisAddress } from '../../config/redis-address.ts';
import { type RedisConnection, redisConnection } from '../../server/redis-connection.ts';
import { freePort } from '../free-port.ts';

const KINDS = [
  ['redis://', (port: number) => `redis://127.0.0.1:${port}`],
  ['redis+cluster://', (port: number) => `redis+cluster://127.0.0.1:${port}`],
  ['redis+sentinel://', (port: number) => `redis+sentinel://127.0.0.1:${port}/limits`],
] as const;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function opened(text: string): RedisConnection & { readonly faults: unknown[] } {
  const address = redisAddress(text);
  if ('fault' in address) throw new Error(address.fault);
  const faults: unknown[] = [];
  const connection = redisConnection(address, (fault) => void faults.push(fault));
  ends.push(() => connection.close());
  return { ...connection, faults };
}

/** Takes connections and says nothing. */
async function silence(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe.each(KINDS)('%s', (_, textOf) => {
  test('opens nothing before it is told to', async () => {
    const port = await silence();
    const { client, faults } = opened(textOf(port));
    await new Promise(setImmediate);
    expect([client.status, faults]).toEqual(['wait', []]);
  });

  test.each([
    ['nobody listens', freePort],
    ['nobody answers', silence],
  ])('%s: what is asked fails soon, and the fault is told', async (_case, portOf) => {
    const { client, faults, start } = opened(textOf(await portOf()));
    start();
    const started = performance.now();
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => client.evalsha('0'.repeat(40), 1, 'k', 'v')));
    expect(asked.every(({ status }) => status === 'rejected')).toBe(true);
    expect(performance.now() - started).toBeLessThan(8_000);
    expect(faults.length).toBeGreaterThan(0);
  });
});

test('closed while nobody listens or answers: nothing keeps the process, and no fault is left unhandled', async () => {
  const [dead, silent] = [await freePort(), await silence()];
  const texts = KINDS.flatMap(([, textOf]) => [textOf(dead), textOf(silent)]);
  const script = `
    const { redisAddress } = await import(${JSON.stringify(new URL('../../config/redis-address.ts', import.meta.url).href)});
    const { redisConnection } = await import(${JSON.stringify(new URL('../../server/redis-connection.ts', import.meta.url).href)});
    const connections = ${JSON.stringify(texts)}.map((text) => redisConnection(redisAddress(text), () => {}));
    for (const { start, client } of connections) { start(); client.evalsha('0', 1, 'k').catch(() => {}); }
    setTimeout(() => { for (const { close } of connections) close(); console.log('closed'); }, 700);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  ends.push(() => child.kill('SIGKILL'));
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  await once(child.stdout, 'data');
  const closedAt = performance.now();
  const [code] = await once(child, 'exit');
  expect([code, told]).toEqual([0, '']);
  expect(performance.now() - closedAt).toBeLessThan(4_000);
});

test('what is sent within one turn of the event loop arrives in one piece', async () => {
  const pieces: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      const text = data.toString();
      pieces.push(text);
      for (const [command] of text.matchAll(/(?<=\r\n)(?:info|ping)(?=\r\n)/g)) {
        socket.write(command === 'info' ? '$9\r\nloading:0\r\n' : '+PONG\r\n');
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => server.close());
  const { client, start } = opened(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const ready = once(client, 'ready');
  start();
  await ready;
  await client.ping();
  pieces.length = 0;
  await Promise.all(Array.from({ length: 20 }, () => client.ping()));
  expect(pieces.map((piece) => piece.match(/ping/g)?.length)).toEqual([20]);
});
