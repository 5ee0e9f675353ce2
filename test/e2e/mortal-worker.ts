import { runWorker } from '../../server/workers/worker.ts';

/** Of `mortal-cluster.ts`. */
runWorker({ leaseMs: Number(process.env['LEASE_MS']) });
