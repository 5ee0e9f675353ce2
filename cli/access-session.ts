import type { Config } from '../config/config.ts';
import type { Problem } from '../config/problem.ts';
import { storedSettings } from '../config/stored-access.ts';
import { AccessRefusal } from '../relay/keys/access-store.ts';
import { LedgerFault } from '../relay/ledger/ledger-store.ts';
import { AccessDesk, SettingsRefusal } from '../server/access/access-desk.ts';
import { type Directory, directory } from '../server/access/access-view.ts';
import { accessStore, accessView } from '../server/database/open-access.ts';
import { VENDORS } from '../translators/registry.ts';
import { optionProblem } from './access-options.ts';
import { loadOrExplain } from './load.ts';

export const SETTINGS = storedSettings(VENDORS);

/** Runs a change of keys or teams. What is refused, or cannot be done, is one line on standard error and exit code 1. */
export function changing(file: string, work: (desk: AccessDesk, config: Config) => Promise<void>): Promise<void> {
  return session(file, async (config) => {
    const store = accessStore(config.database);
    try {
      await store.open();
      await work(new AccessDesk(store, config, VENDORS), config);
    } finally {
      await store.close();
    }
  });
}

/** Reads what the file and the database have, and changes nothing. */
export function showing(file: string, work: (directory: Directory) => void): Promise<void> {
  return session(file, async (config) => {
    const reader = accessView(config.database);
    try {
      await reader?.open();
      work(await directory(config, SETTINGS, reader, Date.now()));
    } finally {
      await reader?.close();
    }
  });
}

export function warnOf(warnings: readonly Problem[]): void {
  for (const warning of warnings) console.error(`warning: ${optionProblem(warning)}`);
}

async function session(file: string, work: (config: Config) => Promise<void>): Promise<void> {
  const loaded = loadOrExplain(file);
  if (loaded === null) {
    process.exitCode = 1;
    return;
  }
  try {
    await work(loaded.config);
  } catch (error) {
    if (!(error instanceof LedgerFault || error instanceof AccessRefusal)) throw error;
    console.error(`estafet: ${error instanceof SettingsRefusal ? error.problems.map(optionProblem).join('; ') : error.message}`);
    process.exitCode = 1;
  }
}
