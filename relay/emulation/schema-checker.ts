import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { OpenAIError } from '../../openai/errors.ts';
import { CheckTurns, type Turn } from './check-turns.ts';
import type { CheckReply, CheckRequest } from './schema-worker.ts';
import { SlowSchemas } from './slow-schemas.ts';

/** One check may run this long; an ordinary one takes less than a millisecond. */
const RUN_MS = 500;
/** And making a schema ready for its checks this long, once per thread. */
const COMPILE_MS = 2_000;
/** And wait this long for its turn, or for the thread to start. */
const WAIT_MS = 20_000;
/** Larger schemas are not compiled; JSON characters. */
const MAX_SCHEMA = 256 * 1024;

interface Check extends Turn {
  readonly request: CheckRequest;
  readonly resolve: (fault: string | null) => void;
  readonly reject: (error: unknown) => void;
  timer: NodeJS.Timeout;
}

/**
 * Schema checks on a worker thread that is started at the first one. They run one after the other, so that each has its own time. One that
 * takes longer is the fault of its schema: the thread is ended, the schema is refused at once for a while, and a new thread serves the
 * next. Turns are fair between callers, then between schemas, so that nobody waits for more than one slow check of each other caller.
 *
 * Rejects with `invalid_json_schema` when the schema cannot be used, with `draining` (503) when the relay could not check, and with
 * any other error when the thread is broken. An answer is blamed only for what was found in it.
 */
export class SchemaChecker {
  #worker: Worker | null = null;
  #ready = false;
  #running: Check | null = null;
  #lastId = 0;
  readonly #waiting = new CheckTurns<Check>();
  readonly #slow: SlowSchemas;
  readonly #waitMs: number;

  /** @param options.clock milliseconds, never going back; @param options.waitMs longest wait for a turn */
  constructor(options: { readonly clock?: () => number; readonly waitMs?: number } = {}) {
    this.#slow = new SlowSchemas(options.clock ?? (() => performance.now()));
    this.#waitMs = options.waitMs ?? WAIT_MS;
  }

  /** @param owner whose turn it takes; a key's name */
  readonly check = (value: Readonly<Record<string, unknown>>, text: string, owner = ''): Promise<string | null> => {
    const json = JSON.stringify(value);
    if (json.length > MAX_SCHEMA) return Promise.reject(unusable(`it is larger than ${MAX_SCHEMA} characters`));
    const schema = createHash('sha256').update(json).digest('base64url');
    const why = this.#slow.why(schema);
    if (why !== null) return Promise.reject(unusable(why));
    const request = { id: ++this.#lastId, schema: json, text };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        if (this.#waiting.remove(check)) reject(unchecked('too many answers wait to be checked'));
      }, this.#waitMs);
      const check: Check = { owner, schema, request, resolve, reject, timer };
      this.#waiting.add(check);
      this.#next();
    });
  };

  async close(): Promise<void> {
    const closing = unchecked('it is shutting down');
    for (const check of this.#waiting.clear()) fail(check, closing);
    await this.#end(closing);
  }

  /** Starts the check whose turn it is, if the thread is free. */
  #next(): void {
    if (this.#waiting.empty || this.#running !== null) return;
    const worker = (this.#worker ??= this.#spawn());
    if (!this.#ready) return;
    const check = this.#waiting.take();
    if (check === null) return;
    this.#running = check;
    this.#limit(check, COMPILE_MS, 'it takes too long to prepare');
    worker.postMessage(check.request);
  }

  /** Ends the check after this time. After a stall of this event loop the reply may lie there unread: it is read first. */
  #limit(check: Check, ms: number, why: string): void {
    clearTimeout(check.timer);
    const timer = setTimeout(() => {
      setImmediate(() => {
        if (this.#running === check && check.timer === timer) this.#blame(check, why);
      });
    }, ms);
    check.timer = timer;
  }

  /** The thread ends, and with it all that wait for the same schema. */
  #blame(check: Check, why: string): void {
    this.#slow.add(check.schema, why);
    const error = unusable(why);
    for (const same of this.#waiting.removeSchema(check.schema)) fail(same, error);
    void this.#end(error);
  }

  #spawn(): Worker {
    // The compiled tree has .js files, the source tree .ts ones.
    const file = import.meta.url.endsWith('.ts') ? './schema-worker.ts' : './schema-worker.js';
    const worker = new Worker(new URL(file, import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: 128 } });
    worker.unref();
    worker.on('message', (reply: CheckReply | 'ready' | 'compiled') => {
      if (this.#worker !== worker) return;
      if (reply === 'compiled') {
        if (this.#running !== null) this.#limit(this.#running, RUN_MS, 'an answer takes too long to check against it');
        return;
      }
      if (reply === 'ready') this.#ready = true;
      else this.#answer(reply);
      this.#next();
    });
    worker.on('error', (error: Error) => {
      if (this.#worker !== worker) return;
      if (this.#running !== null && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
        this.#blame(this.#running, 'an answer takes too much memory to check against it');
        return;
      }
      // A thread that does not even start would be started without end: the check whose turn it is fails with it.
      this.#running ??= this.#waiting.take();
      void this.#end(new Error('the thread that checks schemas failed', { cause: error }));
    });
    return worker;
  }

  #answer({ fault, unusable: schemaFault }: CheckReply): void {
    const running = this.#running;
    this.#running = null;
    if (running === null) return;
    clearTimeout(running.timer);
    if (schemaFault) running.reject(unusable(fault ?? ''));
    else running.resolve(fault);
  }

  /** Ends the thread; the check on it fails, the others go on with a new one. */
  async #end(error: unknown): Promise<void> {
    const worker = this.#worker;
    const running = this.#running;
    this.#worker = null;
    this.#running = null;
    this.#ready = false;
    if (running !== null) fail(running, error);
    this.#next();
    await worker?.terminate();
  }
}

function fail({ timer, reject }: Check, error: unknown): void {
  clearTimeout(timer);
  reject(error);
}

/** No other answer can help: nothing is asked again. */
const unusable = (why: string): OpenAIError =>
  new OpenAIError('invalid_json_schema', `Invalid schema for response_format: ${why.slice(0, 300)}.`, {
    param: 'response_format',
    retry: false,
  });

/** Neither the answer's fault nor the schema's; the answer has been paid for. */
const unchecked = (why: string): OpenAIError =>
  new OpenAIError('draining', `The relay could not check the answer against the schema: ${why}.`, { retry: false });
