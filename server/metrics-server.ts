import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type MetricsPage, mayRead } from '../routes/ops/metrics.ts';

/** A port with nothing but `GET /metrics`, for Prometheus. Bounded: a scraper sends a short head and no body. */
export function createMetricsServer(page: MetricsPage): Server {
  const server = createServer(
    { maxHeaderSize: 8192, headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 75_000 },
    (request, response) => {
      serve(page, request, response).catch(() => say(response, 500, 'the metrics could not be gathered\n'));
    },
  );
  server.maxConnections = 64;
  return server;
}

async function serve(page: MetricsPage, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume();
  if (request.url?.split('?', 1)[0] !== '/metrics') return say(response, 404, 'only /metrics is here\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') return say(response, 405, 'only GET\n', { allow: 'GET, HEAD' });
  if (!mayRead(page, request)) return say(response, 401, 'a bearer token is needed\n', { 'www-authenticate': 'Bearer' });
  say(response, 200, await page.text(), { 'content-type': page.contentType });
}

function say(response: ServerResponse, status: number, text: string, headers: Readonly<Record<string, string>> = {}): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': String(Buffer.byteLength(text)),
    ...headers,
  });
  response.end(text);
}
