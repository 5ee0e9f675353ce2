import { describe, expect, test } from 'vitest';
import { loadCatalog, type ModelOverride } from '../../catalog/catalog.ts';

const catalog = loadCatalog();
const own = (name: string, override: ModelOverride) => catalog.with({ [name]: override });

describe('what a configuration says of a model', () => {
  test('wins over the catalogue, field by field', () => {
    const model = own('qwen/qwen-plus', { contextTokens: 7, vision: true }).model('qwen', 'qwen-plus');
    expect(model).toEqual({ ...catalog.model('qwen', 'qwen-plus'), contextTokens: 7, vision: true });
  });

  test('wins over the family of a name that no list has', () => {
    const plain = catalog.model('glm', 'glm-4.6-mine');
    expect(own('glm/glm-4.6-mine', { tools: false }).model('glm', 'glm-4.6-mine')).toEqual({ ...plain, tools: false });
  });

  test('lends another family', () => {
    const lent = own('qwen/house-model', { family: 'qwen3.8-max' }).model('qwen', 'house-model');
    const like = catalog.model('qwen', 'qwen3.8-max-next');
    expect(lent).toEqual({ ...like, id: 'house-model' });
    expect(catalog.model('qwen', 'house-model').rules.efforts).toBeNull();
  });

  test('holds for its vendor and name alone', () => {
    const changed = own('qwen/qwen-plus', { contextTokens: 7 });
    expect(changed.model('qwen', 'qwen-flash')).toEqual(catalog.model('qwen', 'qwen-flash'));
    expect(changed.model('ernie', 'qwen-plus').contextTokens).toBeNull();
    expect(catalog.model('qwen', 'qwen-plus').contextTokens).toBe(1_000_000);
  });

  test('lists a model of its own, with the others', () => {
    const changed = own('qwen/house-model', {});
    expect(changed.find('qwen', 'house-model')?.id).toBe('house-model');
    expect(changed.chatModels('qwen')).toEqual([...catalog.chatModels('qwen'), 'house-model']);
    expect(catalog.find('qwen', 'house-model')).toBeNull();
  });

  test.each<[string, ModelOverride, object]>([
    ['qwen-max', {}, { state: 'retired', shutdown: '2026-07-13', replacement: 'qwen3.8-max' }],
    ['qwen-max', { retired: false }, { state: 'current', shutdown: null, replacement: 'qwen3.8-max' }],
    ['qwen-max', { shutdown: '2028-01-31' }, { state: 'retiring', shutdown: '2028-01-31' }],
    ['qwen-plus', { retired: true, replacement: 'qwen3.8-flash' }, { state: 'retired', shutdown: null, replacement: 'qwen3.8-flash' }],
    ['qwen-plus', { shutdown: '2027-01-31' }, { state: 'retiring', shutdown: '2027-01-31' }],
  ])('%s with %j', (id, override, expected) => {
    expect(own(`qwen/${id}`, override).model('qwen', id)).toMatchObject(expected);
  });
});
