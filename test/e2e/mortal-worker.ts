import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runWorker } from '../../server/workers/worker.ts';

/** Of `mortal-cluster.ts`. It does not begin while the file `HOLD` is there. */
const { HOLD = '' } = process.env;
while (existsSync(HOLD)) await sleep(20);
runWorker({ leaseMs: Number(process.env['LEASE_MS']) });
