import { runWorker } from '../server/workers/worker.ts';

/** What `estafet serve` runs for each of its workers. */
runWorker();
