import { Worker } from 'node:worker_threads';
import type { SchemaCheck } from './json-guard.ts';
import type { CheckReply, CheckRequest } from './schema-worker.ts';

const TIMEOUT_MS = 2_000;
/** Larger schemas are not compiled; JSON characters. */
const MAX_SCHEMA = 256 * 1024;

interface Waiting {
  readonly resolve: (fault: string | null) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Schema checks on a worker thread that is started at the first one. A check that takes longer than two seconds ends the
 * thread; the checks it held fail too, and a new thread serves the next.
 */
export class SchemaChecker {
  #worker: Worker | null = null;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  readonly check: SchemaCheck = (schema, text) => {
    const json = JSON.stringify(schema);
    if (json.length > MAX_SCHEMA) return Promise.resolve(`the schema is larger than ${MAX_SCHEMA} characters`);
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#restart('the schema takes too long to check'), TIMEOUT_MS);
      this.#waiting.set(id, { resolve, timer });
      this.#thread().postMessage({ id, schema: json, text } satisfies CheckRequest);
    });
  };

  async close(): Promise<void> {
    await this.#restart('the relay is shutting down');
  }

  #thread(): Worker {
    if (this.#worker !== null) return this.#worker;
    // The compiled tree has .js files, the source tree .ts ones.
    const file = import.meta.url.endsWith('.ts') ? './schema-worker.ts' : './schema-worker.js';
    const worker = new Worker(new URL(file, import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: 128 } });
    worker.unref();
    worker.on('message', ({ id, fault }: CheckReply) => this.#answer(id, fault));
    worker.on('error', (error: Error) => {
      if (this.#worker === worker) void this.#restart(`the check failed (${error.message})`);
    });
    this.#worker = worker;
    return worker;
  }

  #answer(id: number, fault: string | null): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    waiting.resolve(fault);
  }

  async #restart(fault: string): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    for (const id of [...this.#waiting.keys()]) this.#answer(id, fault);
    await worker?.terminate();
  }
}
