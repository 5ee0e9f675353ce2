import { describe, expect, test } from 'vitest';
import { ask, families, type Situation } from './ask.ts';

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
const ON = { type: 'enabled' };
const OFF = { type: 'disabled' };

function sent(request: Record<string, unknown>, situation: Situation) {
  const { body, changes } = ask(request, situation);
  return { thinking: body['thinking'], effort: body['reasoning_effort'], changes };
}

/** For each effort in turn: [thinking, reasoning_effort, change]. */
const FAMILIES: [string, readonly [unknown, string | undefined, string | undefined][]][] = [
  [
    'glm-5.3 glm-5.3-flash glm-5.3-flashx glm-5.9 glm-6 glm-10-air',
    [
      [ON, 'low', 'clamped!'],
      [ON, 'low', 'clamped'],
      [undefined, 'low', undefined],
      [undefined, 'high', 'clamped'],
      [undefined, 'high', undefined],
      [undefined, 'max', 'clamped'],
      [undefined, 'max', undefined],
    ],
  ],
  [
    'glm-5.2',
    [
      [OFF, undefined, 'renamed'],
      [OFF, undefined, 'renamed'],
      [undefined, 'low', undefined],
      [undefined, 'medium', undefined],
      [undefined, 'high', undefined],
      [undefined, 'xhigh', undefined],
      [undefined, 'max', undefined],
    ],
  ],
  [
    'glm-5.1 glm-5 glm-5-turbo glm-5-code glm-5v-turbo glm-4.7 glm-4.7-flash glm-4.6 glm-4.6v-flash glm-4.5 glm-4.5-air glm-4.5v',
    [[OFF, undefined, 'renamed'], [OFF, undefined, 'renamed'], ...Array(5).fill([ON, undefined, 'clamped'])],
  ],
  ['glm-4.1v-thinking-flash glm-z1-air', [[undefined, undefined, 'dropped!'], ...Array(6).fill([undefined, undefined, 'dropped'])]],
  [
    'glm-4-plus glm-4 glm-4-flash-250414 glm-4v-plus glm-3-turbo autoglm-phone codegeex-4',
    [...Array(2).fill([undefined, undefined, 'dropped']), ...Array(5).fill([undefined, undefined, 'dropped!'])],
  ],
];

describe.each(FAMILIES.flatMap(([names, rows]) => names.split(' ').map((model) => [model, rows] as const)))('%s', (model, rows) => {
  test.each(EFFORTS.map((effort, index) => [effort, rows[index]] as const))('reasoning_effort %s', (effort, row) => {
    const [thinking, word, change] = row as [unknown, string | undefined, string | undefined];
    const changes = change === undefined ? [] : [`reasoning_effort=${change}`];
    expect(sent({ reasoning_effort: effort }, { model })).toEqual({ thinking, effort: word, changes });
    // What the caller says goes before what the name of the model stands for.
    expect(sent({ reasoning_effort: effort }, { model, thinking: 'none' })).toEqual({ thinking, effort: word, changes });
  });

  test('nothing asked, nothing sent', () => {
    expect(sent({}, { model })).toEqual({ thinking: undefined, effort: undefined, changes: [] });
  });
});

describe('what the name of an OpenAI model stands for', () => {
  test.each([
    ['glm-5.3', 'none', ON, 'low', ['reasoning_effort=defaulted']],
    ['glm-5.3', 'medium', undefined, 'high', ['reasoning_effort=defaulted']],
    ['glm-5.2', 'none', OFF, undefined, ['thinking=defaulted']],
    ['glm-5.2', 'medium', undefined, 'medium', ['reasoning_effort=defaulted']],
    ['glm-4.6', 'none', OFF, undefined, ['thinking=defaulted']],
    ['glm-4.6', 'high', ON, undefined, ['thinking=defaulted']],
    ['glm-4.1v-thinking-flash', 'none', undefined, undefined, []],
    ['glm-4-plus', 'none', undefined, undefined, []],
    ['glm-4-plus', 'high', undefined, undefined, []],
  ] as const)('%s, %s', (model, wanted, thinking, effort, changes) => {
    expect(sent({}, { model, thinking: wanted })).toEqual({ thinking, effort, changes });
    // None of it is a change of what was asked for: a strict key gets it too.
    expect(sent({}, { model, thinking: wanted, strict: true })).toEqual({ thinking, effort, changes });
  });
});

