import { describe, expect, test } from 'vitest';
import type { Key, Limits, Team } from '../../../config/config.ts';
import { CallerLimits } from '../../../relay/quota/caller-limits.ts';
import { checkReserve } from '../../../relay/quota/check-input.ts';
import type { Limit } from '../../../relay/quota/limits.ts';

function limitsOf(ofTeam: Limits, ofKey: Limits = {}, name = 'ci'): CallerLimits {
  const team: Team = { name: 't', onStoreLoss: 'refuse', limits: ofTeam };
  const key: Key = { name, team: 't', strict: false, onDisconnect: 'cancel', reasoning: 'show', digest: '', limits: ofKey };
  return new CallerLimits({ key, team });
}

const shown = (limits: readonly Limit[]) => limits.map(({ name, bucket, law }) => [name, bucket, law.amount]);

describe('an entry holds for the asked name', () => {
  const limits = limitsOf(
    { rpm: 100, models: { 'qwen-*': { tpm: 1 }, 'qwen-max': { tpm: 2, concurrency: 3 }, '*-max': { tpm: 4 } } },
    { rpd: 50, models: { 'gpt-4*': { rpm: 5 }, 'gpt-4o': {}, 'a/b c@1$': { rpm: 6 } } },
  );
  const always = [
    ['team.rpm', 'team/rpm', 100],
    ['key.rpd', 'key/ci/rpd', 50],
  ];

  test.each([
    ['no entry', 'glm-4.6', []],
    [
      'the exact name before a pattern that stands first',
      'qwen-max',
      [
        ['team.model.tpm', 'team/model/qwen-max/tpm', 2],
        ['team.model.concurrency', 'team/model/qwen-max/concurrency', 3],
      ],
    ],
    ['a pattern', 'qwen-plus', [['team.model.tpm', 'team/model/qwen-*/tpm', 1]]],
    ['of two patterns the first in the file', 'qwen-vl-max', [['team.model.tpm', 'team/model/qwen-*/tpm', 1]]],
    ['the second where the first does not match', 'ernie-max', [['team.model.tpm', 'team/model/*-max/tpm', 4]]],
    ['a key’s', 'gpt-4.1', [['key.model.rpm', 'key/ci/model/gpt-4*/rpm', 5]]],
    ['an entry without limits is an exception', 'gpt-4o', []],
    ['case matters', 'GPT-4.1', []],
    ['the pattern itself is a name like any other', 'gpt-4*', [['key.model.rpm', 'key/ci/model/gpt-4*/rpm', 5]]],
    ['what a bucket’s name must not hold is escaped', 'a/b c@1$', [['key.model.rpm', 'key/ci/model/a%2Fb%20c%401%24/rpm', 6]]],
    ['a name of JavaScript', 'constructor', []],
  ])('%s: %s', (_, asked, expected) => {
    expect(shown(limits.holding(asked).limits)).toEqual([...always, ...expected]);
  });

  test('callers cannot make up buckets: there are as many as the file has entries', () => {
    const buckets = new Set<string>();
    for (let made = 0; made < 3000; made++) for (const { bucket } of limits.holding(`gpt-4-${made}`).limits) buckets.add(bucket);
    expect([...buckets]).toEqual(['team/rpm', 'key/ci/rpd', 'key/ci/model/gpt-4*/rpm']);
  });

  test('a limit on models says which names count', () => {
    const [limit] = limits.holding('qwen-plus').limits.filter(({ name }) => name === 'team.model.tpm');
    expect(['qwen-plus', 'qwen-vl-max', 'qwen-max', 'ernie-max', 'gpt-4'].map((asked) => limit?.covers?.(asked))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(limits.holding('qwen-plus').limits[0]?.covers).toBeUndefined();
  });
});

test.each([
  ['what is learned', {}, {}, null],
  ['the team’s', { outputReserve: 1 }, {}, 1],
  ['the key’s before the team’s', { outputReserve: 1 }, { outputReserve: 2 }, 2],
  ['that of the team’s entry before both', { outputReserve: 1, models: { m: { outputReserve: 3 } } }, { outputReserve: 2 }, 3],
  [
    'that of the key’s entry before all',
    { outputReserve: 1, models: { m: { outputReserve: 3 } } },
    { outputReserve: 2, models: { 'm*': { outputReserve: 4 } } },
    4,
  ],
])('the output reserve is %s', (_, ofTeam, ofKey, expected) => {
  expect(limitsOf(ofTeam, ofKey).holding('m').outputReserve).toBe(expected);
});

test('the longest names that a file can hold make buckets that the engine takes', () => {
  const name = '😀'.repeat(128);
  const budget = { amount: 1, currency: 'CNY', per: 'month' } as const;
  const { limits } = limitsOf({}, { models: { [name]: { rpm: 1, budget } } }, name).holding(name);
  const demands = limits.map((limit) => ({ limit, amount: 1 }));
  expect(demands).toHaveLength(2);
  expect(() => checkReserve({ id: 'a', owner: 'team/t', demands, leaseMs: 1000, about: '' })).not.toThrow();
});
