import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';

/**
 * The least a Node proxy can do: read the request's bytes, send them on through a pool, write the answer's bytes as they come, hold the
 * vendor back when the caller is slow, and hang up on the vendor when the caller goes. What the relay costs is measured against this.
 */
export function forwarder(upstream: string): (request: IncomingMessage, response: ServerResponse) => void {
  const url = new URL(upstream);
  const pool = new Pool(url.origin, { connections: 4096, headersTimeout: 0, bodyTimeout: 0 });
  const headers = ['authorization', 'Bearer bench', 'content-type', 'application/json', 'accept-encoding', 'identity'];
  return (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
      pool.dispatch({ path: url.pathname, method: 'POST', headers, body }, new Piped(response));
    });
  };
}

class Piped implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;
  #paused = false;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#response.on('close', () => {
      if (!this.#response.writableFinished) controller.abort(new Error('the caller has gone'));
    });
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    const out = ['content-type', String(headers['content-type'])];
    if (headers['content-length'] !== undefined) out.push('content-length', String(headers['content-length']));
    this.#response.writeHead(status, out);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#response.write(chunk) || this.#paused) return;
    this.#paused = true;
    controller.pause();
    this.#response.once('drain', () => {
      this.#paused = false;
      controller.resume();
    });
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(): void {
    if (this.#response.headersSent) this.#response.destroy();
    else this.#response.writeHead(502).end();
  }
}

/** Listens on a free port and says where; used by both bare proxies. */
export function serveBare(name: string, listener: RequestListener): void {
  const server = createServer({ noDelay: true, keepAliveTimeout: 72_000 }, listener);
  server.listen(0, '127.0.0.1', 4096, () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') console.log(`${name} on http://127.0.0.1:${address.port}`);
  });
}

/** The one argument of a bare proxy: where everything goes. */
export function upstreamArgument(argv: readonly string[]): string {
  const url = argv[2];
  if (url === undefined || !URL.canParse(url)) throw new Error('usage: proxy-*.ts URL_OF_THE_CHAT_ENDPOINT');
  return url;
}

if (import.meta.main) serveBare('bare Node proxy', forwarder(upstreamArgument(process.argv)));
