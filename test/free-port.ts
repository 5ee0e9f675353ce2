import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';

/**
 * A port of 127.0.0.1 for a process that cannot choose one itself. Taken at random from below those that the system hands out to other
 * tests' connections (32768 and up on Linux), so that none of these takes it in the meantime. The port 10,000 above it is no such port
 * either: there a node of a Redis cluster talks to the others.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(10_240, 22_768);
    if (await isFree(port)) return port;
  }
  throw new Error('No port is free.');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Whether somebody listens on a port of 127.0.0.1. */
export function portOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
