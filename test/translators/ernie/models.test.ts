import { expect, test } from 'vitest';
import { loadCatalog } from '../../../catalog/catalog.ts';
import { familyOf, wireModel } from '../../../translators/ernie/models.ts';
import { ernieV2 } from '../../../translators/ernie/v2.ts';

const catalog = loadCatalog();

test.each([
  ['ernie-4.5-turbo-128k', true],
  ['ERNIE-9', true],
  ['qianfan-8b', true],
  ['gpt-4o', false],
  ['deepseek-r1', false],
  ['ernie', false],
])('claims %s: %s', (model, claimed) => {
  expect(ernieV2.claims(model)).toBe(claimed);
});

test.each([
  ['ERNIE-5.1', 'ernie-5.1'],
  ['Qianfan-8B', 'qianfan-8b'],
  ['DeepSeek-R1', 'DeepSeek-R1'],
])('%s goes out as %s', (model, wire) => {
  expect(wireModel(model)).toBe(wire);
});

test.each([
  ['ernie-9.9', { thinking: null, thinksByDefault: null, tools: null, vision: null, jsonObject: null, logprobs: false, maxChoices: 1 }],
  ['ernie-5.0-thinking-next', { thinking: 'optional', thinksByDefault: true, vision: true, jsonObject: true }],
  ['ernie-x2', { thinking: 'none', vision: false }],
  ['ernie-x1.5', { thinking: 'always', thinksByDefault: true, vision: false, jsonObject: false }],
  ['ernie-4.5-turbo-256k', { thinking: 'none', thinksByDefault: false, vision: false, jsonObject: true }],
  ['ernie-tiny-16k', { thinking: 'none', tools: false }],
  ['ernie-lite-pro-128k', { thinking: 'none', tools: true }],
  ['qwen3-8b', { thinking: 'optional', thinksByDefault: false, vision: null }],
  ['deepseek-r1-distill-qwen-7b', { thinking: 'always' }],
])('what is told of %s without a catalogue', (model, facts) => {
  expect(ernieV2.model(model, null)).toMatchObject({ id: model, contextTokens: null, maxOutputTokens: null, ...facts });
});

test('the catalogue wins over the family', () => {
  const known = { ...ernieV2.model('ernie-tiny-8k', null), tools: true, jsonObject: true, maxOutputTokens: 7, thinking: 'always' } as const;
  expect(ernieV2.model('ernie-tiny-8k', known)).toEqual(known);
});

test("no model of the catalogue is taken for another maker's, nor thinks otherwise than the catalogue says", () => {
  const models = catalog.chatModels('ernie');
  expect(models.length).toBeGreaterThan(10);
  for (const id of models) {
    const { thirdParty, thinking } = familyOf(id);
    expect([id, thirdParty]).toEqual([id, undefined]);
    const told = catalog.find('ernie', id)?.thinking;
    const expected: readonly unknown[] = told === 'optional' ? ['enable', 'unclear'] : [told];
    expect([id, expected.includes(thinking)]).toEqual([id, true]);
  }
});
