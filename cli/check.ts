import { loadCatalog } from '../catalog/catalog.ts';
import type { Config } from '../config/config.ts';
import { explainConfig } from '../config/explain.ts';
import { formatPath, type Problem } from '../config/problem.ts';
import { retirements, retirementText } from '../relay/routing/retirement.ts';
import { HORIZON_DAYS } from '../server/telemetry/retirement-watch.ts';
import { loadOrExplain } from './load.ts';

/** `estafet check FILE`: the problems on standard error and exit code 1; or what the file means, warnings included, on standard output. */
export function check(file: string): void {
  const loaded = loadOrExplain(file);
  if (loaded === null) process.exitCode = 1;
  else console.log(explainConfig(loaded.config, [...loaded.warnings, ...retirementWarnings(loaded.config, Date.now())]));
}

/** Candidates whose model their vendor switches off within the next months, or has. */
export function retirementWarnings(config: Config, nowMs: number): Problem[] {
  const found = retirements(config, loadCatalog().with(config.catalog), nowMs, HORIZON_DAYS);
  return found.map(({ alias, index, backend, model, forced, ...when }) => {
    const skipped = when.daysLeft > 0 ? '' : forced ? '; it is asked for all the same (force)' : '; it is skipped';
    const message = `${backend}/${model} ${retirementText(when)}${skipped}`;
    return { file: config.file, path: formatPath(['models', alias, index]), line: 0, column: 0, message };
  });
}
