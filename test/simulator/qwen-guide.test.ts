import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { COMMON_FAULTS, MODEL_DIRECTIVES } from '../../simulator/kernel/fault-names.ts';
import { ERRORS } from '../../simulator/qwen/errors.ts';
import { FAULT_NAMES, FRAGMENT_VARIANTS } from '../../simulator/qwen/faults.ts';
import { KEYS } from '../../simulator/qwen/keys.ts';
import { startSimulator } from '../../simulator/simulator.ts';

const guide = readFileSync(new URL('../../docs/guide/simulator.md', import.meta.url), 'utf8');

test.each([...COMMON_FAULTS, ...FAULT_NAMES])('the guide explains the fault %s', (name) => {
  expect(guide).toMatch(new RegExp(`^\\| \`${name}[ \`]`, 'm'));
});

test.each([...MODEL_DIRECTIVES])('the guide explains the directive %s', (name) => {
  expect(guide).toMatch(new RegExp(`^\\| \`\\[\\[sim:${name}[ \\]]`, 'm'));
});

test.each([...Object.keys(ERRORS), ...FRAGMENT_VARIANTS])('the guide lists the value %s', (name) => expect(guide).toContain(`\`${name}\``));

test.each(KEYS)('the guide lists the key $name', ({ key, name }) => expect(guide).toContain(`| \`${key}\` | \`${name}\` |`));

test('the guide lists every call of the admin API', async () => {
  const simulator = await startSimulator({ vendors: ['qwen'] });
  const { error } = (await (await fetch(`${simulator.admin}/no-such-path`)).json()) as { error: string };
  await simulator.close();
  const calls = error
    .replace(/^.*known: /, '')
    .split(', ')
    .map((call) => call.replace(/\/faults\/$/, '/faults/ID'));
  expect(calls.length).toBeGreaterThan(10);
  for (const call of calls) expect(guide).toContain(`\`${call}\``);
});
