import { expect, test } from 'vitest';
import { loadCatalog } from '../../catalog/catalog.ts';
import { ModelNames } from '../../server/model-names.ts';
import { configOf } from '../http/desk.ts';

const names = new ModelNames(
  configOf(
    `backends: { q: { vendor: qwen, apiKey: 'env:Q' } }
models: { gpt-4o: [q/qwen-plus], 'o*': [q/qwen-plus], own: [q/my-own-model] }`,
    { Q: 'sk-secret' },
  ),
  loadCatalog(),
);

test.each([
  ['gpt-4o', 'gpt-4o'],
  ['own', 'own'],
  ['qwen-plus', 'qwen-plus'],
  ['o3-mini', 'o*'],
  // No backend of its vendor is configured.
  ['glm-4.6', 'other'],
  ['q/qwen-plus', 'other'],
  ['q/"} 1\n# injected', 'other'],
  ['__proto__', 'other'],
  ['constructor', 'other'],
  ['', 'other'],
])('asked for %j it says %s', (asked, expected) => expect(names.asked(asked)).toBe(expected));

test.each([
  ['qwen', 'qwen-plus', 'qwen-plus'],
  ['qwen', 'my-own-model', 'my-own-model'],
  ['qwen', 'made-up', 'other'],
  ['glm', 'my-own-model', 'other'],
])('served %s/%s is %s', (vendor, model, expected) => expect(names.served(vendor, model)).toBe(expected));
