import { changeLine } from '../reload/change.ts';
import type { Reloaded } from '../reload/reloader.ts';
import type { Logger } from './logger.ts';

/** More than a log line should hold; `estafet check NEW --against OLD` shows all. */
const MOST_CHANGES = 200;

/** What a reload changed, or why it changed nothing, in the log at once. */
export function logReload(logger: Logger, reloaded: Reloaded): void {
  switch (reloaded.outcome) {
    case 'applied': {
      const { cause, changes, warnings } = reloaded;
      const shown = changes.slice(0, MOST_CHANGES).map(changeLine);
      logger.warn(
        { cause, changes: shown, more: changes.length - shown.length, warnings },
        'configuration: reloaded; the changes are in force',
      );
      break;
    }
    case 'unchanged':
      logger.info({ cause: reloaded.cause }, 'configuration: reloaded; nothing changed');
      break;
    case 'refused':
      logger.error(
        { cause: reloaded.cause, problems: reloaded.problems },
        'configuration: REFUSED as a whole; the previous one stays in force; correct the file',
      );
      break;
  }
  logger.flush();
}
