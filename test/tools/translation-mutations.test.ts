import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FEATURES } from '../../scorecard/features.ts';
import { TRANSLATION_MUTATIONS } from '../../tools/translation-mutations.ts';

test.each(TRANSLATION_MUTATIONS)('$name: the rule is there to be broken', ({ file, from, falls, backends }) => {
  const path = file.startsWith('catalog/') ? file : `translators/${file}`;
  expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8').split(from)).toHaveLength(2);
  for (const id of falls) expect(FEATURES.map((feature) => feature.id)).toContain(id.split('/', 1)[0]);
  expect(backends.length).toBeGreaterThan(0);
});

test('every vendor has some, and so has what they share', () => {
  for (const folder of ['qwen', 'ernie', 'glm', 'compatible'])
    expect(TRANSLATION_MUTATIONS.filter(({ file }) => file.startsWith(`${folder}/`)).length).toBeGreaterThanOrEqual(4);
});
