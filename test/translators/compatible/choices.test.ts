import { expect, test } from 'vitest';
import { carryChoices } from '../../../translators/compatible/carry.ts';
import { changes, draft, refused } from './drafting.ts';

test.each([
  ['none asked for', undefined, 1, undefined, undefined, []],
  ['one', 1, 1, undefined, undefined, ['n=dropped']],
  ['one where there is a switch', 1, 4, 1, undefined, []],
  ['as many as one call makes', 4, 4, 4, undefined, []],
  ['more than one call makes', 5, 4, undefined, 5, ['n=emulated']],
  ['the most calls', 8, 1, undefined, 8, ['n=emulated']],
  ['many in one call', 20, 20, 20, undefined, []],
])('choices: %s', (_what, n, native, sent, calls, told) => {
  const made = draft(n === undefined ? {} : { n });
  carryChoices(made, native);
  expect([made.body['n'], made.emulation.choices, changes(made)]).toEqual([sent, calls, told]);
});

test.each([
  [9, 1],
  [128, 1],
  [9, 4],
])('%i choices where a call makes %i are refused', (n, native) => {
  const { status, details, message } = refused(() => carryChoices(draft({ n }), native));
  expect([status, details.param]).toEqual([400, 'n']);
  expect(message).toContain('at most 8 with this model');
});
