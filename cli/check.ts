import { loadCatalog } from '../catalog/catalog.ts';
import type { Config } from '../config/config.ts';
import { explainConfig } from '../config/explain.ts';
import { RouteTable } from '../relay/routing/route-table.ts';
import { openCountries } from '../server/countries.ts';
import { changeLine, type Routed } from '../server/reload/change.ts';
import { configChanges } from '../server/reload/config-changes.ts';
import { withoutRestart } from '../server/reload/fixed-settings.ts';
import { translatorFor, VENDORS, vectorsFor } from '../translators/registry.ts';
import { catalogWarnings } from './catalog-warnings.ts';
import { liveCheck } from './live-check.ts';
import { liveText } from './live-text.ts';
import { loadOrExplain } from './load.ts';
import { againstRunning, type Compared, isAddress, NotCompared } from './running-config.ts';

export interface CheckOptions {
  /** A second file, or the address of a running relay: what changes from it to the checked file is shown too. */
  readonly against?: string;
  /** The backends are asked too. */
  readonly live?: boolean;
  /** With `live`: only this one, or several with commas. */
  readonly backend?: string;
  /** With `live`: a token of a model, even where a list of models would do. */
  readonly chat?: boolean;
  /** With `live`: only what the backends answered, as JSON. */
  readonly json?: boolean;
}

/**
 * `estafet check FILE`: the problems on standard error and exit code 1; or what the file means, warnings included, on standard output.
 * With `live` the exit code is 1 as well when a backend does not answer one of its keys.
 */
export async function check(file: string, options: CheckOptions = {}, vendors = VENDORS): Promise<void> {
  const { against, live = false, json = false } = options;
  const loaded = loadOrExplain(file, undefined, vendors);
  const compared = loaded === null || against === undefined ? null : await comparison(loaded.config, against, vendors);
  if (loaded === null || (against !== undefined && compared === null)) {
    process.exitCode = 1;
    return;
  }
  const fault = tableFault(loaded.config);
  if (fault !== null) {
    console.error(`${file}: ${fault}`);
    process.exitCode = 1;
    return;
  }
  if (!json) {
    const warnings = [...loaded.warnings, ...catalogWarnings(loaded.config, Date.now())];
    console.log(explainConfig(loaded.config, warnings));
    if (compared !== null) console.log(differenceText(compared, against ?? ''));
  }
  if (live) await askBackends(loaded.config, options, vendors);
}

/** Why the table of countries cannot be used; null where it can, or there is none. */
function tableFault({ server }: Config): string | null {
  try {
    openCountries(server);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function askBackends(config: Config, { backend, chat = false, json = false }: CheckOptions, vendors: typeof VENDORS): Promise<void> {
  const backends = backend?.split(',');
  const unknown = backends?.find((name) => !Object.hasOwn(config.backends, name));
  if (unknown !== undefined) {
    console.error(`estafet: there is no backend ${JSON.stringify(unknown)}; the file has: ${Object.keys(config.backends).join(', ')}`);
    process.exitCode = 1;
    return;
  }
  const results = await liveCheck(config, vendors, { chat, ...(backends === undefined ? {} : { backends }) });
  const ok = results.every(({ keys }) => keys.every(({ verdict }) => verdict === 'works'));
  if (!ok) process.exitCode = 1;
  process.stdout.write(json ? `${JSON.stringify({ ok, backends: results }, null, 2)}\n` : liveText(results));
}

/** With the problems of the other side, or why it could not be had, on standard error: null then. */
async function comparison(next: Config, against: string, vendors: typeof VENDORS): Promise<Compared | null> {
  if (!isAddress(against)) {
    const old = loadOrExplain(against, undefined, vendors);
    return old && { old: old.config, next };
  }
  try {
    return await againstRunning(next, against, process.env);
  } catch (error) {
    if (!(error instanceof NotCompared)) throw error;
    console.error(`estafet: ${error.message}`);
    return null;
  }
}

/** What a running relay would log if it had the old configuration and read the new one. */
function differenceText({ old, next }: Compared, name: string): string {
  const { config, restart } = withoutRestart(old, next);
  const changes = [...configChanges(routed(old), routed(config)), ...restart];
  if (changes.length === 0) return `no changes compared with ${name}`;
  return [
    `changes compared with ${name} (- less, + more, ~ other, ! needs a restart):`,
    ...changes.map((change) => `  ${changeLine(change)}`),
  ].join('\n');
}

function routed(config: Config): Routed {
  const routes = new RouteTable(config, loadCatalog().with(config.catalog), translatorFor, vectorsFor);
  return { config, relay: { routes } };
}
