import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from '../http/reply.ts';

/** `GET /healthz`: the process is alive. Says nothing of backends. */
export function healthHandler() {
  return (_request: IncomingMessage, response: ServerResponse): void => sendJson(response, 200, '{"status":"ok"}');
}
