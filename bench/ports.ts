import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const RANGE = '/proc/sys/net/ipv4/ip_local_port_range';
/** Below are the ports of well-known services. */
const LOWEST = 10_000;
const HIGHEST = 65_535;

/**
 * Ports for processes that are started again at the same place: outside the range from which the system gives every outgoing connection its
 * own, so that none takes it meanwhile. Free on 127.0.0.1 at this moment. @throws Error when there are too few
 */
export async function keepablePorts(count: number): Promise<number[]> {
  const [low, high] = readFileSync(RANGE, 'latin1').trim().split(/\s+/).map(Number) as [number, number];
  return freeOutside(low, high, count);
}

/** Exported for its test. */
export async function freeOutside(low: number, high: number, count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let port = LOWEST; port <= HIGHEST && ports.length < count; port++) {
    if ((port < low || port > high) && (await isFree(port))) ports.push(port);
  }
  if (ports.length < count) throw new Error(`fewer than ${count} ports are free outside ${low} to ${high} (${RANGE})`);
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES')) return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}
