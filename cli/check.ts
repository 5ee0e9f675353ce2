import { explainConfig } from '../config/explain.ts';
import { loadOrExplain } from './load.ts';

/** `estafet check FILE`: the problems on standard error and exit code 1; or what the file means, warnings included, on standard output. */
export function check(file: string): void {
  const loaded = loadOrExplain(file);
  if (loaded === null) process.exitCode = 1;
  else console.log(explainConfig(loaded.config, loaded.warnings));
}
