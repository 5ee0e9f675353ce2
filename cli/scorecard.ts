import type { Card } from '../scorecard/card.ts';
import { FEATURES } from '../scorecard/features.ts';
import { cardMarkdown, share, summary } from '../scorecard/markdown.ts';
import { simulatedCard, simulatedModels } from './scorecard-simulated.ts';
import { textTable } from './text-table.ts';

export interface ScorecardOptions {
  readonly backend?: string;
  readonly model?: string;
  readonly feature?: string;
  readonly json?: boolean;
  readonly markdown?: boolean;
}

/** `estafet scorecard`. Exit code 1: a cell failed, or nothing could be tried. */
export async function scorecard(options: ScorecardOptions): Promise<void> {
  const features = FEATURES.filter(({ id }) => id.startsWith(options.feature ?? ''));
  const models = simulatedModels(options);
  if (features.length === 0 || models.length === 0) {
    console.error(`estafet: there is no such ${features.length === 0 ? 'feature' : 'backend'}.`);
    process.exitCode = 1;
    return;
  }
  const card = await simulatedCard(models, features);
  console.log(options.json === true ? JSON.stringify(card, null, 1) : options.markdown === true ? cardMarkdown(card) : cardText(card));
  if (card.cells.some(({ verdict }) => verdict === 'failed')) process.exitCode = 1;
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
  return [textTable([['feature', ...backends], ...rows], backends.length + 1), ...totals, ...failed].join('\n');
}
