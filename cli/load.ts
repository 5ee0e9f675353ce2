import type { Config } from '../config/config.ts';
import { loadConfigFile } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { VENDORS } from '../translators/registry.ts';

/** A configuration file, or the reasons why not on standard error. `warnings` are printed there too. */
export function loadOrExplain(file: string): Config | null {
  const result = loadConfigFile(file, { env: process.env, vendors: VENDORS });
  if (!result.ok) {
    for (const problem of result.problems) console.error(formatProblem(problem));
    const count = result.problems.length;
    console.error(`${file}: ${count} ${count === 1 ? 'problem' : 'problems'}; nothing was started.`);
    return null;
  }
  for (const warning of result.warnings) console.error(`warning: ${formatProblem(warning)}`);
  return result.config;
}
