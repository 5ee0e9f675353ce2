import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Connections that wait to be accepted: a thousand callers may come at once. The system may allow fewer. */
const BACKLOG = 4096;

/** @throws Error with the system's code, and the address and port that were asked for */
export async function listen(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(Object.assign(error, { address: host, port })));
    server.listen({ port, host, backlog: BACKLOG }, resolve);
  });
}

/** `http://host:port` of a server that listens. */
export function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
