import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { generateConfigDocs } from './docs-config.ts';
import { generateErrorDocs } from './docs-errors.ts';
import { generateMetricsDocs } from './docs-metrics.ts';
import { generateScorecardDocs } from './docs-scorecard.ts';

/** Writes docs/generated/. With `--check` it writes nothing and fails when a file is not what it would write. */
const pages: Readonly<Record<string, string>> = {
  ...generateConfigDocs(),
  ...generateErrorDocs(),
  ...generateMetricsDocs(),
  ...(await generateScorecardDocs()),
};

let stale = 0;
for (const [path, text] of Object.entries(pages)) {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  if (process.argv.includes('--check')) {
    console.error(`${path} is not up to date: run npm run docs`);
    stale++;
  } else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    console.log(`wrote ${path}`);
  }
}
if (stale > 0) process.exitCode = 1;
