import type { Express } from 'express';
import type { Catalog } from '../catalog/catalog.ts';
import type { Config, Server } from '../config/config.ts';
import type { Books } from '../relay/ledger/books.ts';
import type { LedgerStore } from '../relay/ledger/ledger-store.ts';
import type { RequestRecord } from '../relay/records/request-record.ts';
import type { MetricsPage } from '../routes/ops/metrics.ts';
import type { Change } from './reload/change.ts';
import type { Logger } from './telemetry/logger.ts';
import type { MakeTracing } from './telemetry/tracing/open-tracing.ts';
import type { MetricValues } from './workers/calls.ts';
import type { Siblings } from './workers/siblings.ts';

/** Everything one process consists of. */
export interface Built {
  readonly app: Express;
  /** What a port of its own serves; null when there is none, or when it is not this process's. */
  readonly metrics: MetricsPage | null;
  readonly logger: Logger;
  readonly books: Books;
  /** Opens the books, then the store of limits, which may be gone. @throws LedgerFault when the database cannot be used */
  open(): Promise<void>;
  /** Of the configuration in force. */
  server(): Server;
  /**
   * Makes ready another configuration, whole, for requests that begin after its `commit`; those that run keep theirs. What needs a restart
   * stays. One of the two that come back must be called, soon: no key is read anew until then.
   * @throws Error when it cannot be used, the process is about to end, or the keys of the database cannot be read: nothing has changed then
   */
  prepare(config: Config): Promise<Prepared>;
  /** What this process has counted, for the sum of all workers; nothing when no metrics are kept. */
  counted(): Promise<MetricValues>;
  /** A receipt that this process keeps, as `RequestRecords.find`. */
  receipt(id: string, key: string): string | null;
  /** Counted and shown by the metrics. */
  reloaded(outcome: 'applied' | 'unchanged' | 'refused'): void;
  /** The process is to end: `/readyz` says so, no configuration is taken any more, and connections to vendors close as their calls end. */
  drain(): void;
  /** From now on new requests are refused. */
  refuse(): void;
  /** Ends the requests that still run: each gets `draining`, a stream that has begun as its last event. */
  cut(): void;
  /** Ends timers, threads and connections; running calls first when `graceful`. Lines that wait for the books are written. */
  close(graceful: boolean): Promise<void>;
}

/** A configuration that can be put in force whole, or be left. */
export interface Prepared {
  commit(): readonly Change[];
  abandon(): void;
}

export interface BuildOptions {
  readonly logger?: Logger;
  /** The other processes that share the port; absent when this one is alone. */
  readonly siblings?: Siblings;
  readonly catalog?: Catalog;
  readonly random?: () => number;
  /** Absent or null: no traces are kept. */
  readonly tracing?: MakeTracing | null;
  /** The calendar, ms since the epoch: which models their vendors have retired by now. */
  readonly now?: () => number;
  /** Where the books lie; from the configuration unless given. */
  readonly ledger?: LedgerStore;
  /** Instead of a minute: after so long what a dead node had reserved is settled; its nodes look three times as often. */
  readonly leaseMs?: number;
  /** Told of every settled request, after the log. */
  readonly onSettled?: (record: RequestRecord) => void;
}
