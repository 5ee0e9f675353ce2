import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JournalEntry } from './journal.ts';
import { credentialOf, keyWindowId, modelOf, type State, type VendorKernel } from './state.ts';
import type { Accounting, Handled, Incoming, Vendor } from './types.ts';
import { sendPlan } from './wire.ts';
import { planWire } from './wire-plan.ts';

/** Largest body read, in bytes; above it the kernel itself answers 413. */
const MAX_BODY = 80 * 1024 * 1024;

/** The HTTP server of one vendor. Not listening yet. */
export function vendorServer(vendor: Vendor, state: State): Server {
  const kernel = state.kernelFor(vendor);
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    serve(vendor, kernel, state, request, response).catch((error: unknown) => failLoudly(response, error));
  });
  server.requestTimeout = 0; // a slow upload is the client's business
  return server;
}

/** @throws the listen error, e.g. EADDRINUSE */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Stops listening and drops every connection, stalled ones included. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** The body read whole; null when it is larger than `limit` bytes. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    const bytes = part as Buffer;
    size += bytes.length;
    if (size <= limit) parts.push(bytes);
  }
  return size > limit ? null : Buffer.concat(parts);
}

async function serve(
  vendor: Vendor,
  kernel: VendorKernel,
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.socket?.setNoDelay(true);
  let rawBody: Buffer | null;
  try {
    rawBody = await readBody(request, MAX_BODY);
  } catch {
    return; // the client left while sending; there is nobody to answer
  }
  const url = new URL(request.url ?? '/', 'http://simulator');
  const place = splitRegion(url.pathname);
  if (place.region !== null && !vendor.regions.includes(place.region)) {
    return sendJson(response, 404, {
      simulator_error: `unknown region "${place.region}" of ${vendor.name}; regions: ${vendor.regions.join(', ')}`,
    });
  }
  if (rawBody === null) return sendJson(response, 413, { simulator_error: `body larger than ${MAX_BODY} bytes` });
  const incoming: Incoming = {
    method: request.method ?? 'GET',
    path: place.path,
    query: url.searchParams,
    headers: flatHeaders(request),
    rawBody,
    region: place.region ?? vendor.regions[0] ?? '',
    seq: state.nextSeq(),
    nowMs: state.now(),
  };
  const entry = state.journal.open(vendor.name, incoming);
  const release = handleAndCount(vendor, kernel, state, incoming, entry);
  const closed = (): void => {
    entry.aborted = !response.writableFinished && !entry.done;
    entry.done = true;
    entry.durationMs = state.now() - entry.atMs;
    release.leave();
  };
  if (response.closed) closed();
  else response.once('close', closed);
  const acceptsGzip = /\b(gzip|\*)/.test(incoming.headers['accept-encoding'] ?? '');
  await sendPlan(response, planWire(release.handled.reply, entry.faults, acceptsGzip), entry);
}

function handleAndCount(
  vendor: Vendor,
  kernel: VendorKernel,
  state: State,
  incoming: Incoming,
  entry: JournalEntry,
): { handled: Handled; leave: () => void } {
  const handled = vendor.handle(incoming, kernel);
  const { accounting } = handled;
  entry.accounting = accounting;
  entry.faults = kernel.faultsOf(incoming);
  state.traffic.count(vendor.name, accounting);
  if (accounting.errorCode !== null) return { handled, leave: () => undefined };
  const ids = windowIds(vendor, kernel, incoming, accounting);
  for (const id of ids) {
    state.traffic.spend(id, incoming.nowMs, accounting.promptTokens + accounting.completionTokens);
    state.traffic.enter(id);
  }
  let left = false;
  const leave = (): void => {
    if (!left) for (const id of ids) state.traffic.leave(id);
    left = true;
  };
  return { handled, leave };
}

/** A request counts for its key and model, as the vendor reads them, and for its account, as the admin limits them. */
function windowIds(vendor: Vendor, kernel: VendorKernel, incoming: Incoming, accounting: Accounting): readonly string[] {
  if (credentialOf(incoming) === '') return [];
  const own = accounting.keyName === null ? [] : [keyWindowId(vendor.name, accounting.keyName, accounting.model ?? modelOf(incoming))];
  return [...own, kernel.accountId(incoming)];
}

function splitRegion(path: string): { region: string | null; path: string } {
  const match = /^\/~([^/]+)(\/.*)?$/.exec(path);
  return match === null ? { region: null, path } : { region: match[1] ?? '', path: match[2] ?? '/' };
}

function flatHeaders(request: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) });
  response.end(text);
}

/** A mistake in the simulator or in a fault's arguments: said to the client and on stderr, never as a vendor's answer. */
function failLoudly(response: ServerResponse, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`simulator: ${error instanceof Error ? (error.stack ?? message) : message}\n`);
  if (response.headersSent) response.destroy();
  else sendJson(response, 500, { simulator_error: message });
}
