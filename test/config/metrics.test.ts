import { expect, test } from 'vitest';
import { parseConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problem.ts';
import { VENDORS } from '../../translators/registry.ts';

function read(metrics: string) {
  const text = `server: { metrics: ${metrics} }
backends: { q: { vendor: qwen, apiKey: env:Q } }
teams: { t: { permit: { vendors: [qwen], regions: ['cn-*'] } } }
keys: [{ name: k, team: t, key: env:K }]
`;
  const env = { Q: 'sk-q', K: '0123456789abcdef01234567', TOKEN: 'a-token-of-24-characters', SHORT: 'short' };
  const readFile = (): never => {
    throw new Error('no file is read');
  };
  const result = parseConfig(text, { file: 'f', env, readFile, vendors: VENDORS });
  return result.ok ? { config: result.config, told: result.warnings.map(formatProblem) } : { told: result.problems.map(formatProblem) };
}

test.each([
  ['{ port: 9464 }', { port: 9464, host: '127.0.0.1' }],
  ['{ port: 0, host: localhost }', { port: 0, host: 'localhost' }],
  ['{ token: env:TOKEN }', { host: '127.0.0.1', token: '***' }],
  ['{ port: 9464, host: 0.0.0.0, token: env:TOKEN }', { port: 9464, host: '0.0.0.0', token: '***' }],
])('%s is good', (metrics, expected) => {
  const { config, told } = read(metrics);
  expect(told).toEqual([]);
  // Whatever prints the configuration prints no token.
  expect(JSON.parse(JSON.stringify(config?.server.metrics))).toEqual(expected);
});

test.each([
  ['{}', /needs a port of its own, or a token/],
  ['{ host: 10.0.0.1 }', /needs a port of its own, or a token/],
  ['{ port: 8080 }', /is the same as server\.port/],
  ['{ token: plain-text-token-of-someone }', /a secret must not be written into the file/],
  ['{ token: env:MISSING }', /environment variable MISSING is not set/],
  ['{ port: 70000 }', /at most 65535/],
  ['{ port: 9464, path: /m }', /unknown key/],
])('%s is refused, and no value is repeated', (metrics, message) => {
  const { config, told } = read(metrics);
  expect(config).toBeUndefined();
  expect(told.join('\n')).toMatch(message);
  expect(told.join('\n')).not.toContain('plain-text-token');
});

test.each([
  ['{ port: 9464, host: 0.0.0.0 }', /opens the metrics to the network/],
  ['{ port: 9464, host: "::" }', /opens the metrics to the network/],
  ['{ token: env:SHORT }', /is shorter than 20 characters/],
])('%s is warned about', (metrics, message) => {
  const { config, told } = read(metrics);
  expect(config).toBeDefined();
  expect(told.join('\n')).toMatch(message);
});
