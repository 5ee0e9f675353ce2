import type { Redact } from '../../relay/chat/redaction.ts';
import type { Said } from '../../relay/chat/transcript.ts';
import type { Exchange } from '../../relay/exchange.ts';
import type { Books } from '../../relay/ledger/books.ts';
import type { RequestRecord } from '../../relay/records/request-record.ts';
import type { RequestRecords } from '../../relay/records/request-records.ts';
import { withoutPermits } from '../../relay/routing/decision.ts';
import { type Logger, logRequest } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { promptFields } from './prompt-log.ts';
import type { Tracing } from './tracing/tracing.ts';

/** All who are told how a request ended. */
export interface Settlers {
  readonly books: Books;
  readonly records: RequestRecords;
  readonly logger: Logger;
  /** Takes the keys of all backends out of a text. */
  readonly redact: Redact;
  readonly metrics: Metrics | undefined;
  readonly tracing: Tracing | null;
  readonly also: ((record: RequestRecord) => void) | undefined;
}

/** Tells them, once for each request, after its answer. */
export function tellSettled({ books, records, logger, redact, metrics, tracing, also }: Settlers) {
  return (record: RequestRecord, exchange: Exchange, said: Said | null): void => {
    // One text for all. What is owed comes first, whatever happens to the rest.
    const text = JSON.stringify(record);
    books.add(text);
    const decision = withoutPermits(record.decision);
    records.add(record, decision === record.decision ? text : JSON.stringify({ ...record, decision }), Date.now());
    logRequest(logger, record, text, moreOf(exchange, said, redact));
    metrics?.settled(record);
    tracing?.settled(record, exchange);
    also?.(record);
  };
}

/** What only the log line has: the trace, and for a team that has asked for it the prompt and the answer. */
function moreOf({ trace, caller, request }: Exchange, said: Said | null, redact: Redact): string {
  const traceId = trace === null ? '' : `,"traceId":"${trace.traceId}"`;
  if (caller.team.logPrompts !== true) return traceId;
  return traceId + promptFields(request as Readonly<Record<string, unknown>>, said, redact);
}

/** A probe is nobody's request: it is paid for and logged, and has no trace and no receipt. */
export function tellProbed({ books, logger, metrics }: Pick<Settlers, 'books' | 'logger' | 'metrics'>) {
  return (record: RequestRecord): void => {
    const text = JSON.stringify(record);
    books.add(text);
    logRequest(logger, record, text);
    metrics?.probed(record);
  };
}
