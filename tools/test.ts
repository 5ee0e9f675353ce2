import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { prepareServices } from './test-services.ts';

/**
 * Runs every test and ends with one line, `N passed, N failed`. Exit code 0 only when tests ran, all of them passed and none was skipped.
 * Arguments go to vitest. With `CI=true` nothing may be missing.
 */
const RESULTS = '.test-results.json';

interface Results {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
  readonly numPendingTests: number;
}

const ci = process.env['CI'] === 'true';
const missing = prepareServices(ci);
rmSync(RESULTS, { force: true });
const run = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${RESULTS}`,
    ...process.argv.slice(2),
  ],
  { stdio: ['ignore', 'inherit', 'inherit'] },
);
const results = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as Results) : null;
const passed = results?.numPassedTests ?? 0;
// A skipped test is a test that nobody runs: it counts as failed. So does each suite that could not be loaded, a runner that fails without
// saying where, and on CI each program that is missing.
const skipped = results?.numPendingTests ?? 0;
const broken = results === null ? 1 : results.numFailedTests || results.numFailedTestSuites || (run.status === 0 ? 0 : 1);
const failed = broken + skipped + (ci ? missing.length : 0);
if (skipped > 0) console.log(`${skipped} skipped`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
