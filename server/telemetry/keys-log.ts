import type { KeyEvent } from '../key-watch.ts';
import type { Logger } from './logger.ts';

/** Whatever process looks, it sees the same; whether the database answers, each sees for itself. */
export const seenByAll = ({ type }: KeyEvent): boolean => type === 'row-refused' || type === 'keys-without-team';

/** What happens to the keys of the database, in the log. */
export function logKeys(logger: Logger, event: KeyEvent): void {
  switch (event.type) {
    case 'keys-loaded':
      logger.debug(event, 'keys: what the database says is in force');
      break;
    case 'keys-without-team':
      logger.warn(event, 'keys: REFUSED: keys of the database whose team is neither in the file nor in the database');
      break;
    case 'row-refused':
      logger.error(
        event,
        event.why === 'defined_by_file'
          ? `keys: REFUSED: the file defines a ${event.kind} of this name too, and wins; the ${event.kind} of the database gives nothing`
          : `keys: REFUSED: this ${event.kind} of the database is not understood by this release`,
      );
      break;
    case 'store-down':
      logger.error(event, 'keys: the database cannot be read; the last known keys stay in force');
      break;
    case 'store-back':
      logger.warn(event, 'keys: the database is read again');
      break;
  }
}
