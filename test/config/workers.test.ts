import { expect, test } from 'vitest';
import type { Config } from '../../config/config.ts';
import { parseConfig } from '../../config/load.ts';
import { workerCount } from '../../server/workers/count.ts';
import { VENDORS } from '../../translators/registry.ts';

function read(workers: string, more = '') {
  const text = `server: { workers: ${workers} }
${more}
backends: { q: { vendor: qwen, apiKey: 'env:K' } }
models: { m: [q/qwen-plus] }
teams: {}
keys: []
`;
  const readFile = (): never => {
    throw new Error('no file');
  };
  return parseConfig(text, { file: 'f.yaml', env: { K: 'k' }, readFile, vendors: VENDORS });
}
const REDIS = 'redis: redis://127.0.0.1';
const problems = (workers: string, more?: string): string[] => {
  const result = read(workers, more);
  return result.ok ? [] : result.problems.map(({ path, line, message }) => `${line} ${path} ${message}`);
};

test.each<[string, string, RegExp]>([
  ['2', '', /^1 server\.workers cannot be 2: redis is not set, so each process would allow the full limits on its own$/],
  ['2', `${REDIS}\ndatabase: 'memory:'`, /^1 server\.workers cannot be 2: `database: memory:` belongs to one process/],
  ['0', REDIS, /^1 server\.workers must be at least 1$/],
  ['1.5', REDIS, /^1 server\.workers must be/],
  ['300', REDIS, /^1 server\.workers must be at most 256$/],
  ['all', REDIS, /^1 server\.workers must be `auto` or a whole number from 1 to 256$/],
  ["'2'", REDIS, /^1 server\.workers must be/],
])('workers: %s with %j is refused, with one reason', (workers, more, wanted) => {
  expect(problems(workers, more)).toEqual([expect.stringMatching(wanted)]);
});

test('a reference to Redis that leads nowhere is told once', () => {
  expect(problems('2', 'redis: env:NOT_SET')).toEqual([expect.stringMatching(/^2 redis environment variable NOT_SET is not set/)]);
});

const NOTE = (why: string): unknown => expect.stringMatching(new RegExp(`^server\\.workers is auto, but only ONE process serves: ${why}`));
test.each<[string, string, number, unknown]>([
  ['1', '', 1, null],
  ['1', REDIS, 1, null],
  ['5', REDIS, 5, null],
  ['auto', `${REDIS}\ndatabase: 'sqlite:x.db'`, 8, null],
  ['auto', '', 1, NOTE('redis is not set')],
  ['auto', `${REDIS}\ndatabase: 'memory:'`, 1, NOTE('`database: memory:`')],
])('workers: %s with %j on eight cores: %i', (workers, more, count, note) => {
  const result = read(workers, more);
  expect(workerCount((result as { config: Config }).config, 8)).toEqual({ count, note });
});
