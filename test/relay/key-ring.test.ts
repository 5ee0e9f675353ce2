import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { KeyRing } from '../../relay/keys/key-ring.ts';
import { configOf, digestOf } from '../http/desk.ts';

const LONG = 'sk-the-key-that-lasts-0001';
const SHORT = 'sk-the-key-that-expires-01';
const EXPIRES = Date.parse('2027-01-31T00:00:00Z');

const ring = new KeyRing(
  configOf(
    `backends: { q: { vendor: qwen, apiKey: 'env:K' } }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } }, u: {} }
keys:
  - { name: lasts, team: t, key: '${digestOf(LONG)}' }
  - { name: expires, team: u, key: 'env:SHORT', expires: '2027-01-31T00:00:00Z' }
`,
    { K: 'k', SHORT },
  ),
);

test('a key is found by its text, with its team', () => {
  expect(ring.find(LONG, 0)).toMatchObject({ key: { name: 'lasts' }, team: { name: 't' } });
  expect(ring.find(SHORT, EXPIRES - 1)).toMatchObject({ key: { name: 'expires' }, team: { name: 'u' } });
});

test.each([
  [EXPIRES - 1, true],
  [EXPIRES, false],
  [EXPIRES + 1, false],
  [Number.MAX_SAFE_INTEGER, false],
])('an expiring key at %d: %s', (nowMs, valid) => expect(ring.find(SHORT, nowMs) !== null).toBe(valid));

test.each([
  '',
  'x',
  `${LONG} `,
  ` ${LONG}`,
  LONG.toUpperCase(),
  LONG.slice(1),
  // A digest is no key, in any form.
  createHash('sha256').update(LONG).digest('hex'),
  digestOf(LONG),
  createHash('sha256').update(LONG).digest('base64'),
  'constructor',
])('%s is no key', (text) => expect(ring.find(text, 0)).toBeNull());

test('what the ring holds shows no key', () => {
  expect(JSON.stringify(ring.find(LONG, 0))).not.toContain(LONG);
});
