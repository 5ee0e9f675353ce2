import type { LedgerEvent } from '../../relay/ledger/ledger-store.ts';
import type { Logger } from './logger.ts';

/** What happens to the books, in the log. Lost lines are errors, and say where they can still be found. */
export function logBooks(logger: Logger, event: LedgerEvent): void {
  switch (event.type) {
    case 'store-down':
      logger.error(event, 'books: the database fails; requests are served on, and their lines wait in memory');
      break;
    case 'store-back':
      logger.warn(event, 'books: the database is back; the lines that waited are being written');
      break;
    case 'lines-dropped':
      logger.error(event, 'books: LINES LOST: more wait than books.queueMax allows; what they said is in the log lines "request"');
      break;
    case 'line-refused':
      logger.error(event, 'books: LINE LOST: the database refuses it; this is what it said');
      break;
    case 'lines-unwritten':
      logger.error(event, 'books: LINES LOST: they could not be written before the stop; what they said is in the log lines "request"');
      break;
    case 'prune-failed':
      logger.warn(event, 'books: lines older than books.retentionDays could not be deleted; tried again in an hour');
      break;
  }
}
