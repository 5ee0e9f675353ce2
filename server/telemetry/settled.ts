import type { Exchange } from '../../relay/exchange.ts';
import type { Books } from '../../relay/ledger/books.ts';
import type { RequestRecord } from '../../relay/records/request-record.ts';
import type { RequestRecords } from '../../relay/records/request-records.ts';
import { withoutPermits } from '../../relay/routing/decision.ts';
import { type Logger, logRequest } from './logger.ts';
import type { Metrics } from './metrics.ts';
import type { Tracing } from './tracing/tracing.ts';

/** All who are told how a request ended. */
export interface Settlers {
  readonly books: Books;
  readonly records: RequestRecords;
  readonly logger: Logger;
  readonly metrics: Metrics | undefined;
  readonly tracing: Tracing | null;
  readonly also: ((record: RequestRecord) => void) | undefined;
}

/** Tells them, once for each request, after its answer. */
export function tellSettled({ books, records, logger, metrics, tracing, also }: Settlers) {
  return (record: RequestRecord, exchange: Exchange): void => {
    // One text for all. What is owed comes first, whatever happens to the rest.
    const text = JSON.stringify(record);
    books.add(text);
    const decision = withoutPermits(record.decision);
    records.add(record, decision === record.decision ? text : JSON.stringify({ ...record, decision }), Date.now());
    logRequest(logger, record, text, exchange.trace);
    metrics?.settled(record);
    tracing?.settled(record, exchange);
    also?.(record);
  };
}

/** A probe is nobody's request: it is paid for and logged, and has no trace and no receipt. */
export function tellProbed({ books, logger, metrics }: Pick<Settlers, 'books' | 'logger' | 'metrics'>) {
  return (record: RequestRecord): void => {
    const text = JSON.stringify(record);
    books.add(text);
    logRequest(logger, record, text, null);
    metrics?.probed(record);
  };
}
