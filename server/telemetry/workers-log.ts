import type { WorkerEvent } from '../workers/supervisor.ts';
import type { Logger } from './logger.ts';

/** What happens to the workers, in the log at once; `worker` is the one it happened to. */
export function logWorker(logger: Logger, event: WorkerEvent): void {
  switch (event.type) {
    case 'worker-serves':
      logger.info(event, 'worker: it serves');
      break;
    case 'worker-ended':
      logger.error(event, 'worker: ENDED unasked; another takes its place');
      break;
    case 'worker-not-started':
      logger.error(event, 'worker: it could not start');
      break;
    case 'worker-behind':
      logger.error(event, 'worker: it did not follow a reload and is replaced');
      break;
    case 'worker-stuck':
      logger.error(event, 'worker: it does not end in time and is killed');
      break;
  }
  logger.flush();
}
