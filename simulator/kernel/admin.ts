import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { BadInput, readFaultOrder, readLimits, readProfile } from './admin-input.ts';
import { readBody, sendJson } from './http.ts';
import type { State } from './state.ts';
import { NO_LIMITS } from './traffic.ts';
import type { Vendor } from './types.ts';

/** The admin API, on a port of its own so that no vendor path is taken. Not listening yet. */
export function adminServer(vendors: readonly Vendor[], state: State): Server {
  return createServer((request, response) => {
    answer(vendors, state, request, response).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      if (response.headersSent) response.destroy();
      else sendJson(response, error instanceof BadInput ? 400 : 500, { error: message });
    });
  });
}

type Handler = (call: {
  readonly id: string;
  readonly body: () => Promise<unknown>;
  readonly query: URLSearchParams;
}) => Promise<Outcome> | Outcome;
interface Outcome {
  readonly status: number;
  readonly body: unknown;
}

const ok = (body: unknown): Outcome => ({ status: 200, body });
const MAX_ADMIN_BODY = 1_048_576;

function routes(vendors: readonly Vendor[], state: State): Readonly<Record<string, Handler>> {
  const limits = (): unknown => Object.fromEntries(vendors.map(({ name }) => [name, state.limits.get(name) ?? NO_LIMITS]));
  const profiles = (): unknown => Object.fromEntries(vendors.map(({ name }) => [name, { strict: state.strict.has(name) }]));
  const noFault = (id: string): Outcome => ({ status: 404, body: { error: `no fault "${id}"` } });
  return {
    'GET /health': () => ok({ status: 'ok', vendors: vendors.map((vendor) => vendor.name) }),
    'GET /requests': ({ query }) => {
      const vendor = query.get('vendor');
      return ok({ requests: state.journal.list().filter((entry) => vendor === null || entry.vendor === vendor) });
    },
    'DELETE /requests': () => {
      state.journal.clear();
      return ok({ requests: [] });
    },
    'GET /usage': () => ok({ usage: state.traffic.usage() }),
    'GET /faults': () => ok({ faults: state.faults.list() }),
    'POST /faults': async ({ body }) => ({ status: 201, body: { id: state.faults.add(readFaultOrder(await body(), vendors)) } }),
    'DELETE /faults': () => {
      state.faults.clear();
      return ok({ faults: [] });
    },
    'GET /faults/': ({ id }) => {
      const fault = state.faults.get(id);
      return fault === undefined ? noFault(id) : ok(fault);
    },
    'DELETE /faults/': ({ id }) => (state.faults.remove(id) ? ok({ id }) : noFault(id)),
    'GET /limits': () => ok(limits()),
    'PUT /limits': async ({ body }) => {
      const order = readLimits(await body(), vendors);
      state.limits.set(order.vendor, { ...(state.limits.get(order.vendor) ?? NO_LIMITS), ...order.limits });
      return ok(limits());
    },
    'GET /profile': () => ok(profiles()),
    'PUT /profile': async ({ body }) => {
      const order = readProfile(await body(), vendors);
      if (order.strict) state.strict.add(order.vendor);
      else state.strict.delete(order.vendor);
      return ok(profiles());
    },
    'POST /reset': () => {
      state.reset();
      return ok({ status: 'ok' });
    },
  };
}

async function answer(vendors: readonly Vendor[], state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://admin');
  const table = routes(vendors, state);
  const [, path = '', id = ''] = /^(\/faults\/)([^/]+)$/.exec(url.pathname) ?? ['', url.pathname];
  const handler = table[`${request.method ?? 'GET'} ${path}`];
  if (handler === undefined) {
    request.resume();
    const methods = Object.keys(table).filter((key) => key.endsWith(` ${path}`));
    if (methods.length === 0) return sendJson(response, 404, { error: `no such path; known: ${Object.keys(table).join(', ')}` });
    return sendJson(response, 405, { error: `${path} knows: ${methods.map((key) => key.split(' ')[0]).join(', ')}` });
  }
  const { status, body } = await handler({ id: decodeURIComponent(id), body: () => jsonBody(request), query: url.searchParams });
  sendJson(response, status, body);
}

async function jsonBody(request: IncomingMessage): Promise<unknown> {
  const bytes = await readBody(request, MAX_ADMIN_BODY);
  if (bytes === null) throw new BadInput(`body: larger than ${MAX_ADMIN_BODY} bytes`);
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (error) {
    throw new BadInput(`body: not JSON (${error instanceof Error ? error.message : String(error)})`);
  }
}
