import { createServer, IncomingMessage, type Server, type ServerOptions, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import express, { type Express } from 'express';
import type { Server as ServerConfig } from '../config/config.ts';
import { type ErrorName, OpenAIError } from '../openai/errors.ts';
import { requestId } from '../openai/ids.ts';
import { Connections } from './connections.ts';

/** What Node found wrong with the bytes before any handler saw a request. */
const PARSE_ERRORS: Readonly<Record<string, [ErrorName, string]>> = {
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'The request headers are larger than this relay accepts.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request did not arrive in time.'],
};

/** A server and what is open there. */
interface HttpServer {
  readonly server: Server;
  readonly connections: Connections;
}

/** Node's HTTP server with bounded heads, bodies and waits (S12); also malformed HTTP is answered in OpenAI's form. */
export function createHttpServer(app: Express, config: ServerConfig): HttpServer {
  const server = createServer(
    {
      maxHeaderSize: config.maxHeaderBytes,
      connectionsCheckingInterval: Math.min(1000, config.headersTimeoutMs),
      // Node would refuse a missing Host with an empty 400; here such a request is served, or refused in OpenAI's form, as any other.
      // Nothing is decided by Host: one origin is served, and who may call depends on the key and the socket's address alone.
      requireHostHeader: false,
      noDelay: true,
      ...madeFor(app),
    },
    app,
  );
  setServerLimits(server, config);
  const connections = new Connections(server);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code !== 'ECONNRESET' && socket.writable && connections.awaitsAnswer(socket)) answerBadHttp(error, socket);
    else socket.destroy();
  });
  // Node would answer an unknown expectation with a bare 417; an expectation may be ignored.
  server.on('checkExpectation', app);
  return { server, connections };
}

/**
 * Requests and responses that are Express's own from the beginning. It would give each another prototype, after which V8 looks up every
 * property of theirs the slow way.
 */
function madeFor(app: Express): Pick<ServerOptions, 'IncomingMessage' | 'ServerResponse'> {
  class Incoming extends IncomingMessage {}
  class Outgoing extends ServerResponse {}
  Object.setPrototypeOf(Incoming.prototype, express.request);
  Object.setPrototypeOf(Outgoing.prototype, express.response);
  app.request = Object.assign(Incoming.prototype, { app }) as unknown as Express['request'];
  app.response = Object.assign(Outgoing.prototype, { app }) as unknown as Express['response'];
  return { IncomingMessage: Incoming, ServerResponse: Outgoing as typeof ServerResponse };
}

/** Those that hold at once for a server that runs, new connections and open ones alike. */
export function setServerLimits(server: Server, config: ServerConfig): void {
  server.headersTimeout = Math.min(config.headersTimeoutMs, config.requestTimeoutMs);
  server.requestTimeout = config.requestTimeoutMs;
  server.keepAliveTimeout = config.keepAliveTimeoutMs;
  server.maxConnections = config.maxConnections;
  // Of several workers a full one would hand the connection back, and the next to the next without end.
  Object.assign(server, { dropMaxConnection: true });
}

/**
 * No connection is accepted any more; `closed` is told when the last has ended. Node's own `close` of an HTTP server also stops looking for
 * requests that do not arrive in time: one that comes a byte at a time would then hold up the end.
 */
export function stopListening(server: Server, closed: () => void): void {
  NetServer.prototype.close.call(server, () => {
    // Ends that looking, too.
    server.close();
    closed();
  });
}

/** For a caller to read what it was answered: one that writes on is reset then, which could overtake the answer before. */
const LAST_READ_MS = 1_000;

function answerBadHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  const [kind, message] = PARSE_ERRORS[error.code ?? ''] ?? (['invalid_json', 'The request is not valid HTTP.'] as const);
  const refusal = new OpenAIError(kind, message);
  const body = JSON.stringify(refusal);
  const words: Readonly<Record<number, string>> = { 400: 'Bad Request', 408: 'Request Timeout', 431: 'Request Header Fields Too Large' };
  socket.end(
    `HTTP/1.1 ${refusal.status} ${words[refusal.status] ?? 'Bad Request'}\r\ncontent-type: application/json\r\nx-request-id: ${requestId()}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  const cut = setTimeout(() => socket.destroy(), LAST_READ_MS);
  socket.once('close', () => clearTimeout(cut));
}
