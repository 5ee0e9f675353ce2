import { expect, test } from 'vitest';
import type { Config } from '../../config/config.ts';
import { handOver, takeOver } from '../../config/handed-over.ts';
import { Secret } from '../../config/secret.ts';
import { configOf } from '../http/desk.ts';

const TEXT = `
server: { port: 0, workers: 2, metrics: { port: 0, token: 'env:TOKEN' }, trustedProxies: [10.0.0.0/8] }
redis: '\${REDIS}'
database: 'postgres://user:pass-word@db:5432/estafet'
backends:
  q: { vendor: qwen, region: cn-beijing, apiKeys: ['env:ONE', 'env:TWO'], rpm: 60, breaker: off }
  constructor: { vendor: glm, apiKey: 'env:GLM' }
models:
  toString: [q/qwen-plus, { to: constructor/glm-4.6, weight: 3 }]
  gpt-4o: { strategy: weighted, affinity: on, to: [q/qwen-plus] }
teams:
  hasOwnProperty:
    permit: { vendors: [qwen], regions: ['*'], callers: ['::1'] }
    limits: { rpm: 1, budget: { amount: 0.5, currency: CNY, per: month }, models: { gpt-4o: { tpm: 7 } } }
keys:
  - { name: app, team: hasOwnProperty, key: 'sha256:${'a'.repeat(64)}', expires: 2030-01-01T00:00:00Z }
`;
const ENV = { TOKEN: 'token-that-is-long-enough', REDIS: 'redis://:secret@r:6379', ONE: 'sk-one', TWO: 'sk-two', GLM: 'id.secret' };

/** With secrets in clear, and what each object is. */
function laidOpen(value: unknown): unknown {
  if (value instanceof Secret) return { secret: value.reveal() };
  if (typeof value !== 'object' || value === null) return value;
  expect(Object.isFrozen(value)).toBe(true);
  if (Array.isArray(value)) return value.map(laidOpen);
  const bare = Object.getPrototypeOf(value) === null;
  return { bare, fields: Object.entries(value).map(([name, field]) => [name, laidOpen(field)]) };
}

test('a configuration arrives as it was: secrets, order, names like `constructor`, frozen', () => {
  const config = configOf(TEXT, ENV);
  const arrived = takeOver(handOver(config));
  expect(laidOpen(arrived)).toEqual(laidOpen(config));
  for (const name of ['isPrototypeOf', 'valueOf']) expect((arrived.models as Record<string, unknown>)[name]).toBeUndefined();
  expect(JSON.stringify(arrived)).not.toMatch(/sk-one|:secret@|pass-word/);
});

test('what looks like a wrapped value is none', () => {
  const odd = { file: 'f', models: { a: ['secret', 'x'], b: { kind: 'secret', value: ['list', []] } } } as unknown as Config;
  expect(takeOver(handOver(odd))).toEqual(odd);
});

test.each([[Number.NaN], [1n], [() => 1]])('what JSON would alter is no part of a configuration: %s', (value) => {
  expect(() => handOver({ file: value } as unknown as Config)).toThrow('holds no');
});
