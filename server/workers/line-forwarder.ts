const NEWLINE = 0x0a;

/**
 * Passes on what a worker writes, whole lines at a time: several processes that write into one pipe cut each other's lines once it is full.
 * What stands without an end when the worker has died becomes a line too.
 */
export class LineForwarder {
  readonly #write: (lines: string) => void;
  #begun: Buffer[] = [];

  constructor(write: (lines: string) => void) {
    this.#write = write;
  }

  push(piece: Buffer): void {
    const end = piece.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      this.#begun.push(piece.subarray(0, end));
      this.#write(Buffer.concat(this.#begun).toString());
      this.#begun = [];
    }
    if (end < piece.length) this.#begun.push(piece.subarray(end));
  }

  end(): void {
    if (this.#begun.length > 0) this.#write(`${Buffer.concat(this.#begun).toString()}\n`);
    this.#begun = [];
  }
}
