import { expect, test } from 'vitest';
import type { Retirement } from '../../relay/routing/retirement.ts';
import { createLogger } from '../../server/telemetry/logger.ts';
import { logRetirement, RetirementWatch } from '../../server/telemetry/retirement-watch.ts';

const GOING: Retirement = {
  alias: 'gpt-4o',
  form: 'list',
  index: 0,
  backend: 'q',
  model: 'old',
  forced: false,
  shutdown: '2027-03-01',
  replacement: 'new',
  daysLeft: 90,
};

/** What is told when the days left are these, one look a day. */
function told(days: readonly number[], forced = false): number[] {
  let daysLeft = 0;
  const said: number[] = [];
  const watch = new RetirementWatch(
    () => [{ ...GOING, forced, daysLeft }],
    (retirement) => void said.push(retirement.daysLeft),
  );
  for (daysLeft of days) watch.look();
  return said;
}

test.each<[string, number[], number[]]>([
  ['each stage once', [90, 89, 31, 30, 29, 8, 7, 6, 1], [90, 30, 7]],
  ['every day once it is gone', [1, 0, 0, 0], [1, 0, 0, 0]],
  ['a stage that a long sleep jumped over', [89, 5], [89, 5]],
  ['a later day, and then it comes nearer again', [7, 60, 30], [7, 60, 30]],
  ['nothing while it is far', [400, 91], []],
])('%s', (_what, days, expected) => expect(told(days)).toEqual(expected));

test('who forces a retired model is told until it goes', () => expect(told([30, 0, 0], true)).toEqual([30]));

test('a warning before, an error after', () => {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger('info', { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  logRetirement(logger, GOING);
  logRetirement(logger, { ...GOING, daysLeft: 0 });
  expect(lines).toMatchObject([
    { level: 'warn', model: 'gpt-4o', candidate: 'q/old', shutdown: '2027-03-01', replacement: 'new', daysLeft: 90 },
    { level: 'error', model: 'gpt-4o', candidate: 'q/old', daysLeft: 0 },
  ]);
});
