import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ACCESS_KEY, SECRET_KEY } from '../../simulator/ernie/bearer.ts';
import { ERNIE_FAULTS } from '../../simulator/ernie/faults.ts';
import { APPS, KEYS } from '../../simulator/ernie/keys.ts';

const GUIDE = readFileSync(new URL('../../docs/guide/simulator-ernie.md', import.meta.url), 'utf8');

test.each([...ERNIE_FAULTS, ...APPS, ACCESS_KEY, SECRET_KEY, ...KEYS.map((key) => key.text.split('/')[2] ?? '')])(
  'the guide names %s',
  (name) => {
    expect(GUIDE).toMatch(new RegExp(`\`${name}[\` ]`));
  },
);

test.each(KEYS.map((key) => [key.name, key.text.split('/')[1]?.replace(/^ALTAK(SP)?-/, '') ?? '']))('the guide has key %s', (name, id) => {
  expect(GUIDE).toContain(id);
  expect(GUIDE).toContain(name);
});