describe('the vendor’s own thinking object', () => {
  const KEEP = { clear_thinking: false };
  test.each<[string, string, Record<string, unknown>, unknown, string | undefined, string[]]>([
    ['glm-4.6', 'enabled', { thinking: ON }, ON, undefined, []],
    ['glm-4.6', 'disabled', { thinking: OFF }, OFF, undefined, []],
    ['glm-4.6', 'kept thoughts', { thinking: { ...ON, ...KEEP } }, { ...ON, ...KEEP }, undefined, []],
    ['glm-4.6', 'clear_thinking alone', { thinking: KEEP }, { ...ON, ...KEEP }, undefined, []],
    ['glm-4.6', 'clear_thinking beside', KEEP, { ...ON, ...KEEP }, undefined, ['clear_thinking=renamed']],
    [
      'glm-4.6',
      'off by effort, thoughts kept',
      { ...KEEP, reasoning_effort: 'none' },
      { ...OFF, ...KEEP },
      undefined,
      ['clear_thinking=renamed', 'reasoning_effort=renamed'],
    ],
    ['glm-4.6', 'against effort', { thinking: OFF, reasoning_effort: 'high' }, OFF, undefined, ['reasoning_effort=dropped']],
    ['glm-4.6', 'unknown keys', { thinking: { ...ON, budget_tokens: 5 } }, ON, undefined, ['thinking.budget_tokens=dropped!']],
    ['glm-5.2', 'with effort', { thinking: ON, reasoning_effort: 'xhigh' }, ON, 'xhigh', []],
    ['glm-5.3', 'disabled', { thinking: OFF }, ON, 'low', ['thinking=clamped!']],
    [
      'glm-5.3',
      'disabled, with effort',
      { thinking: OFF, reasoning_effort: 'high' },
      ON,
      'low',
      ['thinking=clamped!', 'reasoning_effort=clamped'],
    ],
    ['glm-5.3', 'enabled', { thinking: ON }, ON, undefined, []],
    ['glm-5.3', 'enabled, with effort', { thinking: ON, reasoning_effort: 'xhigh' }, ON, 'max', ['reasoning_effort=clamped']],
    ['glm-5.3', 'kept thoughts', KEEP, { ...ON, ...KEEP }, undefined, ['clear_thinking=renamed']],
    ['glm-4-plus', 'enabled', { thinking: ON }, undefined, undefined, ['thinking=dropped!']],
    ['glm-4-plus', 'disabled', { thinking: OFF }, undefined, undefined, ['thinking=dropped']],
    ['glm-z1-air', 'disabled', { thinking: OFF }, undefined, undefined, ['thinking=dropped!']],
  ])('%s: %s', (model, _what, request, thinking, effort, changes) => {
    expect(sent(request, { model })).toEqual({ thinking, effort, changes });
  });

  test('it wins over what the model’s name stands for', () => {
    expect(sent({ thinking: ON }, { model: 'glm-4.6', thinking: 'none' })).toEqual({ thinking: ON, effort: undefined, changes: [] });
    expect(sent({ thinking: ON }, { model: 'glm-5.3', thinking: 'none' })).toEqual({ thinking: ON, effort: undefined, changes: [] });
  });
});

describe('facts', () => {
  test.each([
    ['glm-5.3', 'always', true, false, true, 131_072],
    ['glm-5.3-flash', 'always', true, true, false, 131_072],
    ['glm-4.6', 'optional', true, false, true, 131_072],
    ['glm-4.6v', 'optional', true, true, false, 32_768],
    ['glm-4.5-air', 'optional', true, false, true, 98_304],
    ['glm-4.5v', 'optional', true, true, false, 16_384],
    ['glm-z1-flash', 'always', true, false, true, 32_768],
    ['glm-4-plus', 'none', false, false, true, 4095],
    ['glm-4-air-250414', 'none', false, false, true, 16_384],
    ['glm-4v-flash', 'none', false, true, false, 1024],
    ['glm-7-next', 'always', true, null, null, 131_072],
    ['something-else', 'none', false, null, null, null],
  ])('%s', (id, thinking, thinksByDefault, vision, jsonObject, maxOutputTokens) => {
    expect(families.model('glm', id)).toMatchObject({
      id,
      thinking,
      thinksByDefault,
      vision,
      jsonObject,
      maxOutputTokens,
      logprobs: false,
      maxChoices: 1,
    });
  });

  test.each([
    ['glm-4.6', true],
    ['GLM-4.6', true],
    ['charglm-4', true],
    ['qwen-plus', false],
    ['gpt-4o', false],
    ['chatglm_turbo', false],
    ['my-glm-4', false],
  ])('claims %s: %s', (model, claimed) => {
    expect(families.claims('glm', model)).toBe(claimed);
  });
});
