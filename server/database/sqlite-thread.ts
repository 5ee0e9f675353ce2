import { Worker } from 'node:worker_threads';
import type { AccessReader, StoredKey, StoredTeam } from '../../relay/keys/access-store.ts';
import type { LedgerEntry, LedgerLine } from '../../relay/ledger/ledger-entry.ts';
import { LedgerFault, type LedgerStore } from '../../relay/ledger/ledger-store.ts';
import type { SpentQuery, SpentRow, UsageQuery, UsageRow } from '../../relay/ledger/usage.ts';
import type { SqliteOptions } from './sqlite.ts';
import type { ThreadCall, ThreadReply } from './sqlite-worker.ts';

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: LedgerFault) => void;
}

/**
 * SQLite on a thread of its own, since node:sqlite blocks the one it runs on. A thread that dies fails the calls it held; the next call
 * starts a new one, on the same file.
 */
export class SqliteThread implements LedgerStore, AccessReader {
  readonly #options: SqliteOptions;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #lastId = 0;

  constructor(options: SqliteOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    await this.#call({ call: 'open' });
  }

  async write(lines: readonly LedgerLine[]): Promise<number> {
    const texts = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
    return (await this.#call({ call: 'write', json: `[${texts.join(',')}]` })) as number;
  }

  async usage(query: UsageQuery): Promise<UsageRow[]> {
    return (await this.#call({ call: 'usage', query })) as UsageRow[];
  }

  async spent(query: SpentQuery): Promise<SpentRow[]> {
    return (await this.#call({ call: 'spent', query })) as SpentRow[];
  }

  async truths(ids: readonly string[]): Promise<LedgerEntry[]> {
    return (await this.#call({ call: 'truths', ids })) as LedgerEntry[];
  }

  async prune(beforeMs: number, most: number): Promise<number> {
    return (await this.#call({ call: 'prune', beforeMs, most })) as number;
  }

  async revision(): Promise<number> {
    return (await this.#call({ call: 'revision' })) as number;
  }

  async teamsAfter(revision: number, most: number): Promise<StoredTeam[]> {
    return (await this.#call({ call: 'teamsAfter', revision, most })) as StoredTeam[];
  }

  async keysAfter(revision: number, most: number): Promise<StoredKey[]> {
    return (await this.#call({ call: 'keysAfter', revision, most })) as StoredKey[];
  }

  /** Resolves when the file is closed. The thread's own end takes longer, and nobody has to wait for it. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    await this.#call({ call: 'close' });
    void worker.terminate();
  }

  #call(call: ThreadCall): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#thread().postMessage({ ...call, id });
    });
  }

  #thread(): Worker {
    if (this.#worker !== null) return this.#worker;
    // The compiled tree has .js files, the source tree .ts ones.
    const file = import.meta.url.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.js';
    const worker = new Worker(new URL(file, import.meta.url), { workerData: this.#options });
    this.#worker = worker;
    worker.on('message', (reply: ThreadReply) => this.#answered(reply));
    worker.on('error', (error: unknown) => this.#died(worker, error instanceof Error ? error.message : String(error)));
    worker.on('exit', () => this.#died(worker, 'its thread ended'));
    return worker;
  }

  #answered(reply: ThreadReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('fault' in reply) waiting?.reject(new LedgerFault(reply.fault, { permanent: reply.permanent }));
    else waiting?.resolve(reply.value);
  }

  #died(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    const fault = new LedgerFault(`the database ${this.#options.path}: ${why}`);
    for (const { reject } of this.#waiting.values()) reject(fault);
    this.#waiting.clear();
  }
}
