import { simulatedCard, simulatedModels } from '../cli/scorecard-simulated.ts';
import { FEATURES } from '../scorecard/features.ts';
import { cardMarkdown } from '../scorecard/markdown.ts';

/** The scorecard of this release, run anew. @throws Error when a cell fails: that is a fault to mend, not a page to write */
export async function generateScorecardDocs(): Promise<Record<string, string>> {
  const card = await simulatedCard(simulatedModels({}), FEATURES);
  const failed = card.cells.filter(({ verdict }) => verdict === 'failed').map(({ id, why }) => `  ${id}: ${why}`);
  if (failed.length > 0) throw new Error(`the scorecard has failed cells:\n${failed.join('\n')}`);
  return { 'docs/generated/scorecard.md': cardMarkdown(card) };
}
