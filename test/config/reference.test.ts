import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { loadConfigFile, parseConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problem.ts';
import { configJsonSchema, configKeys } from '../../config/reference.ts';
import { configSchema } from '../../config/schema.ts';
import { entryOf, type Schema, shapeOf } from '../../config/schema-walk.ts';
import { generateConfigDocs } from '../../tools/docs-config.ts';
import { noFile, vendors } from './setup.ts';

const root = new URL('../../', import.meta.url);

/** Paths of all keys, read from the Zod schema itself and not from the JSON Schema the page is made of. */
function pathsOf(schema: Schema, path = ''): string[] {
  const options = optionsOf(schema);
  if (options !== undefined) return options.flatMap((option) => pathsOf(option, path));
  const entry = entryOf(schema);
  if (entry !== undefined) return pathsOf(entry, `${path}${isList(schema) ? '[]' : '.<name>'}`);
  return Object.entries(shapeOf(schema) ?? {}).flatMap(([key, child]) => {
    const here = path === '' ? key : `${path}.${key}`;
    return [here, ...pathsOf(child, here)];
  });
}

function optionsOf(schema: Schema): readonly Schema[] | undefined {
  const { def } = (schema as { _zod: { def: { options?: readonly Schema[]; innerType?: Schema } } })._zod;
  return def.options ?? (def.innerType === undefined ? undefined : optionsOf(def.innerType));
}

function isList(schema: Schema): boolean {
  const { def } = (schema as { _zod: { def: { type: string; innerType?: Schema } } })._zod;
  return def.type === 'array' || (def.innerType !== undefined && isList(def.innerType));
}

describe('the reference', () => {
  const page = generateConfigDocs()['docs/generated/config.md'] ?? '';
  const documented = [...page.matchAll(/^\| \**`([^`]+)`/gm)].map((match) => match[1]);

  test('has every key of the schema, and no other', () => {
    const known = pathsOf(configSchema(vendors));
    expect(known.length).toBeGreaterThan(60);
    expect(documented.toSorted()).toEqual(known.toSorted());
  });

  test('describes every key', () => {
    for (const { path, description, type } of configKeys(vendors)) {
      expect(description, path).toMatch(/^[A-Z`].*[^.]\.$|^`.*\.$/);
      expect(type, path).not.toBe('');
    }
  });

  test.each(Object.entries(generateConfigDocs()))('%s is up to date', (path, text) => {
    expect(readFileSync(new URL(path, root), 'utf8')).toBe(text);
  });
});

describe.each(readdirSync(new URL('config/examples/', root)))('the example %s', (name) => {
  const path = new URL(`config/examples/${name}`, root).pathname;
  const text = readFileSync(path, 'utf8');
  const env = Object.fromEntries(
    [...text.matchAll(/\$\{(\w+)\}|env:(\w+)/g)].map(([, braces, prefix]) => [braces ?? prefix, `value-of-${braces ?? prefix}-in-a-test`]),
  );
  const readFile = (file: string) => (file === path ? readFileSync(file) : new TextEncoder().encode('value-from-a-file'));

  test('is accepted', () => {
    const result = loadConfigFile(path, { env, vendors, readFile });
    expect(result.ok ? [] : result.problems.map(formatProblem)).toEqual([]);
  });

  test('warns of nothing but what is not enforced yet', () => {
    const result = loadConfigFile(path, { env, vendors, readFile });
    const warnings = result.ok ? result.warnings : [];
    expect(warnings.filter(({ message }) => !message.endsWith('not enforced by this release'))).toEqual([]);
  });

  test('fits the JSON Schema, and is plain YAML to other tools', () => {
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(configJsonSchema(vendors));
    expect(validate(parseYaml(text)), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...parseYaml(text), sevrer: {} })).toBe(false);
    expect(validate({})).toBe(false);
  });
});

test('the smallest file of the guide is accepted', () => {
  const guide = readFileSync(new URL('docs/guide/configuration.md', root), 'utf8');
  const [text] = [...guide.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '').filter((yaml) => yaml.includes('backends:'));
  const result = parseConfig(text ?? '', {
    file: 'f.yaml',
    env: { DASHSCOPE_API_KEY: 'a', APP_KEY: 'b'.repeat(20) },
    readFile: noFile,
    vendors,
  });
  expect(result.ok ? result.warnings : result.problems).toEqual([]);
});
