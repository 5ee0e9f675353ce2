import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * - `pass`: as if it were not there.
 * - `refuse`: every connection is reset, and every new one.
 * - `hold`: connections stay open and nothing moves, as behind a network that swallows packets.
 * - `mute`: what is asked arrives, and no answer comes back.
 */
type ProxyMode = 'pass' | 'refuse' | 'hold' | 'mute';

/** Between a process and a service of this machine, on a port of its own. What was held back goes on in order, unless it is cut. */
export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #mode: ProxyMode = 'pass';
  #port = 0;
  /** Bytes of answers until every connection breaks; null: never. */
  #tearAfter: number | null = null;

  constructor(target: number) {
    this.#server = createServer((near) => {
      if (this.#mode === 'refuse') {
        near.resetAndDestroy();
        return;
      }
      const pair = [near, connect(target, '127.0.0.1')] as const;
      const [, far] = pair;
      this.#pairs.add(pair);
      for (const socket of pair) {
        socket.setNoDelay(true);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#pairs.delete(pair);
          for (const one of pair) one.destroy();
        });
      }
      near.on('data', (piece) => void far.write(piece));
      far.on('data', (piece) => this.#answer(near, piece));
      this.#apply(pair);
    });
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as { port: number }).port;
    return this;
  }

  get port(): number {
    return this.#port;
  }

  set(mode: ProxyMode): void {
    this.#mode = mode;
    if (mode === 'refuse') this.cut();
    for (const pair of this.#pairs) this.#apply(pair);
  }

  /** Resets every connection; what was held back is lost. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  /** Cuts when so many more bytes of answers have come through, in the midst of one. */
  tearAfter(bytes: number): void {
    this.#tearAfter = bytes;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }

  #apply([near, far]: readonly [Socket, Socket]): void {
    if (this.#mode === 'hold') near.pause();
    else near.resume();
    if (this.#mode === 'pass') far.resume();
    else far.pause();
  }

  #answer(near: Socket, piece: Buffer): void {
    if (this.#tearAfter === null || piece.length <= this.#tearAfter) {
      if (this.#tearAfter !== null) this.#tearAfter -= piece.length;
      near.write(piece);
      return;
    }
    const rest = piece.subarray(0, this.#tearAfter);
    this.#tearAfter = null;
    near.write(rest, () => this.cut());
  }
}
