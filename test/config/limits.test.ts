import { expect, test } from 'vitest';
import { MOST_LIMIT } from '../../config/schema-limits.ts';
import { MOST_RATE } from '../../relay/quota/limits.ts';
import { accepted, GOOD, problemsOf } from './setup.ts';

test('the largest limit of a file is the largest that the engine counts exactly', () => {
  expect(MOST_LIMIT).toBe(MOST_RATE);
});

test.each(['refuse', 'local', 'admit'])('onStoreLoss: %s is kept', (policy) => {
  const { config, warnings } = accepted(
    GOOD.replace('regions: ["*"] } }', `regions: ["*"] }, onStoreLoss: ${policy} }\nredis: redis://127.0.0.1:6379`),
  );
  expect(config.teams['t']?.onStoreLoss).toBe(policy);
  expect(warnings.filter((warning) => warning.includes('onStoreLoss'))).toEqual([]);
});

test('refuse is what happens unless a team says otherwise; another word is refused with its place', () => {
  expect(accepted(GOOD).config.teams['t']?.onStoreLoss).toBe('refuse');
  expect(problemsOf(GOOD.replace('regions: ["*"] } }', 'regions: ["*"] }, onStoreLoss: allow }'))).toEqual([
    expect.stringContaining('teams.t.onStoreLoss: '),
  ]);
});
