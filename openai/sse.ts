import { isUtf8 } from 'node:buffer';

const LF = 10;
const CR = 13;

/** Why a stream of frames cannot be read on; the caller turns it into its own error. */
export class SseError extends Error {
  override readonly name = 'SseError';
}

/**
 * Reads server-sent events from bytes that may be split anywhere, in UTF-8 characters and line ends too.
 *
 * Synchronous: `push` calls `onData` for each event that became complete, so that all events of one network read can
 * be handled, and answered, at once. Follows the WHATWG event-stream rules (LF, CRLF and CR line ends, comments, one
 * optional space, several `data:` lines joined by LF) with three allowances for vendors: a line that starts with `{` is an
 * event by itself (a bare JSON error inside a stream), `end` delivers an event that lacks its closing blank line, and an `id:` line
 * behind data begins the next event (frames without blank lines between). `event:`, `id:` and `retry:` lines are skipped otherwise;
 * comments go to `onComment`, before the data that follows them.
 *
 * Memory is bounded: an unfinished event larger than `maxEventBytes` is an `SseError`, as is text that is not UTF-8.
 */
export class SseDecoder {
  readonly #onData: (data: string) => void;
  readonly #onComment: ((text: string) => void) | null;
  readonly #maxEventBytes: number;
  /** Bytes of the line not yet ended, as they came: joined once, when it ends. */
  #rest: Buffer[] = [];
  #restBytes = 0;
  /** `data:` lines of the event not yet ended; null when none has come. */
  #data: string | null = null;
  #skipLf = false;
  #first = true;

  constructor(onData: (data: string) => void, maxEventBytes = 4 * 1024 * 1024, onComment: ((text: string) => void) | null = null) {
    this.#onData = onData;
    this.#onComment = onComment;
    this.#maxEventBytes = maxEventBytes;
  }

  push(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#skipLf && bytes.length > 0) {
      // The CR before was a line end of its own; this LF belongs to it.
      if (bytes[0] === LF) bytes = bytes.subarray(1);
      this.#skipLf = false;
    }
    // Nearly every read ends on a line end.
    const end = bytes[bytes.length - 1] === LF ? bytes.length : Math.max(bytes.lastIndexOf(LF), bytes.lastIndexOf(CR)) + 1;
    if (end === 0) {
      this.#keep(bytes);
      return;
    }
    if (bytes[end - 1] === CR && end === bytes.length) this.#skipLf = true;
    let whole = end === bytes.length ? bytes : bytes.subarray(0, end);
    if (this.#restBytes > 0) whole = Buffer.concat([...this.#takeRest(), whole]);
    if (end < bytes.length) this.#keep(bytes.subarray(end));
    this.#lines(this.#text(whole));
  }

  /** The bytes are over. What is left is delivered as if its line and event had ended. */
  end(): void {
    if (this.#restBytes > 0) this.#line(this.#text(Buffer.concat(this.#takeRest())));
    this.#line('');
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#restBytes += bytes.length;
    if (this.#restBytes > this.#maxEventBytes) throw new SseError(`an event is larger than ${this.#maxEventBytes} bytes`);
    // Not a view: a view would keep the whole network buffer alive for as long as the line is open.
    this.#rest.push(Buffer.from(bytes));
  }

  #takeRest(): Buffer[] {
    const rest = this.#rest;
    this.#rest = [];
    this.#restBytes = 0;
    return rest;
  }

  #text(bytes: Buffer): string {
    if (!isUtf8(bytes)) throw new SseError('the stream is not valid UTF-8');
    const text = bytes.toString('utf8');
    if (!this.#first) return text;
    this.#first = false;
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }

  /** `text` ends with a line end. */
  #lines(text: string): void {
    if (text.includes('\r')) {
      const lines = text.split(/\r\n|\r|\n/);
      lines.pop();
      for (const line of lines) this.#line(line);
      return;
    }
    let from = 0;
    while (from < text.length) {
      const to = text.indexOf('\n', from);
      if (to === from) this.#line('');
      else this.#line(text.slice(from, to));
      from = to + 1;
    }
  }

  #line(line: string): void {
    if (line === '') {
      this.#dispatch();
      return;
    }
    // A field name without a colon has an empty value.
    if (line.startsWith('data:') || line === 'data') {
      const value = line.slice(line.charCodeAt(5) === 32 ? 6 : 5);
      if (this.#data === null) this.#data = value;
      else {
        this.#data += `\n${value}`;
        if (this.#data.length > this.#maxEventBytes) throw new SseError(`an event is larger than ${this.#maxEventBytes} bytes`);
      }
      return;
    }
    if (line.charCodeAt(0) === 0x7b) this.#onData(line);
    else if (line.startsWith('id:')) this.#dispatch();
    else if (line.charCodeAt(0) === 0x3a) this.#onComment?.(line.slice(1));
  }

  #dispatch(): void {
    const data = this.#data;
    if (data === null) return;
    this.#data = null;
    this.#onData(data);
  }
}
