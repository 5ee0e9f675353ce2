/** What holds for one model or family stands in the catalogue: a translator that asks for a name is wrong about next year's. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Without comments: those name the models that a rule is there for. */
const code = (file: string): string =>
  readFileSync(file, 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '');
const NAME = /(qwen|qwq|qvq|ernie|qianfan|glm|deepseek|kimi)[-\d.(\\]/i;
const VENDOR_OF_DIALECT = /^\s*(dialect|vendor): '[a-z0-9-]+',$/gm;

const files = globSync('translators/**/*.ts').filter((file) => !/\/vendor\.ts$/.test(file));

test.each(files)('%s names no model', (file) => {
  const lines = code(file)
    .replace(VENDOR_OF_DIALECT, '')
    .split('\n')
    .filter((line) => !/^(import|export) /.test(line) && !/^} from/.test(line));
  expect(lines.filter((line) => NAME.test(line))).toEqual([]);
  expect(lines.filter((line) => /\bmodel\.(startsWith|includes|endsWith|match)\(/.test(line))).toEqual([]);
});

test('the search finds what it is for', () => {
  expect(NAME.test("if (model.startsWith('qwen3')) return;")).toBe(true);
  expect(NAME.test('{ match: /^glm-5/ }')).toBe(true);
  expect(files.length).toBeGreaterThan(30);
});
