import type { IncomingMessage, ServerResponse } from 'node:http';

/** How much of a body that nobody wants is read and thrown away, and for how long (ms). Beyond either the connection is cut. */
const MOST_BYTES = 64 * 1024 * 1024;
const LONGEST_MS = 5_000;

/**
 * Sends `text` at once, and ends the answer when the rest of the request's body has been read and thrown away. A connection that is closed
 * while bytes wait unread is reset by the system, and the reset can overtake the answer: the caller would see a broken pipe instead of
 * its 401 or 413. Head and text leave in one write; with a `content-length` the caller need not wait for the end.
 */
export function endAfterBody(response: ServerResponse, text: string): void {
  const request = response.req;
  if (request.complete || request.destroyed || !hasBody(request)) {
    response.end(text);
    return;
  }
  const { socket } = request;
  let left = MOST_BYTES;
  const done = (): void => {
    clearTimeout(timer);
    request.off('data', drop);
    response.end();
  };
  const cut = (): void => {
    done();
    socket.destroySoon();
  };
  const drop = (piece: Buffer): void => {
    left -= piece.length;
    if (left < 0) cut();
  };
  const timer = setTimeout(cut, LONGEST_MS);
  response.write(text);
  request.once('end', done);
  request.once('close', done);
  request.on('error', done);
  request.on('data', drop);
  request.resume();
}

/** `complete` is not yet true while a handler first runs, also where no body follows. */
const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
