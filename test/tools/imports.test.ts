import { describe, expect, test } from 'vitest';
import { IMPORT_RULES } from '../../tools/import-rules.ts';
import { importsOf, sources, violations } from '../../tools/imports.ts';

const of = (files: Record<string, string>) => violations(new Map(Object.entries(files)), IMPORT_RULES);
/** One file with one import, beside the file that it imports. */
const one = (file: string, line: string, others: readonly string[] = []) =>
  of({ ...Object.fromEntries(others.map((other) => [other, ''])), [file]: line }).map(({ imports }) => imports);

describe('what a file imports', () => {
  test.each<[string, string[]]>([
    ["import { a } from './b.ts';", ['relay/b.ts']],
    ["import type { a } from './b.ts';", ['relay/b.ts (type)']],
    ["import { type a } from './b.ts';", ['relay/b.ts']],
    ["import './b.ts';", ['relay/b.ts']],
    ["import b from '../b.ts';", ['b.ts']],
    ["import * as b from './b.ts';", ['relay/b.ts']],
    ["import {\n  a,\n  c,\n} from './b.ts';", ['relay/b.ts']],
    ["export { a } from './b.ts';", ['relay/b.ts']],
    ["export * from './b.ts';", ['relay/b.ts']],
    ["export type { a } from './b.ts';", ['relay/b.ts (type)']],
    ["const b = await import('./b.ts');", ['relay/b.ts']],
    ['import { a } from "./b.ts";', ['relay/b.ts']],
    ["import { hash } from 'node:crypto';", ['node:crypto']],
    ["import { Ajv2020 } from 'ajv/dist/2020.js';", ['ajv/dist/2020.js']],
    ["// import { a } from './b.ts';", []],
    ["/* import { a } from './b.ts';\n */", []],
    ["/** import { a } from './b.ts' */\nimport { c } from './d.ts';", ['relay/d.ts']],
    ["import a from './a.ts';import b from './b.ts';", ['relay/a.ts', 'relay/b.ts']],
  ])('%j', (text, wanted) => {
    expect(importsOf('relay/x.ts', text).map(({ target, typeOnly }) => (typeOnly ? `${target} (type)` : target))).toEqual(wanted);
  });
});

