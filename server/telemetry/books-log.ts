import type { LedgerEvent } from '../../relay/ledger/ledger-store.ts';
import type { Logger } from './logger.ts';

/** What happens to the books, in the log. Lost lines are errors, and say where they can still be found. */
export function logBooks(logger: Logger, event: LedgerEvent): void {
  switch (event.type) {
    case 'store-down':
      logger.error(event, 'books: the database fails; requests are served, and their lines wait in memory');
      break;
    case 'store-back':
      logger.warn(event, 'books: the database is back; the waiting lines are being written');
      break;
    case 'lines-dropped':
      logger.error(event, 'books: LINES LOST: more were waiting than books.queueMax allows; the log lines "request" have their content');
      break;
    case 'line-refused':
      logger.error(event, 'books: LINE LOST: the database refuses it; its content is in this line');
      break;
    case 'lines-unwritten':
      logger.error(
        event,
        'books: LINES LOST: they could not be written within books.flushTimeoutMs of the stop; the log lines "request" have their content',
      );
      break;
    case 'prune-failed':
      logger.warn(event, 'books: lines older than books.retentionDays could not be deleted; the next try is in an hour');
      break;
  }
}
