import type { KeyEvent } from '../key-watch.ts';
import type { Logger } from './logger.ts';

/** Whatever process looks, it sees the same; whether the database answers, each sees for itself. */
export const seenByAll = ({ type }: KeyEvent): boolean => type === 'row-refused' || type === 'keys-without-team';

/** What happens to the keys of the database, in the log. */
export function logKeys(logger: Logger, event: KeyEvent): void {
  switch (event.type) {
    case 'keys-loaded':
      logger.debug(event, 'keys: the keys and teams of the database are in force');
      break;
    case 'keys-without-team':
      logger.warn(event, 'keys: REFUSED: these keys of the database have a team that is neither in the file nor in the database');
      break;
    case 'row-refused':
      logger.error(
        event,
        event.why === 'defined_by_file'
          ? `keys: REFUSED: the file also defines a ${event.kind} of this name, and takes precedence; the ${event.kind} of the database has no effect`
          : `keys: REFUSED: this release cannot read the settings of this ${event.kind} of the database`,
      );
      break;
    case 'store-down':
      logger.error(event, 'keys: the database cannot be read; the last known keys stay in force');
      break;
    case 'store-back':
      logger.warn(event, 'keys: the database can be read again');
      break;
  }
}
