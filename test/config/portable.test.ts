import { expect, test } from 'vitest';
import type { Config } from '../../config/config.ts';
import { portable, restored } from '../../config/portable.ts';
import { sameSettings } from '../../config/same-settings.ts';
import { configOf, digestOf } from '../http/desk.ts';

const SECRETS = {
  Q1: 'sk-qwen-first',
  Q2: 'sk-qwen-second',
  G: 'id.zhipu-secret',
  R: 'redis://:redis-password@127.0.0.1:6379',
  D: 'postgres://u:database-password@127.0.0.1/b',
  M: 'metrics-token-0123456789',
  A: 'admin-token-0123456789abcdef0123456789',
};
const CALLER = 'sk-a-callers-own-key';

const config = (env: Partial<typeof SECRETS> = {}, key = CALLER, more = ''): Config =>
  configOf(
    `server: { metrics: { token: 'env:M' }, admin: { token: 'env:A' } }
redis: 'env:R'
database: 'env:D'
backends:
  q: { vendor: qwen, apiKeys: ['env:Q1', 'env:Q2'] }
  g: { vendor: glm, apiKey: 'env:G', prices: { glm-4.6: { currency: CNY, input: 1, output: 2 } } }
models: { z: [q/qwen-plus], constructor: [g/glm-4.6], 'a*': [q/qwen-max], $secret: [q/qwen-plus] ${more} }
teams: { t: { permit: { vendors: [qwen, glm], regions: ['*'] }, limits: { rpm: 5, models: { 'a*': { rpm: 1 } } } } }
keys: [{ name: k, team: t, key: '${digestOf(key)}', expires: 2030-01-01T00:00:00Z }]
`,
    { ...SECRETS, ...env },
  );
const shown = (of: Config, salt = 's'): Config => restored(JSON.parse(JSON.stringify(portable(of, salt))));

test('no secret, digest or part of them is in it', () => {
  const text = JSON.stringify(portable(config(), 'salt'));
  for (const secret of [...Object.values(SECRETS), CALLER, digestOf(CALLER).slice('sha256:'.length)]) {
    for (let from = 0; from + 12 <= secret.length; from++) expect(text).not.toContain(secret.slice(from, from + 12));
  }
  expect(text).not.toContain('password');
});

test('all that is no secret comes back as it was, in its order', () => {
  const one = config();
  const other = shown(one);
  const plain = (of: Config): string => JSON.stringify({ ...of, keys: of.keys.map(({ digest: _, ...key }) => key) });
  // Secrets are three stars in both.
  expect(plain(other)).toBe(plain(one));
  expect(Object.keys(other.models)).toEqual(['z', 'constructor', 'a*', '$secret']);
  expect(other.models['toString']).toBeUndefined();
  expect(other.teams['hasOwnProperty']).toBeUndefined();
});

test.each<[string, Config]>([
  ['a key of several', config({ Q2: 'sk-qwen-other' })],
  ['a single key', config({ G: 'id.other' })],
  ['a password of Redis', config({ R: 'redis://:another@127.0.0.1:6379' })],
  ['the token itself', config({ A: 'another-token-0123456789abcdef0123456' })],
  ["a caller's key", config({}, 'sk-another')],
])('%s: told from another one, and from none but by the same salt', (_what, other) => {
  expect(sameSettings(shown(config()), shown(config()))).toBe(true);
  expect(sameSettings(shown(config()), shown(other))).toBe(false);
  expect(sameSettings(shown(config(), 'a'), shown(config(), 'b'))).toBe(false);
});
