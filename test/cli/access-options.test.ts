import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { type AccessOptions, keyOptions, optionProblem, patchOf, teamOptions } from '../../cli/access-options.ts';

const silent = (): Command => new Command().exitOverride().configureOutput({ writeErr: () => undefined });
const patch = (...args: string[]) => patchOf(keyOptions(silent()).parse(args, { from: 'user' }).opts<AccessOptions>());

test.each([
  [[], null],
  [['--rpm', '60', '--output-reserve', '100'], { limits: { rpm: 60, outputReserve: 100 } }],
  [['--rpm', 'none', '--budget', 'none'], { limits: { rpm: null, budget: null } }],
  [['--budget', '500 CNY per month'], { limits: { budget: { amount: 500, currency: 'CNY', per: 'month' } } }],
  [['--budget', '0.5 usd per never'], { limits: { budget: { amount: 0.5, currency: 'USD', per: 'never' } } }],
  [['--rpm', '-5'], { limits: { rpm: -5 } }],
  [
    ['--model-limits', 'gpt-4*=rpm 60, budget 5 cny per month', '--model-limits', 'o3 = output-reserve 100,concurrency 2', '--rpm', '9'],
    {
      limits: {
        rpm: 9,
        models: { 'gpt-4*': { rpm: 60, budget: { amount: 5, currency: 'CNY', per: 'month' } }, o3: { outputReserve: 100, concurrency: 2 } },
      },
    },
  ],
  [['--model-limits', 'gpt-4o=none', '--model-limits', 'ft:a=rpm -1'], { limits: { models: { 'gpt-4o': null, 'ft:a': { rpm: -1 } } } }],
  [['--model-limits', 'none'], { limits: { models: null } }],
  [['--countries', 'CN,SG'], { permit: { countries: ['CN', 'SG'] } }],
  [['--countries', 'none'], { permit: { countries: null } }],
  [['--models', 'gpt-4o, qwen-*', '--callers', '10.0.0.0/8'], { permit: { models: ['gpt-4o', 'qwen-*'], callers: ['10.0.0.0/8'] } }],
  [['--models', 'none', '--regions', 'none', '--vendors', 'none'], { permit: { models: null, regions: null, vendors: null } }],
  [['--strict', '--reasoning', 'hide', '--on-disconnect', 'drain'], { strict: true, reasoning: 'hide', onDisconnect: 'drain' }],
  [['--no-strict', '--expires', 'none'], { strict: false, expires: null }],
  [['--expires', '2027-01-31T00:00:00Z'], { expires: '2027-01-31T00:00:00Z' }],
])('%j', (args, expected) => expect(patch(...args)).toEqual(expected));

test.each([
  ['12h', 12 * 3_600_000],
  ['30d', 30 * 86_400_000],
  ['8w', 56 * 86_400_000],
])('--expires %s is so long from now', (text, ms) => {
  const expires = Date.parse(String(patch('--expires', text)?.['expires']));
  expect(Math.abs(expires - Date.now() - ms)).toBeLessThan(5_000);
});

test('a model may have any name', () => {
  const models = patch('--model-limits', '__proto__=rpm 1', '--model-limits', 'constructor=none')?.limits?.['models'] ?? {};
  expect(Object.entries(models)).toEqual([
    ['__proto__', { rpm: 1 }],
    ['constructor', null],
  ]);
});

test('options of teams', () => {
  const args = ['--time-zone', 'Asia/Shanghai', '--on-store-loss', 'local', '--rpm', '9', '--vendors', 'qwen,glm'];
  expect(patchOf(teamOptions(silent()).parse(args, { from: 'user' }).opts<AccessOptions>())).toEqual({
    timeZone: 'Asia/Shanghai',
    onStoreLoss: 'local',
    limits: { rpm: 9 },
    permit: { vendors: ['qwen', 'glm'] },
  });
  for (const [option, logPrompts] of [
    ['--log-prompts', true],
    ['--no-log-prompts', false],
  ] as const) {
    expect(patchOf(teamOptions(silent()).parse([option], { from: 'user' }).opts<AccessOptions>())).toEqual({ logPrompts });
  }
});

describe('wrong usage', () => {
  test.each([
    ['--rpm', 'many'],
    ['--rpm', '1e9'],
    ['--rpm', ''],
    ['--budget', '500'],
    ['--budget', '500CNY/month'],
    ['--model-limits', 'gpt-4o'],
    ['--model-limits', '=rpm 1'],
    ['--model-limits', 'gpt-4o='],
    ['--model-limits', 'gpt-4o=rpm'],
    ['--model-limits', 'gpt-4o=rpm many'],
    ['--model-limits', 'gpt-4o=rpm 1, rpm 2'],
    ['--model-limits', 'gpt-4o=toString 1'],
    ['--model-limits', 'gpt-4o=models 1'],
    ['--model-limits', 'gpt-4o=budget 5'],
    ['--model-limits', 'gpt-4o=rpm 1', '--model-limits', 'gpt-4o=rpm 2'],
    ['--model-limits', 'gpt-4o=rpm 1', '--model-limits', 'none'],
    ['--model-limits', 'none', '--model-limits', 'gpt-4o=rpm 1'],
    ['--models', 'a,,b'],
    ['--models', ''],
    ['--reasoning', 'maybe'],
    ['--on-disconnect', 'none'],
  ])('%s %s', (...args) => expect(() => patch(...args)).toThrow(/is invalid/));
});

test.each([
  ['limits.rpm', 'must be at least 1', '--rpm: must be at least 1'],
  ['limits.outputReserve', 'x', '--output-reserve: x'],
  ['limits.budget.amount', 'must be more than 0', '--budget: amount must be more than 0'],
  ['limits.models.gpt-4o.rpm', 'must be at least 1', '--model-limits: gpt-4o.rpm: must be at least 1'],
  ['limits.models', 'x', '--model-limits: x'],
  ['permit.regions[0]', '"xx" matches no region', '--regions: "xx" matches no region'],
  ['expires', 'x', '--expires: x'],
  ['timeZone', 'x', '--time-zone: x'],
  ['', 'x', 'x'],
  ['later', 'x', 'later: x'],
])('a problem at %s in the words of the command line', (path, message, expected) =>
  expect(optionProblem({ file: '', line: 0, column: 0, path, message })).toBe(expected),
);
