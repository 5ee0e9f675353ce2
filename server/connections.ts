import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { RenewedMap } from '../relay/renewed-map.ts';

/** A connection that has been open for less time, and has carried nothing yet, is about to carry a request. */
const FRESH_MS = 1_000;
/** For that request to arrive, once the server is to be emptied. */
const ARRIVAL_MS = 500;

interface Carried {
  /** When it was opened, by `performance.now()`. */
  readonly sinceMs: number;
  /** Requests whose answers have not been sent to their end. */
  answers: number;
  /** Bytes that had come in when the last answer was sent: more than that is the begin of another request. */
  read: number;
  /** Of the last request that has begun. */
  last: ServerResponse | null;
}

/**
 * The connections of a server, so that it can be emptied without a cut. Node's own `closeIdleConnections` takes an answer that has been
 * handed over whole for one that has been sent, and cuts it off at a caller who reads slowly; and it says nothing of when to look again.
 */
export class Connections {
  readonly #open = new RenewedMap<Socket, Carried>();
  #answers = 0;
  #draining = false;
  #onQuiet: (() => void) | null = null;

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#open.set(socket, { sinceMs: performance.now(), answers: 0, read: 0, last: null });
      socket.once('close', () => this.#closed(socket));
    });
    const begun = (request: IncomingMessage, response: ServerResponse): void => this.#begun(request.socket, response);
    // Before the one who answers: a whole answer may be written at once.
    server.prependListener('request', begun);
    server.on('checkExpectation', begun);
    // `close` of an HTTP server calls it.
    server.closeIdleConnections = () => this.closeIdle();
  }

  /**
   * From now on each connection is closed as soon as it carries no answer and no begun request, and what has not been answered yet says that
   * it will be. A connection that has just been opened has half a second for its request: whoever opened it has sent that before it could
   * know, and nothing but a reset would answer it.
   * @param onQuiet told whenever no answer is under way any more: what is open then is a head that has not arrived whole
   */
  drain(onQuiet: () => void): void {
    this.#draining = true;
    this.#onQuiet = onQuiet;
    for (const [, { last }] of this.#open.entries()) if (last !== null) last.shouldKeepAlive = false;
    this.closeIdle();
    setTimeout(() => this.#closeIdle(() => true), ARRIVAL_MS).unref();
    if (this.#answers === 0) onQuiet();
  }

  /** Whether what is written there now is read as the answer to what is arriving: none to an earlier request is under way. */
  awaitsAnswer(socket: Socket): boolean {
    const { answers, last } = this.#open.get(socket) ?? { answers: 0, last: null };
    return answers === 0 || (answers === 1 && last?.headersSent === false);
  }

  /** Those that carry nothing at the moment, but for fresh ones. */
  closeIdle(): void {
    const now = performance.now();
    this.#closeIdle(({ last, sinceMs }) => last !== null || now - sinceMs >= FRESH_MS);
  }

  #closeIdle(which: (carried: Carried) => boolean): void {
    for (const [socket, carried] of this.#open.entries()) if (isIdle(socket, carried) && which(carried)) socket.destroy();
  }

  /** Those that carry no answer, a begun head or not. */
  closeQuiet(): void {
    for (const [socket, { answers }] of this.#open.entries()) if (answers === 0) socket.destroy();
  }

  #begun(socket: Socket, response: ServerResponse): void {
    const carried = this.#open.get(socket);
    if (carried === undefined) return;
    if (this.#draining) {
      // The last of several closes the connection.
      if (carried.last !== null) carried.last.shouldKeepAlive = true;
      response.shouldKeepAlive = false;
    }
    carried.answers++;
    carried.last = response;
    this.#answers++;
    response.once('close', () => {
      // All that a closed connection carried has been taken off with it.
      if (!this.#open.has(socket)) return;
      carried.answers--;
      carried.read = socket.bytesRead;
      this.#ended(1);
      if (this.#draining && isIdle(socket, carried)) socket.destroy();
    });
  }

  #closed(socket: Socket): void {
    const answers = this.#open.get(socket)?.answers ?? 0;
    this.#open.delete(socket);
    this.#ended(answers);
  }

  #ended(answers: number): void {
    this.#answers -= answers;
    if (answers > 0 && this.#answers === 0 && this.#draining) this.#onQuiet?.();
  }
}

const isIdle = (socket: Socket, { answers, read }: Carried): boolean => answers === 0 && socket.bytesRead === read;
