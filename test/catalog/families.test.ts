import { describe, expect, test } from 'vitest';
import { Catalog, loadCatalog } from '../../catalog/catalog.ts';
import shipped from '../../catalog/families.json' with { type: 'json' };
import { Families, familiesSchema, loadFamilies } from '../../catalog/families.ts';
import { TRANSLATORS } from '../../translators/registry.ts';

const catalog = loadCatalog();
/** What is known of names that no list has. */
const alone = new Catalog([], loadFamilies());

const Q38 = 'low medium xhigh';
const HIGH_MAX = 'high max';

/** Switch, words of `reasoning_effort`, thinks by default, and what it is besides. */
function traits(vendor: string, id: string): (string | boolean | null)[] {
  const { rules, thinksByDefault, vision, audioInput, jsonObject } = alone.model(vendor, id);
  const flags: [string, boolean][] = [
    ['stream', rules.streamOnly],
    ['total', rules.totalTokens],
    ['vision', vision === true],
    ['audio', audioInput === true],
    ['no-json', jsonObject === false],
  ];
  const words = [...new Set(Object.values(rules.efforts ?? {}))].join(' ');
  const is = flags.filter(([, value]) => value).map(([word]) => word);
  return [rules.thinkingSwitch, words, thinksByDefault, is.join(' ')];
}

describe('Qwen', () => {
  test.each<[string, string, string, boolean, string]>([
    ['qwen3.8-max', 'enable_thinking', Q38, true, 'total vision'],
    ['qwen3.8-max-0902', 'enable_thinking', Q38, true, 'total vision'],
    ['qwen3.8-omni-flash', 'enable_thinking', Q38, true, 'stream total vision audio'],
    ['qwen3.7-max', 'enable_thinking', '', true, 'total'],
    ['qwen3.7-plus', 'enable_thinking', '', true, 'total vision'],
    ['qwen3.6-flash', 'enable_thinking', '', true, 'total vision'],
    ['qwen3.6-max-preview', 'enable_thinking', '', true, ''],
    ['qwen3.5-plus', 'enable_thinking', '', true, 'total vision'],
    ['qwen3.5-397b-a17b', 'enable_thinking', '', true, ''],
    ['qwen3-max', 'enable_thinking', '', false, ''],
    ['qwen3-max-preview', 'enable_thinking', '', false, ''],
    ['qwen-plus', 'enable_thinking', '', false, ''],
    ['qwen-plus-latest', 'enable_thinking', '', false, ''],
    ['qwen-plus-2025-07-28', 'enable_thinking', '', false, ''],
    ['qwen-plus-2025-01-25', 'none', '', false, ''],
    ['qwen-plus-1220', 'none', '', false, ''],
    ['qwen-flash', 'enable_thinking', '', false, ''],
    ['qwen-turbo', 'enable_thinking', '', false, ''],
    ['qwen-max', 'none', '', false, ''],
    ['qwen-max-longcontext', 'none', '', false, ''],
    ['qwen-long', 'none', '', false, 'no-json'],
    ['qwen-mt-turbo', 'none', '', false, 'no-json'],
    ['qwen-vl-max', 'none', '', false, 'vision'],
    ['qwen-vl-ocr', 'none', '', false, 'vision no-json'],
    ['qwen2.5-vl-72b-instruct', 'none', '', false, 'vision'],
    ['qwen2.5-72b-instruct', 'none', '', false, ''],
    ['qwen3-vl-plus', 'enable_thinking', '', false, 'vision'],
    ['qwen3-vl-235b-a22b-instruct', 'none', '', false, 'vision'],
    ['qwen3-vl-235b-a22b-thinking', 'always', '', true, 'vision no-json'],
    ['qwen3-coder-plus', 'none', '', false, ''],
    ['qwen3-235b-a22b', 'enable_thinking', '', true, ''],
    ['qwen3-235b-a22b-thinking-2507', 'always', '', true, 'no-json'],
    ['qwen3-235b-a22b-instruct-2507', 'none', '', false, ''],
    ['qwen3-next-80b-a3b-instruct', 'none', '', false, ''],
    ['qwen3-omni-flash', 'enable_thinking', '', false, 'stream vision audio no-json'],
    ['qwen-omni-turbo', 'none', '', false, 'stream vision audio no-json'],
    ['qwq-plus', 'always', '', true, 'stream no-json'],
    ['qvq-max', 'always', '', true, 'stream vision no-json'],
    ['deepseek-v4-pro', 'enable_thinking', HIGH_MAX, false, 'total'],
    ['deepseek-v3.2', 'enable_thinking', '', false, 'total'],
    ['deepseek-v3', 'none', '', false, 'total'],
    ['deepseek-r1-0528', 'always', '', true, 'no-json'],
    ['glm-5.1', 'enable_thinking', HIGH_MAX, true, 'total'],
    ['QWEN3.8-MAX', 'enable_thinking', Q38, true, 'total vision'],
    ['never-heard-of', 'none', '', false, ''],
    ['', 'none', '', false, ''],
    ['__proto__', 'none', '', false, ''],
  ])('%s: %s, %j, by default %s, %s', (id, ...expected) => {
    expect(traits('qwen', id)).toEqual(expected);
  });
});

