import { readFileSync } from 'node:fs';
import { parseConfig } from '../../config/load.ts';
import { startWorkers } from '../../server/workers/primary.ts';
import { VENDORS } from '../../translators/registry.ts';

/**
 * Two workers, as `estafet serve` starts them, whose leases are short: `LEASE_MS=1000 node mortal-cluster.ts FILE`. Prints its address when
 * it listens.
 */
const [file = ''] = process.argv.slice(2);
const readFile = (path: string): Uint8Array => readFileSync(path);
const result = parseConfig(readFileSync(file, 'utf8'), { file, env: process.env, readFile, vendors: VENDORS });
if (!result.ok) throw new Error(JSON.stringify(result.problems));
const serving = await startWorkers(result.config, { count: 2, script: new URL('./mortal-worker.ts', import.meta.url) });
process.once('SIGTERM', () => void serving.stop().then((clean) => process.exit(clean ? 0 : 1)));
console.log(`listens on ${serving.url}`);
console.log(`Metrics are at ${serving.metricsUrl}.`);
