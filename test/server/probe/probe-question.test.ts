import { expect, test } from 'vitest';
import { loadCatalog } from '../../../catalog/catalog.ts';
import type { Backend } from '../../../config/config.ts';
import type { BreakerPlace } from '../../../relay/routing/breaker-place.ts';
import { probeQuestion } from '../../../server/probe/probe-question.ts';
import { questionTo } from '../../../server/probe/question.ts';
import { configOf } from '../../http/desk.ts';

const catalog = loadCatalog();
const backendWith = (probe: string): Backend =>
  configOf(`backends: { q: { vendor: qwen, apiKey: 'env:Q', probe: ${probe} } }\nmodels: { a: [q/qwen-plus] }\nteams: {}\nkeys: []\n`, {
    Q: 'k',
  }).backends['q'] as Backend;

test.each<[string, BreakerPlace, string | null]>([
  ['{}', { cause: 'failure', model: null, key: null }, 'qwen-flash'],
  ['{}', { cause: 'key', model: null, key: 0 }, 'qwen-flash'],
  ['{ model: qwen-max }', { cause: 'failure', model: null, key: null }, 'qwen-max'],
  // What stands against one model is asked of that model.
  ['{ model: qwen-max }', { cause: 'overload', model: 'qwen-plus', key: null }, 'qwen-plus'],
  ['{}', { cause: 'credit', model: 'qwen-plus', key: 0 }, 'qwen-plus'],
  ['{}', { cause: 'credit', model: 'text-embedding-v4', key: 0 }, 'text-embedding-v4'],
  // No cheap question is known for it.
  ['{}', { cause: 'overload', model: 'qwen3-rerank', key: null }, null],
  ['{}', { cause: 'rate', model: 'qwen-plus', key: 0 }, null],
  ['{}', { cause: 'model', model: 'made-up', key: 0 }, null],
  ['off', { cause: 'failure', model: null, key: null }, null],
])('probe %s, %o: %s', (probe, place, model) => {
  const backend = backendWith(probe);
  const question = probeQuestion(backend, place, () => questionTo(catalog, backend, 'qwen-flash'), catalog);
  expect(question?.model.id ?? null).toBe(model);
});

test('where nothing can be asked callers find out', () => {
  expect(probeQuestion(backendWith('{}'), { cause: 'failure', model: null, key: null }, () => null, catalog)).toBeNull();
});