describe('Ernie', () => {
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
  ])('%s', (id, facts) => {
    expect(alone.model('ernie', id)).toMatchObject({ id, contextTokens: null, maxOutputTokens: null, ...facts });
  });

  test("no model of the catalogue is taken for another maker's", () => {
    const ids = catalog.chatModels('ernie');
    expect(ids.length).toBeGreaterThan(10);
    for (const id of ids) expect([id, catalog.model('ernie', id).rules.temperature.max]).toEqual([id, 1]);
  });
});

describe('an entry and its family', () => {
  test.each(['qwen', 'ernie', 'glm'])('of %s agree', (vendor) => {
    for (const id of catalog.chatModels(vendor)) {
      const known = catalog.model(vendor, id);
      const family = alone.model(vendor, id);
      const thinking = family.rules.streamOnly ? 'stream-only' : family.thinking;
      // Where no switch is documented, the family does not say whether the model thinks.
      if (thinking !== null) expect([id, known.thinking]).toEqual([id, thinking]);
      if (family.thinksByDefault !== null) expect([id, known.thinksByDefault]).toEqual([id, family.thinksByDefault]);
      if (family.vision !== null) expect([id, known.vision]).toEqual([id, family.vision]);
      expect([id, known.rules]).toEqual([id, family.rules]);
    }
  });

  test('what nobody knows is null, not false', () => {
    expect(alone.model('qwen', 'never-heard-of')).toMatchObject({
      id: 'never-heard-of',
      contextTokens: null,
      maxOutputTokens: null,
      tools: null,
      vision: null,
      audioInput: null,
      jsonObject: true,
      jsonSchema: null,
      logprobs: null,
      webSearch: null,
      maxChoices: null,
      thinking: 'none',
      thinksByDefault: false,
      state: 'current',
    });
  });

  test.each([
    ['qwen', 'qwen-plus', 'none', 'none'],
    ['qwen', 'qwen-plus', 'always', 'always'],
    ['qwen', 'qwen3.8-max', 'stream-only', 'enable_thinking'],
    ['qwen', 'never-heard-of', 'optional', 'enable_thinking'],
    ['qwen', 'qwq-plus', 'optional', 'enable_thinking'],
    ['ernie', 'ernie-4.5-turbo-128k', 'optional', 'enable_thinking'],
    ['ernie', 'ernie-5.1', 'optional', 'unclear'],
    ['glm', 'glm-4-plus', 'optional', 'thinking.type'],
  ] as const)('%s/%s that thinks %s: %s', (vendor, id, thinking, expected) => {
    const own = catalog.with({ [`${vendor}/${id}`]: { thinking } });
    expect(own.model(vendor, id).rules.thinkingSwitch).toBe(expected);
  });
});

test.each([
  ['qwen', 'qwen-plus', true],
  ['qwen', 'Qwen3-Max', true],
  ['qwen', 'qwq-32b', true],
  ['qwen', 'qvq-max', true],
  ['qwen', 'gpt-4o', false],
  ['qwen', 'glm-4.6', false],
  ['qwen', 'my-qwen', false],
  ['qwen', '', false],
  ['ernie', 'ernie-4.5-turbo-128k', true],
  ['ernie', 'ERNIE-9', true],
  ['ernie', 'qianfan-8b', true],
  ['ernie', 'gpt-4o', false],
  ['ernie', 'deepseek-r1', false],
  ['ernie', 'ernie', false],
])('%s claims %s: %s', (vendor, name, claimed) => {
  expect(alone.claims(vendor, name)).toBe(claimed);
});

test('every vendor of the registry has families', () => {
  expect(TRANSLATORS.filter(({ vendor }) => !loadFamilies().vendors.includes(vendor))).toEqual([]);
});

describe('the schema', () => {
  const vendorOf = (change: object) => ({ ...shipped, vendors: { ...shipped.vendors, glm: { ...shipped.vendors.glm, ...change } } });
  const family = { match: '^x', source: 'Somewhere', facts: {}, rules: {} };
  const last = { ...family, match: '' };

  test('takes the shipped file, in which every family has a source', () => {
    expect(familiesSchema.safeParse(shipped).success).toBe(true);
  });

  test.each<[string, object, string]>([
    ['a fact that nobody knows', { families: [{ ...family, facts: { color: true } }, last] }, 'vendors.glm.families.0.facts'],
    ['a rule that nobody knows', { families: [{ ...family, rules: { stopWord: 1 } }, last] }, 'vendors.glm.families.0.rules'],
    ['a switch that nobody knows', { switch: 'think' }, 'vendors.glm.switch'],
    ['an effort that OpenAI does not know', { rules: { efforts: { some: 'low' } } }, 'vendors.glm.rules.efforts'],
    ['a range upside down', { rules: { temperature: { min: 1, max: 0 } } }, 'vendors.glm.rules.temperature'],
    ['a broken pattern', { families: [{ ...family, match: '(' }, last] }, 'vendors.glm.families.0.match'],
    ['no source', { families: [{ match: '', facts: {}, rules: {} }] }, 'vendors.glm.families.0.source'],
    ['names left over', { families: [family] }, 'vendors.glm.families'],
    ['a context of no tokens', { facts: { contextTokens: 0 } }, 'vendors.glm.facts.contextTokens'],
  ])('refuses %s', (_what, change, path) => {
    const read = familiesSchema.safeParse(vendorOf(change));
    expect(read.error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
    expect(() => new Families(vendorOf(change))).toThrow();
  });
});
