import { existsSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import type { Card } from '../scorecard/card.ts';
import type { CardModel, Feature } from '../scorecard/feature.ts';
import { FEATURES } from '../scorecard/features.ts';
import { cardMarkdown, share, summary } from '../scorecard/markdown.ts';
import { loadOrExplain } from './load.ts';
import { configuredModels, liveCalls, liveCard } from './scorecard-live.ts';
import { simulatedCard, simulatedModels } from './scorecard-simulated.ts';
import { textTable } from './text-table.ts';

export interface ScorecardOptions {
  readonly config?: string;
  readonly backend?: string;
  readonly model?: string;
  readonly feature?: string;
  readonly live?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly markdown?: boolean;
}

/** `estafet scorecard`. Exit code 1: a cell failed, or nothing was tried. */
export async function scorecard(options: ScorecardOptions): Promise<void> {
  const config = configOf(options);
  if (config === undefined) return fail();
  const features = FEATURES.filter(({ id }) => id.startsWith(options.feature ?? ''));
  const models = config === null ? simulatedModels(options) : configuredModels(config, options);
  if (features.length === 0) return fail(`no feature id begins with "${options.feature}".`);
  if (models.length === 0) return fail('`models` uses no model of such a backend.');
  const card =
    config === null || options.live !== true
      ? await simulatedCard(models, features, config?.catalog)
      : await live(config, models, features, options);
  if (card === null) return fail();
  process.stdout.write(
    options.json === true ? `${JSON.stringify(card, null, 1)}\n` : options.markdown === true ? cardMarkdown(card) : cardText(card),
  );
  if (card.cells.some(({ verdict }) => verdict === 'failed')) process.exitCode = 1;
}

/** Null: the built-in backends; undefined: the file is no good, as was said. */
function configOf({ config: file, live: isLive }: ScorecardOptions): Config | null | undefined {
  if (file === undefined && isLive !== true) return null;
  const named = file ?? 'estafet.yaml';
  if (!existsSync(named)) {
    console.error(`estafet: there is no file ${named}; name one with --config.`);
    return undefined;
  }
  return loadOrExplain(named)?.config;
}

/** Null, after it has been told what a card costs, unless that is agreed to. */
async function live(
  config: Config,
  models: readonly CardModel[],
  features: readonly Feature[],
  { yes }: ScorecardOptions,
): Promise<Card | null> {
  const calls = Object.entries(liveCalls(models, features));
  console.error(`This makes about ${calls.map(([backend, count]) => `${count} calls to ${backend}`).join(', ')}, which the vendors bill.`);
  if (yes === true) return liveCard(config, models, features, Date.now());
  console.error('Nothing was sent. Add --yes to make them.');
  return null;
}

function fail(message?: string): void {
  if (message !== undefined) console.error(`estafet: ${message}`);
  process.exitCode = 1;
}

function cardText(card: Card): string {
  const backends = Object.keys(card.totals);
  const rows = card.rows.map(({ id }) => [
    id,
    ...backends.map((backend) => summary(card.cells.filter((cell) => cell.feature === id && cell.backend === backend))),
  ]);
  const totals = Object.entries(card.totals).map(
    ([backend, { tested, counts }]) =>
      `${backend}: ${share(counts.exact + counts.emulated, tested)} of ${tested} tested cells exact or emulated, ${counts.failed} failed`,
  );
  const failed = card.cells.filter(({ verdict }) => verdict === 'failed').map(({ id, why }) => `failed: ${id}: ${why}`);
  return `${[textTable([['feature', ...backends], ...rows], backends.length + 1), ...totals, ...failed].join('\n')}\n`;
}