describe('the layers', () => {
  test.each<[string, string, string[]]>([
    ['openai/a.ts', "import { b } from '../config/b.ts';", ['config/b.ts']],
    ['openai/a.ts', "import { b } from '../relay/b.ts';", ['relay/b.ts']],
    ['config/a.ts', "import type { b } from '../relay/b.ts';", ['relay/b.ts']],
    ['catalog/a.ts', "import { b } from '../openai/b.ts';", ['openai/b.ts']],
    ['translators/qwen/a.ts', "import { b } from '../../relay/b.ts';", ['relay/b.ts']],
    ['translators/qwen/a.ts', "import type { b } from '../../config/b.ts';", ['config/b.ts']],
    ['relay/a.ts', "import { b } from '../translators/qwen/b.ts';", ['translators/qwen/b.ts']],
    ['relay/a.ts', "import { b } from '../translators/registry.ts';", ['translators/registry.ts']],
    ['relay/a.ts', "import { b } from '../config/load.ts';", ['config/load.ts']],
    ['relay/a.ts', "import { b } from '../routes/b.ts';", ['routes/b.ts']],
    ['routes/a.ts', "import { b } from '../translators/b.ts';", ['translators/b.ts']],
    ['routes/a.ts', "import { b } from '../server/b.ts';", ['server/b.ts']],
    ['routes/a.ts', "import { b } from '../config/load.ts';", ['config/load.ts']],
    ['server/a.ts', "import { b } from '../simulator/b.ts';", ['simulator/b.ts']],
    ['server/a.ts', "import { b } from '../test/b.ts';", ['test/b.ts']],
    ['cli/a.ts', "const b = await import('../simulator/b.ts');", ['simulator/b.ts']],
    ['simulator/a.ts', "import { b } from '../openai/b.ts';", ['openai/b.ts']],
    ['simulator/a.ts', "import type { b } from '../translators/b.ts';", ['translators/b.ts']],
  ])('%s may not: %s', (file, line, wanted) => expect(one(file, line, wanted)).toEqual(wanted));

  test.each<[string, string]>([
    ['openai/a.ts', "import { z } from 'zod';"],
    ['openai/a.ts', "import { z } from 'zod/v4';"],
    ['openai/a.ts', "import { z } from '@scope/package';"],
    ['translators/a.ts', "import { Ajv2020 } from 'ajv/dist/2020.js';"],
    ['translators/a.ts', "import { readFile } from 'node:fs/promises';"],
    ['translators/a.ts', "import { readFile } from 'fs/promises';"],
    ['translators/a.ts', "import { readFile } from 'fs';"],
  ])('%s may not: %s', (file, line) => expect(one(file, line)).toHaveLength(1));

  test.each<[string, string, string[]]>([
    ['openai/a.ts', "import { b } from './b.ts';", ['openai/b.ts']],
    ['openai/a.ts', "import { isUtf8 } from 'node:buffer';", []],
    ['translators/glm/a.ts', "import { b } from '../../openai/b.ts';", ['openai/b.ts']],
    ['translators/glm/a.ts', "import { b } from '../compatible/b.ts';", ['translators/compatible/b.ts']],
    ['relay/a.ts', "import type { b } from '../config/config.ts';", ['config/config.ts']],
    ['relay/a.ts', "import { b } from '../config/glob.ts';", ['config/glob.ts']],
    ['relay/a.ts', "import type { b } from '../catalog/catalog.ts';", ['catalog/catalog.ts']],
    ['relay/a.ts', "import { b } from '../translators/receipt.ts';", ['translators/receipt.ts']],
    ['relay/a.ts', "import { Pool } from 'undici';", []],
    ['server/a.ts', "import { b } from '../translators/registry.ts';", ['translators/registry.ts']],
    ['test/a.ts', "import { b } from '../simulator/b.ts';", ['simulator/b.ts']],
  ])('%s may: %s', (file, line, others) => expect(one(file, line, others)).toEqual([]));
});

describe('cycles', () => {
  const WHY = 'a cycle';
  test('of two, of three, and of one', () => {
    expect(of({ 'relay/a.ts': "import './b.ts';", 'relay/b.ts': "import './a.ts';" })).toEqual([
      { file: 'relay/a.ts', imports: 'relay/a.ts → relay/b.ts → relay/a.ts', why: WHY },
    ]);
    expect(
      of({ 'relay/a.ts': "import './b.ts';", 'relay/b.ts': "import './c.ts';", 'relay/c.ts': "import './b.ts';" }).map(
        ({ imports }) => imports,
      ),
    ).toEqual(['relay/b.ts → relay/c.ts → relay/b.ts']);
    expect(of({ 'relay/a.ts': "import './a.ts';" }).map(({ why }) => why)).toEqual([WHY]);
  });

  test('types make none', () => {
    expect(of({ 'relay/a.ts': "import type { b } from './b.ts';", 'relay/b.ts': "import './a.ts';" })).toEqual([]);
  });

  test('a file reached by two ways is no cycle', () => {
    const files = {
      'relay/a.ts': "import './b.ts';import './c.ts';",
      'relay/b.ts': "import './d.ts';",
      'relay/c.ts': "import './d.ts';",
      'relay/d.ts': '',
    };
    expect(of(files)).toEqual([]);
  });
});

test('every folder of the source has a rule', () => {
  const folders = new Set([...sources().keys()].map((file) => file.split('/')[0] as string));
  const ruled = new Set(IMPORT_RULES.map(({ folder }) => folder));
  // Tests may import all; what has no rule of its own must be named here.
  expect([...folders].filter((folder) => !ruled.has(folder))).toEqual(['test']);
});

test('the project keeps to its rules', () => {
  const files = sources();
  expect(files.size).toBeGreaterThan(150);
  expect(violations(files, IMPORT_RULES)).toEqual([]);
});
