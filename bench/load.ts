import { type Dispatcher, Pool } from 'undici';
import type { Answer, AnswerCheck } from './answer-check.ts';

/** The key that callers send; the relay's file holds its digest, the bare proxies do not look. */
export const CALLER_KEY = 'bench-caller-key-0123456789abcdef';

const PATH = '/v1/chat/completions';
const HEADERS = ['authorization', `Bearer ${CALLER_KEY}`, 'content-type', 'application/json'];
/** A target that hangs ends the bench instead of hanging it, in ms. */
const PATIENCE_MS = 30_000;

/** Callers of one target: a fixed number of connections, each with one request at a time. */
export class Callers {
  readonly #pool: Pool;
  readonly #connections: number;

  constructor(origin: string, connections: number) {
    this.#connections = connections;
    this.#pool = new Pool(origin, { connections, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
  }

  /** Asks on all connections, again and again, until `more` says no; resolves when the last answer is in. Returns how many there were. */
  async run(body: string, check: AnswerCheck, more: (asked: number) => boolean): Promise<number> {
    let asked = 0;
    const caller = async (): Promise<void> => {
      while (more(asked)) {
        asked++;
        check.check(await this.#ask(body));
      }
    };
    await Promise.all(Array.from({ length: this.#connections }, caller));
    return asked;
  }

  /**
   * Asks so many times a second for so long, whatever the target needs for it: a target that is asked as fast as it can answer saves on
   * everything that goes in batches, and the faster one saves more. Returns how long each answer took, in ms, a wait for a connection
   * included.
   */
  async paced(body: string, check: AnswerCheck, rate: number, ms: number): Promise<number[]> {
    const latencies: number[] = [];
    const timed = async (): Promise<void> => {
      const askedAt = performance.now();
      const answer = await this.#ask(body);
      latencies.push(performance.now() - askedAt);
      check.check(answer);
    };
    const total = Math.floor((rate * ms) / 1000);
    const begun = performance.now();
    const answers: Promise<void>[] = [];
    while (answers.length < total) {
      const due = Math.min(total, Math.floor(((performance.now() - begun) * rate) / 1000));
      while (answers.length < due) answers.push(timed());
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(answers);
    return latencies;
  }

  #ask(body: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#pool.dispatch({ path: PATH, method: 'POST', headers: HEADERS, body }, new Gathered(resolve, reject));
    });
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}

class Gathered implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: Error) => void;
  readonly #parts: Buffer[] = [];
  #status = 0;
  #contentType = '';

  constructor(resolve: (answer: Answer) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onRequestStart(): void {}

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#status = status;
    this.#contentType = String(headers['content-type'] ?? '');
  }

  onResponseData(_controller: Dispatcher.DispatchController, part: Buffer): void {
    this.#parts.push(part);
  }

  onResponseEnd(): void {
    this.#resolve({ status: this.#status, contentType: this.#contentType, body: Buffer.concat(this.#parts) });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error);
  }
}

/** Streams that stand open and say nothing. */
export interface HeldStreams {
  /** How many were answered with status 200 and brought their first bytes. */
  readonly open: number;
  /** Why one of the others did not; null when all did. */
  readonly failure: string | null;
  /** All callers go at once, without a word. */
  vanish(): Promise<void>;
}

/** Opens `count` streams and waits until each has brought something, or has failed. */
export async function holdStreams(origin: string, body: string, count: number): Promise<HeldStreams> {
  const pool = new Pool(origin, { connections: count, headersTimeout: PATIENCE_MS, bodyTimeout: 0 });
  const failures = await Promise.all(Array.from({ length: count }, () => held(pool, body)));
  const failed = failures.filter((failure) => failure !== null);
  return { open: count - failed.length, failure: failed[0] ?? null, vanish: () => pool.destroy() };
}

/** Null once the stream stands, else why it does not. */
function held(pool: Pool, body: string): Promise<string | null> {
  return new Promise((resolve) => {
    pool.dispatch(
      { path: PATH, method: 'POST', headers: HEADERS, body },
      {
        onRequestStart() {},
        onResponseStart: (_controller, status) => {
          if (status !== 200) resolve(`status ${status}`);
        },
        onResponseData: () => resolve(null),
        onResponseEnd: () => resolve('ended without a byte'),
        onResponseError: (_controller, error) => resolve(error.message),
      },
    );
  });
}
