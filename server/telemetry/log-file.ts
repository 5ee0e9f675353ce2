import fs from 'node:fs';

/** Gathered before they are written: a write is handed to another thread, which costs more than what is written. */
const BATCH_CHARS = 16 * 1024;
/** Lines that wait for a disk, in characters; beyond this they are lost, and counted. */
const MOST_WAITING = 8 * 1024 * 1024;

export interface LogFileOptions {
  /** Told once when lines cannot be written, and again only after some could. */
  readonly onFault: (error: NodeJS.ErrnoException) => void;
  /** Of the system, unless told. */
  readonly calls?: Pick<typeof fs, 'writeSync' | 'closeSync'> & {
    write(file: number, bytes: Buffer, done: (error: NodeJS.ErrnoException | null, written: number) => void): void;
  };
}

/**
 * Where log lines go: an open file, a pipe, a terminal. No request waits for it and none fails with it: while the disk is full, or a reader
 * does not read, lines wait, within bounds, and are written in order and whole when there is room again. How many were lost then stands in
 * a line of its own.
 */
export class LogFile {
  readonly #file: number;
  readonly #onFault: LogFileOptions['onFault'];
  readonly #calls: NonNullable<LogFileOptions['calls']>;
  #waiting = '';
  /** What is being written, or could not be; null: nothing. */
  #batch: Buffer | null = null;
  #writing = false;
  #failing = false;
  #lost = 0;
  #atExit = false;
  #closing = false;
  readonly #flushes: (() => void)[] = [];
  readonly #onExit = (): void => this.#writeLast();

  constructor(file: number, { onFault, calls = fs }: LogFileOptions) {
    this.#file = file;
    this.#calls = calls;
    this.#onFault = onFault;
  }

  /** One line or several, each with its end. */
  write(lines: string): void {
    if (!this.#atExit) {
      this.#atExit = true;
      process.on('exit', this.#onExit);
    }
    if (this.#waiting.length + lines.length > MOST_WAITING) {
      this.#lost++;
      return;
    }
    this.#waiting += lines;
    // What fails is tried again by the next flush, not by each line.
    if (this.#waiting.length >= BATCH_CHARS && !this.#failing) this.flush();
  }

  /** Begins to write what waits. `done` is called when all of it is written, or cannot be: it is tried again by the next call. */
  flush(done?: () => void): void {
    if (done !== undefined) this.#flushes.push(done);
    if (!this.#writing) this.#writeNext();
  }

  /** Writes what can be written, as at the end of the process, and closes the file: whoever reads it learns that nothing more comes. */
  close(): void {
    this.#closing = true;
    if (this.#writing) return;
    this.#writeLast();
    this.#calls.closeSync(this.#file);
    process.off('exit', this.#onExit);
    this.#atExit = false;
  }

  #writeNext(): void {
    const batch = this.#next();
    if (batch === null) {
      this.#flushed();
      return;
    }
    this.#writing = true;
    this.#calls.write(this.#file, batch, (error, written) => {
      this.#writing = false;
      if (error === null) {
        this.#failing = false;
        this.#wrote(batch, written);
      } else this.#failed(error);
      if (this.#closing) this.close();
      if (error !== null || this.#closing) this.#flushed();
      else if (this.#batch !== null || this.#flushes.length > 0 || this.#waiting.length >= BATCH_CHARS) this.#writeNext();
    });
  }

  #flushed(): void {
    for (const done of this.#flushes.splice(0)) done();
  }

  #next(): Buffer | null {
    if (this.#batch === null && this.#waiting !== '') {
      if (this.#lost > 0) {
        const line = {
          level: 'error',
          time: new Date().toISOString(),
          lost: this.#lost,
          msg: 'log: lines could not be written and are lost',
        };
        this.#waiting += `${JSON.stringify(line)}\n`;
        this.#lost = 0;
      }
      this.#batch = Buffer.from(this.#waiting);
      this.#waiting = '';
    }
    return this.#batch;
  }

  #wrote(batch: Buffer, written: number): void {
    this.#batch = written < batch.length ? batch.subarray(written) : null;
  }

  #failed(error: NodeJS.ErrnoException): void {
    // A reader that is slow is no fault: what waits for it is bounded.
    if (this.#failing || error.code === 'EAGAIN') return;
    this.#failing = true;
    this.#onFault(error);
  }

  /** The process ends now: what can be written at once is. A batch that another thread is writing is written by it. */
  #writeLast(): void {
    try {
      if (this.#writing) this.#batch = null;
      for (let batch = this.#next(); batch !== null; batch = this.#next()) this.#wrote(batch, this.#calls.writeSync(this.#file, batch));
    } catch (error) {
      this.#failed(error as NodeJS.ErrnoException);
    }
  }
}
