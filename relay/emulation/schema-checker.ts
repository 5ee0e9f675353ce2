import { Worker } from 'node:worker_threads';
import { OpenAIError } from '../../openai/errors.ts';
import type { SchemaCheck } from './json-guard.ts';
import type { CheckReply, CheckRequest } from './schema-worker.ts';

/** One check may run this long. */
const RUN_MS = 2_000;
/** And wait this long for its turn, or for the thread to start. */
const WAIT_MS = 20_000;
/** Larger schemas are not compiled; JSON characters. */
const MAX_SCHEMA = 256 * 1024;

interface Check {
  readonly request: CheckRequest;
  readonly resolve: (fault: string | null) => void;
  readonly reject: (error: OpenAIError) => void;
  timer: NodeJS.Timeout;
}

/**
 * Schema checks on a worker thread that is started at the first one. They run one after the other, so that each has its own time: one
 * that takes longer than two seconds fails alone, its thread is ended, and a new thread serves the next.
 */
export class SchemaChecker {
  #worker: Worker | null = null;
  #ready = false;
  #running: Check | null = null;
  readonly #waiting = new Map<number, Check>();
  #lastId = 0;

  readonly check: SchemaCheck = (schema, text) => {
    const json = JSON.stringify(schema);
    if (json.length > MAX_SCHEMA) return Promise.reject(unusable(`it is larger than ${MAX_SCHEMA} characters`));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        if (this.#waiting.delete(id)) resolve('there are too many answers to check');
      }, WAIT_MS);
      this.#waiting.set(id, { request: { id, schema: json, text }, resolve, reject, timer });
      this.#next();
    });
  };

  async close(): Promise<void> {
    for (const { timer, resolve } of this.#waiting.values()) {
      clearTimeout(timer);
      resolve('the relay is shutting down');
    }
    this.#waiting.clear();
    await this.#end('the relay is shutting down');
  }

  /** Starts the check whose turn it is, if the thread is free. */
  #next(): void {
    const [first] = this.#waiting.values();
    if (first === undefined || this.#running !== null) return;
    const worker = (this.#worker ??= this.#spawn());
    if (!this.#ready) return;
    this.#waiting.delete(first.request.id);
    clearTimeout(first.timer);
    this.#running = first;
    first.timer = setTimeout(() => void this.#end('the schema takes too long to check'), RUN_MS);
    worker.postMessage(first.request);
  }

  #spawn(): Worker {
    // The compiled tree has .js files, the source tree .ts ones.
    const file = import.meta.url.endsWith('.ts') ? './schema-worker.ts' : './schema-worker.js';
    const worker = new Worker(new URL(file, import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: 128 } });
    worker.unref();
    worker.on('message', (reply: CheckReply | 'ready') => {
      if (this.#worker !== worker) return;
      if (reply === 'ready') this.#ready = true;
      else this.#answer(reply.fault, reply.unusable);
      this.#next();
    });
    worker.on('error', (error: Error) => {
      if (this.#worker !== worker) return;
      // A thread that does not even start would be started without end: the check whose turn it is fails with it.
      const [first] = this.#waiting.values();
      if (this.#running === null && first !== undefined) {
        this.#waiting.delete(first.request.id);
        this.#running = first;
      }
      void this.#end(`the check failed (${error.message})`);
    });
    return worker;
  }

  #answer(fault: string | null, schemaFault = false): void {
    const running = this.#running;
    this.#running = null;
    if (running === null) return;
    clearTimeout(running.timer);
    if (schemaFault) running.reject(unusable(fault ?? ''));
    else running.resolve(fault);
  }

  /** Ends the thread; the check on it fails, the others go on with a new one. */
  async #end(fault: string): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    this.#ready = false;
    this.#answer(fault);
    this.#next();
    await worker?.terminate();
  }
}

/** No other answer can help: nothing is asked again. */
const unusable = (why: string): OpenAIError =>
  new OpenAIError('invalid_json_schema', `Invalid schema for response_format: ${why.slice(0, 300)}.`, {
    param: 'response_format',
    retry: false,
  });
