import { expect, test } from 'vitest';
import { retirementWarnings, unlistedWarnings } from '../../cli/check.ts';
import { formatProblem } from '../../config/problem.ts';
import { configOf, digestOf } from '../http/desk.ts';

const config = configOf(
  `backends: { q: { vendor: qwen, apiKey: 'env:K' } }
models:
  gpt-4o: [q/qwen-plus, q/qwen-max]
  gpt-4.1: [q/going, { to: q/qwen-turbo, force: true }]
  long: { strategy: order, to: [q/qwen-plus, q/qwen-max] }
catalog: { qwen/going: { shutdown: 2027-03-01, replacement: later } }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: k, team: t, key: '${digestOf('k'.repeat(20))}' }]
`,
  { K: 'secret' },
);

test.each<[string, string[]]>([
  ['2026-11-25', []],
  ['2027-02-01', ['test.yaml  models."gpt-4.1"[0]: q/going will be retired by its vendor on 2027-03-01; its replacement is later']],
  [
    '2027-03-01',
    ['test.yaml  models."gpt-4.1"[0]: q/going was retired by its vendor on 2027-03-01; its replacement is later; it is skipped'],
  ],
])('warnings of %s', (day, expected) => {
  const lines = retirementWarnings(config, Date.parse(day)).map(formatProblem);
  expect(lines).toEqual([
    'test.yaml  models.gpt-4o[1]: q/qwen-max was retired by its vendor on 2026-07-13; its replacement is qwen3.8-max; it is skipped',
    ...expected,
    'test.yaml  models."gpt-4.1"[1]: q/qwen-turbo was retired by its vendor on 2026-07-13; its replacement is qwen3.8-flash; it is asked for all the same (force)',
    'test.yaml  models.long.to[1]: q/qwen-max was retired by its vendor on 2026-07-13; its replacement is qwen3.8-max; it is skipped',
  ]);
});

test('a candidate that the catalogue does not know is told of, with the name that may be meant', () => {
  const slips = configOf(
    `backends: { q: { vendor: qwen, apiKey: 'env:K' }, g: { vendor: glm, apiKey: 'env:K' } }
models:
  gpt-4o: [q/qwen-plus, q/qwen_plus, g/qwen-plus, q/ours]
  long: { strategy: order, to: [g/glm-4.6, g/a-name-like-no-other] }
catalog: { qwen/ours: { tools: false } }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: k, team: t, key: '${digestOf('k'.repeat(20))}' }]
`,
    { K: 'secret' },
  );
  const end = '; `catalog` can say what it can do';
  expect(unlistedWarnings(slips).map(formatProblem)).toEqual([
    `test.yaml  models.gpt-4o[1]: q/qwen_plus is not in the catalogue (did you mean qwen-plus?)${end}`,
    `test.yaml  models.gpt-4o[2]: g/qwen-plus is not in the catalogue${end}`,
    `test.yaml  models.long.to[1]: g/a-name-like-no-other is not in the catalogue${end}`,
  ]);
});
