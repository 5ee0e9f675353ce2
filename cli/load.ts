import { readFileSync } from 'node:fs';
import { loadCatalog } from '../catalog/catalog.ts';
import type { Config } from '../config/config.ts';
import { type ConfigResult, loadConfigFile } from '../config/load.ts';
import { formatProblem, type Problem } from '../config/problem.ts';
import type { Vendors } from '../config/vendors.ts';
import { isChatModel } from '../relay/routing/chat-models.ts';
import { servesModel } from '../relay/routing/route-table.ts';
import { VENDORS } from '../translators/registry.ts';

export interface Loaded {
  readonly config: Config;
  readonly warnings: readonly Problem[];
}

/**
 * Reads and checks a configuration file.
 * @param read is told every file that is read, the secret files too
 * @param vendors what is known of them; another table serves tests
 */
export function load(file: string, read: (path: string) => void = () => {}, vendors: Vendors = VENDORS): ConfigResult {
  const catalog = loadCatalog();
  const serves = (vendor: string, model: string): boolean => servesModel(catalog, vendor, model);
  const chats = (vendor: string, model: string): boolean => isChatModel(catalog, vendor, model);
  const readFile = (path: string): Uint8Array => {
    read(path);
    return readFileSync(path);
  };
  return loadConfigFile(file, { env: process.env, vendors, serves, chats, readFile });
}

/** A configuration file; or null, and the reasons why not on standard error. */
export function loadOrExplain(file: string, read?: (path: string) => void, vendors?: Vendors): Loaded | null {
  const result = load(file, read, vendors);
  if (result.ok) return result;
  for (const problem of result.problems) console.error(formatProblem(problem));
  const count = result.problems.length;
  console.error(`${file}: ${count} ${count === 1 ? 'problem' : 'problems'}.`);
  return null;
}

/** The warnings of a file, on standard error. */
export function warn(warnings: readonly Problem[]): void {
  for (const warning of warnings) console.error(`warning: ${formatProblem(warning)}`);
}
