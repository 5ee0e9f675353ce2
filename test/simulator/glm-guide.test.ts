import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FAULT_NAMES } from '../../simulator/glm/faults.ts';
import { KEYS } from '../../simulator/glm/keys.ts';
import { MODELS } from '../../simulator/glm/models.ts';
import { SAID_FAULTS } from '../../simulator/kernel/fault-names.ts';

const guide = readFileSync(new URL('../../docs/guide/simulator-glm.md', import.meta.url), 'utf8');

test.each([...FAULT_NAMES, ...SAID_FAULTS])('the guide explains the fault %s', (name) => {
  expect(guide).toMatch(new RegExp(`(\`|\\[\\[sim:)${name}[ \`]`));
});

test.each([...new Set(KEYS.map((key) => key.name.replace(/^glm-(cn|intl)-/, '')))])('the guide explains the key %s', (name) => {
  expect(guide).toContain(`\`${name}\``);
});

test.each(MODELS.map((model) => model.name))('the guide names the model %s, whole or by its ending', (name) => {
  const endings = name.split('-').map((_, at, parts) => `-${parts.slice(at).join('-')}`);
  expect([name, ...endings].some((text) => guide.includes(`\`${text}\``))).toBe(true);
});
