import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { parseConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import type { CardModel } from '../scorecard/feature.ts';
import type { CardRelay } from '../scorecard/run.ts';
import type { WireLog } from '../scorecard/wire-log.ts';
import { startRelay } from '../server/main.ts';
import { build } from '../server/wiring.ts';
import { VENDORS } from '../translators/registry.ts';

export interface OpenCardRelay extends CardRelay {
  close(): Promise<void>;
}

/** A backend as `estafet.yaml` writes it; secrets are given beside it. */
export interface CardBackend {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly apiKey: string;
}

/** A configuration of these backends and models alone: one team with every permit, a plain key and a strict one, no database. */
export function cardConfig(
  backends: Readonly<Record<string, CardBackend>>,
  models: readonly CardModel[],
  catalog: Config['catalog'] = {},
): { config: Config; keys: CardRelay['keys'] } {
  const keys = { main: newKey(), strict: newKey() };
  const env: Record<string, string> = { CARD_MAIN: keys.main, CARD_STRICT: keys.strict };
  const written = {
    server: { host: '127.0.0.1', port: 0, logLevel: 'silent' },
    database: 'memory:',
    catalog,
    backends: Object.fromEntries(
      Object.entries(backends).map(([name, { settings, apiKey }], index) => {
        env[`CARD_BACKEND_${index}`] = apiKey;
        // A card has every failure of a vendor in it: none may keep the next request away.
        return [name, { ...settings, retries: 0, breaker: 'off', apiKey: `env:CARD_BACKEND_${index}` }];
      }),
    ),
    models: Object.fromEntries(models.map((model) => [model.alias, [candidate(model)]])),
    teams: { card: { permit: { vendors: Object.keys(VENDORS), regions: ['*'] } } },
    keys: [
      { name: 'main', team: 'card', key: 'env:CARD_MAIN' },
      { name: 'strict', team: 'card', key: 'env:CARD_STRICT', strict: true },
    ],
  };
  // JSON is YAML: the same reader, and the same checks, as for a file.
  const result = parseConfig(JSON.stringify(written), { file: 'scorecard', env, readFile: noFiles, vendors: VENDORS });
  if (!result.ok) throw new Error(`the scorecard's configuration is wrong:\n${result.problems.map(formatProblem).join('\n')}`);
  return { config: result.config, keys };
}

/** What an app asks for that names a model without thinking; `reasoning_effort` of a request wins. */
const candidate = ({ backend, model, kind }: CardModel): Readonly<Record<string, unknown>> =>
  kind === 'chat' ? { to: `${backend}/${model}`, thinking: 'off' } : { to: `${backend}/${model}` };

const newKey = (): string => `sk-scorecard-${randomBytes(16).toString('hex')}`;

const noFiles = (path: string): never => {
  throw new Error(`no file is read for a scorecard: ${path}`);
};

/**
 * Starts a relay of this process on a free port.
 * @param todayMs the day by which models are retired, ms since the epoch
 */
export async function openCardRelay(config: Config, keys: CardRelay['keys'], log: WireLog | null, todayMs: number): Promise<OpenCardRelay> {
  const relay = await startRelay(config, build(config, { random: () => 0, now: () => todayMs }));
  return {
    url: relay.url,
    keys,
    log,
    close: async () => {
      relay.server.closeAllConnections();
      await relay.stop();
    },
  };
}
