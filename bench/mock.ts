import { createServer, type Server, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { CHAT_PATHS, cannedReply, cannedStream, DIALECTS, type Dialect, HOLD, SLOW } from './mock-answers.ts';

/**
 * The three vendors as cheap as they can be: a socket server that answers bytes made beforehand, so that on a shared machine the mock
 * weighs little. It reads only what decides the answer (path, `"stream":true`, the words `HOLD` and `SLOW`) and checks no key; for vendors
 * with opinions there is the simulator.
 *
 * Streams come in bursts: `burst` events, each an HTTP chunk of its own, in one write every `everyMs`. Slow ones bring the same, one event
 * every `slowMs`.
 */
export interface MockOptions {
  readonly chunks: number;
  readonly burst: number;
  readonly everyMs: number;
  readonly slowMs: number;
}

export const DEFAULT_MOCK: MockOptions = { chunks: 1000, burst: 20, everyMs: 10, slowMs: 2000 };

export interface Mock {
  readonly port: number;
  /** Streams now open. */
  readonly open: () => number;
  close(): Promise<void>;
}

/** Where the number of open streams can be asked for: `GET` → `{"open":n}`. */
export const STATS_PATH = '/stats';

const HEAD_END = '\r\n\r\n';

export async function startMock(options: MockOptions): Promise<Mock> {
  const replies = new Map<string, { readonly whole: Buffer; readonly bursts: readonly Buffer[]; readonly slow: readonly Buffer[] }>();
  for (const dialect of DIALECTS) {
    replies.set(CHAT_PATHS[dialect], {
      whole: wholeResponse(cannedReply(dialect).json),
      bursts: bursts(dialect, options),
      slow: bursts(dialect, { ...options, burst: 1 }),
    });
  }
  const sockets = new Set<Socket>();
  const streams = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (let request = firstRequest(text); request !== null; request = firstRequest(text)) {
        text = text.slice(request.length);
        answer(socket, request);
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      streams.delete(socket);
    });
  });

  function answer(socket: Socket, { path, body }: Request): void {
    if (path === STATS_PATH) {
      socket.write(wholeResponse(JSON.stringify({ open: streams.size })));
      return;
    }
    const reply = replies.get(path);
    if (reply === undefined) socket.write(wholeResponse('{"error":{"message":"no such path"}}', '404 Not Found'));
    else if (!body.includes('"stream":true')) socket.write(reply.whole);
    else if (body.includes(SLOW)) stream(socket, reply.slow, options.slowMs);
    else stream(socket, reply.bursts, body.includes(HOLD) ? null : options.everyMs);
  }

  function stream(socket: Socket, parts: readonly Buffer[], everyMs: number | null): void {
    streams.add(socket);
    socket.write(parts[0] as Buffer);
    if (everyMs === null) return;
    let next = 1;
    const timer = setInterval(() => {
      // A reader who is slow holds the vendor back; nothing piles up here.
      if (socket.writableNeedDrain) return;
      const part = parts[next++];
      if (part !== undefined && !socket.destroyed) socket.write(part);
      if (next < parts.length && !socket.destroyed) return;
      clearInterval(timer);
      streams.delete(socket);
    }, everyMs);
  }

  const port = await listen(server);
  return {
    port,
    open: () => streams.size,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

interface Request {
  readonly path: string;
  readonly body: string;
  /** Head and body, in bytes (the text is Latin-1). */
  readonly length: number;
}

/** The first request in the text; null while it is not all there. Bodies have a content-length or are none. */
function firstRequest(text: string): Request | null {
  const end = text.indexOf(HEAD_END);
  if (end < 0) return null;
  const head = text.slice(0, end);
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  const from = end + HEAD_END.length;
  if (text.length < from + length) return null;
  return { path: head.split(' ', 2)[1] ?? '', body: text.slice(from, from + length), length: from + length };
}

function wholeResponse(json: string, status = '200 OK'): Buffer {
  return Buffer.from(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(json)}${HEAD_END}${json}`,
  );
}

/** The writes of one streamed answer: head and first burst, further bursts, the last with the end of the chunked body. */
function bursts(dialect: Dialect, { chunks, burst }: MockOptions): Buffer[] {
  const { events } = cannedStream(dialect, chunks);
  const wire = events.map((text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
  const parts: string[] = [];
  for (let at = 0; at < wire.length; at += burst) parts.push(wire.slice(at, at + burst).join(''));
  parts[0] = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream;charset=UTF-8\r\ntransfer-encoding: chunked${HEAD_END}${parts[0]}`;
  // In a write of its own where all fits into one burst, so that a held stream stays open.
  if (parts.length === 1) parts.push('');
  parts[parts.length - 1] += '0\r\n\r\n';
  return parts.map((text) => Buffer.from(text));
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', 4096, () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('the mock has no port'));
      else resolve(address.port);
    });
  });
}

if (import.meta.main) {
  const number = { type: 'string' } as const;
  const { values } = parseArgs({ options: { chunks: number, burst: number, every: number, slow: number } });
  const mock = await startMock({
    chunks: Number(values.chunks ?? DEFAULT_MOCK.chunks),
    burst: Number(values.burst ?? DEFAULT_MOCK.burst),
    everyMs: Number(values.every ?? DEFAULT_MOCK.everyMs),
    slowMs: Number(values.slow ?? DEFAULT_MOCK.slowMs),
  });
  console.log(`mock vendors on http://127.0.0.1:${mock.port}`);
}
