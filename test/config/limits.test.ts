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

test.each(['redis://h', 'rediss://u:p@h:6380/2', 'redis://[::1]:6379', 'redis://:p@h/'])('redis: %s is an address', (address) => {
  expect(accepted(`${GOOD}redis: "${address}"\n`).config.redis?.reveal()).toBe(address);
});

test.each([
  ['localhost:6379', 'must be an address such as `redis://host:6379`'],
  ['http://h:6379', 'must be an address such as `redis://host:6379`'],
  ['/run/redis.sock', 'must be an address such as `redis://host:6379`'],
  ['redis://', 'is not a URL with a host'],
  ['redis://u:secret@h:99999', 'is not a URL with a host'],
  ['redis://:secret/secret@h', 'is not a URL with a host'],
  ['redis://u:secret@h/db', 'must have nothing or the number of a database after the host'],
])('redis: %s is none, and is not repeated', (address, fault) => {
  const [problem, ...more] = problemsOf(`${GOOD}redis: "${address}"\n`);
  expect(problem).toContain(`redis: ${fault}`);
  expect(problem).not.toContain('secret');
  expect(more).toEqual([]);
});
