import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';

/**
 * Runs every test and ends with one line, `N passed, N failed`. Exit code 0 only when tests ran and all of them passed. Arguments go to vitest.
 */
const RESULTS = '.test-results.json';

interface Results {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
  readonly numPendingTests: number;
}

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
const skipped = results?.numPendingTests ?? 0;
// A suite that could not be loaded has run no test: it counts as one failure, and so does a runner that fails without saying where.
const failed =
  results === null
    ? 1
    : results.numFailedTests || (results.numFailedTestSuites > 0 || run.status !== 0 ? Math.max(1, results.numFailedTestSuites) : 0);
if (skipped > 0) console.log(`${skipped} skipped`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 || skipped > 0 ? 1 : 0;
