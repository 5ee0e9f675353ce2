import { Pool } from 'undici';
import { WrongAnswer } from './answer-check.ts';
import { CALLER_KEY } from './load.ts';
import { StreamCheck, type StreamPattern } from './stream-check.ts';

const PATH = '/v1/chat/completions';
const HEADERS = ['authorization', `Bearer ${CALLER_KEY}`, 'content-type', 'application/json'];
/** From the request to the first byte; opening thousands at once takes its time where others use the machine. */
const OPEN_MS = 300_000;

/** A stream that one caller reads. */
export interface ReadStream {
  /** First bytes have come. @throws Error when it was not answered with 200, or broke before */
  readonly opened: Promise<void>;
  /** How it ended: whole, or what was wrong with it. */
  readonly ended: Promise<null | string>;
  readonly check: StreamCheck;
}

/** Callers with a connection each, who read streams and check every byte. */
export class StreamCallers {
  readonly #pool: Pool;
  readonly #pattern: StreamPattern;

  constructor(origin: string, pattern: StreamPattern, connections: number) {
    this.#pattern = pattern;
    this.#pool = new Pool(origin, { connections, headersTimeout: OPEN_MS, bodyTimeout: 0, keepAliveTimeout: 60_000 });
  }

  /** @param headers beside the usual ones, as name, value, name, value */
  open(body: string, onEnd: () => void = () => {}): ReadStream {
    const check = new StreamCheck(this.#pattern);
    const opened = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<null | string>();
    // Whoever waits for the end only has its word.
    opened.promise.catch(() => {});
    const end = (fault: string | null): void => {
      onEnd();
      if (fault !== null) opened.reject(new Error(fault));
      ended.resolve(fault);
    };
    this.#pool.dispatch(
      { path: PATH, method: 'POST', headers: HEADERS, body },
      {
        onRequestStart() {},
        onResponseStart: (_controller, status) => {
          if (status !== 200) throw new WrongAnswer(`status ${status}`);
        },
        onResponseData: (_controller, part) => {
          check.take(part);
          opened.resolve();
        },
        onResponseEnd: () => end(check.whole ? null : `cut after ${check.seen} events`),
        onResponseError: (_controller, error) => end(error.message),
      },
    );
    return { opened: opened.promise, ended: ended.promise, check };
  }

  /** All callers go at once, without a word. */
  vanish(): Promise<void> {
    return this.#pool.destroy();
  }
}
