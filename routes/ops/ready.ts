import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from '../http/reply.ts';

/** Whether requests should be sent here, and how each thing that is needed does. Holds words of our own only: no address, no error text. */
export interface Readiness {
  readonly status: 'ready' | 'unready' | 'draining';
  readonly checks: Readonly<Record<string, 'ok' | 'fails' | 'no answer'>>;
}

/** `GET /readyz`: 200, or 503 and what is missing. */
export function readyHandler(deps: { readonly ready: () => Promise<Readiness> }) {
  return async (_request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const readiness = await deps.ready();
    sendJson(response, readiness.status === 'ready' ? 200 : 503, JSON.stringify(readiness), ['cache-control', 'no-store']);
  };
}
