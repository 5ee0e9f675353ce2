import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config/config.ts';
import { createHttpServer } from './http-server.ts';
import { type Built, build } from './wiring.ts';

/** A relay that listens. */
export interface RunningRelay {
  /** `http://host:port` */
  readonly url: string;
  readonly server: Server;
  /** Refuses new work, lets running answers end (at most `server.drainTimeoutMs`), then closes everything. True when none was cut. */
  stop(): Promise<boolean>;
}

/**
 * Builds, opens the books and listens.
 * @throws LedgerFault when the database cannot be used; Error with the system's code (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`) when the
 * port cannot be had; nothing stays open
 */
export async function startRelay(config: Config, built: Built = build(config)): Promise<RunningRelay> {
  const server = createHttpServer(built.app, config.server);
  try {
    await built.open();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(config.server.port, config.server.host, resolve);
    });
  } catch (error) {
    await built.close(false);
    throw error;
  }
  const { address, port, family } = server.address() as AddressInfo;
  const host = family === 'IPv6' ? `[${address}]` : address;
  return { url: `http://${host}:${port}`, server, stop: () => stop(server, built, config.server.drainTimeoutMs) };
}

async function stop(server: Server, built: Built, timeoutMs: number): Promise<boolean> {
  built.drain();
  let cut = false;
  // A keep-alive connection that carried a stream would be served again and hold the server open: each answer's end closes it.
  server.on('request', (_request, response) => response.once('close', () => server.closeIdleConnections()));
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const timer = setTimeout(() => {
    cut = true;
    server.closeAllConnections();
  }, timeoutMs);
  await closed;
  clearTimeout(timer);
  clearInterval(sweep);
  await built.close(!cut);
  built.logger.flush();
  return !cut;
}
