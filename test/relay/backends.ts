import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';

/** A local TCP server that counts what it sees and lets a script answer each request on the bare socket. */
export interface Backend {
  readonly port: number;
  readonly url: string;
  /** Connections ever made. */
  connections: number;
  /** Whole requests as text, in order of arrival. */
  readonly requests: string[];
  readonly sockets: Set<Socket>;
  close(): Promise<void>;
}

export type Script = (socket: Socket, request: string, number: number) => void;

/** Requests are told apart by their `content-length`; the script is called once per whole request. */
export async function scripted(script: Script): Promise<Backend> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const backend = { connections: 0 };
  const server: Server = createServer((socket) => {
    backend.connections++;
    sockets.add(socket);
    let text = '';
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (piece: Buffer) => {
      text += piece.toString('latin1');
      for (;;) {
        const end = text.indexOf('\r\n\r\n');
        const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
        if (end < 0 || text.length < end + 4 + length) return;
        const request = Buffer.from(text.slice(0, end + 4 + length), 'latin1').toString('utf8');
        text = text.slice(end + 4 + length);
        requests.push(request);
        script(socket, request, requests.length);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return Object.assign(backend, { port, url: `http://127.0.0.1:${port}`, requests, sockets, close });
}

/** A whole HTTP answer. */
export function http(status: number, body: string, headers: Record<string, string> = {}): string {
  const all = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)), ...headers };
  return `HTTP/1.1 ${status} Word\r\n${Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n${body}`;
}

/** A completion as all three vendors write it. */
export const completion = (content: string): string =>
  JSON.stringify({
    id: 'x',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  });

export const SSE_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

/** One chunk of HTTP's chunked coding. */
export const httpChunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

const frame = (delta: object, finish: string | null): string =>
  `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

export const roleFrame = frame({ role: 'assistant', content: '' }, null);
export const textFrame = (content: string): string => frame({ content }, null);
export const finishFrame = (reason = 'stop'): string => frame({}, reason);
export const usageFrame = `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } })}\n\n`;
export const DONE = 'data: [DONE]\n\n';
