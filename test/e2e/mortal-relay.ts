import { readFileSync } from 'node:fs';
import { parseConfig } from '../../config/load.ts';
import { startRelay } from '../../server/main.ts';
import { build } from '../../server/wiring.ts';
import { VENDORS } from '../../translators/registry.ts';

/**
 * A relay in a process of its own, to be killed: `node mortal-relay.ts FILE LEASE_MS`. Prints its address when it listens. What a dead
 * node had reserved comes back after the lease, which is a minute otherwise.
 */
const [file = '', lease = ''] = process.argv.slice(2);
const readFile = (path: string): Uint8Array => readFileSync(path);
const result = parseConfig(readFileSync(file, 'utf8'), { file, env: process.env, readFile, vendors: VENDORS });
if (!result.ok) throw new Error(JSON.stringify(result.problems));
const { url, stop } = await startRelay(result.config, build(result.config, { leaseMs: Number(lease), random: () => 0 }));
process.once('SIGTERM', () => void stop().then(() => process.exit(0)));
console.log(`listens on ${url}`);
