import { describe, expect, test } from 'vitest';
import { loadCatalog } from '../../../catalog/catalog.ts';
import { qwenCompatible } from '../../../translators/qwen/compatible.ts';
import { familyOf, switchOf, type ThinkingSwitch } from '../../../translators/qwen/models.ts';

/** Model, its switch, thinks by default, what it is besides: stream only, total bound, vision, audio, JSON mode off. */
test.each<[string, ThinkingSwitch, boolean, string]>([
  ['qwen3.8-max', 'effort', true, 'total vision'],
  ['qwen3.8-max-0902', 'effort', true, 'total vision'],
  ['qwen3.8-omni-flash', 'effort', true, 'stream total vision audio'],
  ['qwen3.7-max', 'budget', true, 'total'],
  ['qwen3.7-plus', 'budget', true, 'total vision'],
  ['qwen3.6-flash', 'budget', true, 'total vision'],
  ['qwen3.6-max-preview', 'budget', true, ''],
  ['qwen3.5-plus', 'budget', true, 'total vision'],
  ['qwen3.5-397b-a17b', 'budget', true, ''],
  ['qwen3-max', 'budget', false, ''],
  ['qwen3-max-preview', 'budget', false, ''],
  ['qwen-plus', 'budget', false, ''],
  ['qwen-plus-latest', 'budget', false, ''],
  ['qwen-plus-2025-07-28', 'budget', false, ''],
  ['qwen-plus-2025-01-25', 'none', false, ''],
  ['qwen-plus-1220', 'none', false, ''],
  ['qwen-flash', 'budget', false, ''],
  ['qwen-turbo', 'budget', false, ''],
  ['qwen-max', 'none', false, ''],
  ['qwen-max-longcontext', 'none', false, ''],
  ['qwen-long', 'none', false, 'no-json'],
  ['qwen-mt-turbo', 'none', false, 'no-json'],
  ['qwen-vl-max', 'none', false, 'vision'],
  ['qwen-vl-ocr', 'none', false, 'vision no-json'],
  ['qwen2.5-vl-72b-instruct', 'none', false, 'vision'],
  ['qwen2.5-72b-instruct', 'none', false, ''],
  ['qwen3-vl-plus', 'budget', false, 'vision'],
  ['qwen3-vl-235b-a22b-instruct', 'none', false, 'vision'],
  ['qwen3-vl-235b-a22b-thinking', 'always', true, 'vision no-json'],
  ['qwen3-coder-plus', 'none', false, ''],
  ['qwen3-235b-a22b', 'budget', true, ''],
  ['qwen3-235b-a22b-thinking-2507', 'always', true, 'no-json'],
  ['qwen3-235b-a22b-instruct-2507', 'none', false, ''],
  ['qwen3-next-80b-a3b-instruct', 'none', false, ''],
  ['qwen3-omni-flash', 'budget', false, 'stream vision audio no-json'],
  ['qwen-omni-turbo', 'none', false, 'stream vision audio no-json'],
  ['qwq-plus', 'always', true, 'stream no-json'],
  ['qvq-max', 'always', true, 'stream vision no-json'],
  ['deepseek-v4-pro', 'hosted-effort', false, 'total'],
  ['deepseek-v3.2', 'budget', false, 'total'],
  ['deepseek-v3', 'none', false, 'total'],
  ['deepseek-r1-0528', 'always', true, 'no-json'],
  ['glm-5.1', 'hosted-effort', true, 'total'],
  ['QWEN3.8-MAX', 'effort', true, 'total vision'],
  ['never-heard-of', 'none', false, ''],
  ['', 'none', false, ''],
  ['__proto__', 'none', false, ''],
])('%s: %s, by default %s, %s', (id, thinking, byDefault, flags) => {
  const family = familyOf(id);
  const is: [string, unknown][] = [
    ['stream', family.streamOnly],
    ['total', family.totalTokens],
    ['vision', family.vision],
    ['audio', family.audio],
    ['no-json', family.json === false ? true : undefined],
  ];
  const words = is.filter(([, value]) => value === true).map(([word]) => word);
  expect([family.thinking, family.thinksByDefault, words.join(' ')]).toEqual([thinking, byDefault, flags]);
});

describe('facts', () => {
  test('the catalogue and the families agree on who thinks, and by default', () => {
    const catalog = loadCatalog();
    for (const id of catalog.chatModels('qwen')) {
      const known = catalog.find('qwen', id);
      const alone = qwenCompatible.model(id, null);
      const both = qwenCompatible.model(id, known);
      const streams = familyOf(id).streamOnly === true ? 'stream-only' : alone.thinking;
      if (known?.thinking != null) expect([id, known.thinking]).toEqual([id, streams]);
      if (known?.thinksByDefault != null) expect([id, known.thinksByDefault]).toEqual([id, alone.thinksByDefault]);
      if (known?.vision != null && alone.vision !== null) expect([id, known.vision]).toEqual([id, alone.vision]);
      expect(switchOf(both)).toBe(switchOf(alone));
    }
  });

  test('what nobody knows is null, not false', () => {
    expect(qwenCompatible.model('never-heard-of', null)).toEqual({
      id: 'never-heard-of',
      contextTokens: null,
      maxOutputTokens: null,
      tools: null,
      vision: null,
      audioInput: null,
      jsonObject: true,
      jsonSchema: null,
      logprobs: null,
      maxChoices: null,
      thinking: 'none',
      thinksByDefault: false,
    });
  });

  test('what is known goes before the family, and false is known', () => {
    const none = qwenCompatible.model('qwen-plus', null);
    const known = {
      ...none,
      thinking: 'none',
      thinksByDefault: null,
      vision: false,
      logprobs: false,
      maxChoices: 1,
      jsonObject: false,
    } as const;
    expect(qwenCompatible.model('qwen3-vl-plus', known)).toMatchObject({
      id: 'qwen3-vl-plus',
      thinking: 'none',
      vision: false,
      logprobs: false,
      maxChoices: 1,
      jsonObject: false,
    });
  });

  test('the facts say whether a model thinks, the family how', () => {
    const facts = (id: string, thinking: 'none' | 'optional' | 'always' | 'stream-only') =>
      switchOf({ ...qwenCompatible.model(id, null), thinking });
    expect(facts('qwen-plus', 'none')).toBe('none');
    expect(facts('qwen-plus', 'always')).toBe('always');
    expect(facts('qwen3.8-max', 'stream-only')).toBe('effort');
    expect(facts('never-heard-of', 'optional')).toBe('budget');
    expect(facts('qwq-plus', 'optional')).toBe('budget');
  });
});

test.each([
  ['qwen-plus', true],
  ['Qwen3-Max', true],
  ['qwq-32b', true],
  ['qvq-max', true],
  ['gpt-4o', false],
  ['glm-4.6', false],
  ['my-qwen', false],
  ['', false],
])('claims %s: %s', (name, claimed) => {
  expect(qwenCompatible.claims(name)).toBe(claimed);
});
