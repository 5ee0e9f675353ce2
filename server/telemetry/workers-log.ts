import type { WorkerEvent } from '../workers/supervisor.ts';
import type { Logger } from './logger.ts';

/** What happens to the workers, in the log at once; `worker` is the one it happened to. */
export function logWorker(logger: Logger, event: WorkerEvent): void {
  switch (event.type) {
    case 'worker-serves':
      logger.info(event, 'worker: serving');
      break;
    case 'worker-ended':
      logger.error(event, 'worker: ENDED unexpectedly; another one replaces it');
      break;
    case 'worker-not-started':
      logger.error(event, 'worker: could not start');
      break;
    case 'worker-behind':
      logger.error(event, 'worker: did not apply a reload; another one replaces it');
      break;
    case 'worker-stuck':
      logger.error(event, 'worker: did not end in time and is killed');
      break;
  }
  logger.flush();
}
