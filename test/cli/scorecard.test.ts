import { beforeAll, describe, expect, test } from 'vitest';
import { simulatedCard, simulatedModels } from '../../cli/scorecard-simulated.ts';
import type { Card } from '../../scorecard/card.ts';
import { FEATURES } from '../../scorecard/features.ts';
import { cardMarkdown, share, summary } from '../../scorecard/markdown.ts';

const picked = (...ids: readonly string[]) => FEATURES.filter(({ id }) => ids.includes(id));
const FEW = picked('text-stream', 'tools-required', 'temperature-2', 'logit-bias', 'user', 'image-url', 'error-range');
const MODELS = simulatedModels({}).filter(({ model }) => ['qwen-plus', 'ernie-4.5-turbo-128k', 'glm-4.6'].includes(model));

describe('a card against the simulator', () => {
  let card: Card;
  beforeAll(async () => {
    card = await simulatedCard(MODELS, FEW);
  });

  test('the verdicts', () => {
    const table = Object.fromEntries(
      card.rows.map(({ id }) => [
        id,
        card.columns.map(({ backend }) => card.cells.find((cell) => cell.feature === id && cell.backend === backend)?.verdict),
      ]),
    );
    expect(card.columns.map(({ backend }) => backend)).toEqual(['qwen', 'qwen-native', 'ernie', 'glm']);
    expect(table).toEqual({
      'text-stream': ['exact', 'exact', 'exact', 'exact'],
      'tools-required': ['exact', 'exact', 'exact', 'emulated'],
      'temperature-2': ['degraded', 'degraded', 'degraded', 'degraded'],
      'logit-bias': ['degraded', 'degraded', 'degraded', 'degraded'],
      user: ['degraded', 'degraded', 'exact', 'exact'],
      'image-url': ['refused', 'refused', 'refused', 'refused'],
      'error-range': ['exact', 'exact', 'exact', 'exact'],
    });
  });

  test('the evidence: what was asked, what came, the receipt, and what the vendor got', () => {
    const cell = card.cells.find(({ id }) => id === 'temperature-2/glm/glm-4.6');
    expect(cell?.why).toBe('temperature clamped (1): the backend takes 0.01 to 1');
    expect(cell?.evidence).toHaveLength(2);
    expect(cell?.evidence[0]).toMatchObject({
      asked: { body: { temperature: 2 } },
      came: { status: 200, choices: [{ finish: 'stop' }] },
      receipt: expect.arrayContaining([expect.objectContaining({ field: 'temperature', fate: 'clamped' })]),
      sent: [{ path: '/api/paas/v4/chat/completions', body: { model: 'glm-4.6', temperature: 1 } }],
    });
    const refused = card.cells.find(({ id }) => id === 'image-url/glm/glm-4.6');
    expect(refused?.evidence[0]).toMatchObject({ came: { status: 400 }, sent: [] });
  });

  test('the totals', () => {
    expect(card.totals['ernie']).toEqual({
      cells: 7,
      tested: 7,
      counts: { exact: 4, emulated: 0, degraded: 2, refused: 1, failed: 0, untested: 0 },
    });
  });

  test('the same run gives the same bytes, in any order of the features', async () => {
    const again = await simulatedCard(MODELS, FEW);
    expect(JSON.stringify(again)).toBe(JSON.stringify(card));
    const reversed = await simulatedCard(MODELS, FEW.toReversed());
    expect(new Map(reversed.cells.map((cell) => [cell.id, cell]))).toEqual(new Map(card.cells.map((cell) => [cell.id, cell])));
  });

  test('a retired model is not tried', async () => {
    const gone = await simulatedCard(
      MODELS.slice(0, 1).map((model) => ({ ...model, retired: true })),
      FEW,
    );
    expect(gone.cells.every(({ verdict, evidence }) => verdict === 'untested' && evidence.length === 0)).toBe(true);
    expect(gone.totals['qwen']).toMatchObject({ tested: 0 });
  });

  test('the page has every row and every reason', () => {
    const page = cardMarkdown(card);
    for (const { title } of card.rows) expect(page).toContain(`| ${title} |`);
    expect(page).toContain('| qwen | 7 | 7 (100.0 %) | 3 (42.9 %) |');
    expect(page).toContain('| user | degraded | user dropped: the backend takes no end-user id | qwen, qwen-native |');
  });
});

test.each([
  [23, 24, '23 (95.8 %)'],
  [21, 23, '21 (91.3 %)'],
  [15, 23, '15 (65.2 %)'],
  [0, 0, '–'],
])('%i of %i is %s', (part, whole, text) => expect(share(part, whole)).toBe(text));

test('models that differ stand behind the first', () => {
  const cell = (model: string, verdict: 'exact' | 'refused') => ({
    id: '',
    feature: '',
    backend: '',
    model,
    verdict,
    why: '',
    evidence: [],
  });
  expect(summary([cell('a', 'exact'), cell('b', 'exact')])).toBe('exact');
  expect(summary([cell('a', 'exact'), cell('b', 'refused'), cell('c', 'refused')])).toBe('exact; refused: b, c');
});
