import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ERRORS, type ErrorName } from '../../openai/errors.ts';
import { generateConfigDocs } from '../../tools/docs-config.ts';
import { generateErrorDocs } from '../../tools/docs-errors.ts';
import { generateMetricsDocs } from '../../tools/docs-metrics.ts';
import { sources } from '../../tools/imports.ts';
import { TRANSLATORS } from '../../translators/registry.ts';

/** Promises about the whole project: each is kept by looking at every file. */

const tracked = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' })
  .split('\0')
  .filter((file) => file !== '' && existsSync(file));

describe('errors and their reference', () => {
  const page = readFileSync('docs/generated/errors.md', 'utf8');
  const rows = page
    .split('\n')
    .map((line) => /^\| `(\w+)` \| (\d+) \| `(\w+)` \|/.exec(line))
    .filter((match) => match !== null);

  test('each error of the code is on the page, with its status and type', () => {
    const listed = new Map(rows.map(([, name, status, type]) => [name, `${status} ${type}`]));
    for (const [name, kind] of Object.entries(ERRORS)) expect(listed.get(name), name).toBe(`${kind.status} ${kind.type}`);
  });

  test('each error of the page is in the code', () => {
    expect(rows.length).toBeGreaterThan(40);
    expect(rows.map(([, name]) => name).filter((name) => !Object.hasOwn(ERRORS, name as string))).toEqual([]);
  });

  test('each error is used somewhere', () => {
    const code = [...sources()]
      .filter(([file]) => !file.startsWith('test/') && file !== 'openai/errors.ts')
      .map(([, text]) => text)
      .join('\n');
    expect((Object.keys(ERRORS) as ErrorName[]).filter((name) => !code.includes(`'${name}'`))).toEqual([]);
  });

  test.each(Object.entries({ ...generateConfigDocs(), ...generateErrorDocs(), ...generateMetricsDocs() }))(
    '%s is what `npm run docs` writes',
    (path, text) => {
      expect(readFileSync(path, 'utf8')).toBe(text);
    },
  );
});

describe('translators', () => {
  const folders = [...new Set(TRANSLATORS.map(({ vendor }) => vendor))];
  const REQUIRED = ['answer.ts', 'errors.ts', 'request.ts', 'thinking.ts', 'vendor.ts'];

  test.each(folders)('%s has the files that its siblings have', (vendor) => {
    const files = readdirSync(`translators/${vendor}`);
    for (const name of REQUIRED) expect(files).toContain(name);
  });

  test('every folder of a vendor is in the registry', () => {
    const there = readdirSync('translators', { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(
      there
        .map(({ name }) => name)
        .filter((name) => name !== 'compatible')
        .toSorted(),
    ).toEqual(folders.toSorted());
  });
});

describe('every file', () => {
  test('of the source has at most 300 lines', () => {
    const long = [...sources()].filter(([file, text]) => !file.startsWith('test/') && text.trimEnd().split('\n').length > 300);
    expect(long.map(([file]) => file)).toEqual([]);
  });

  test('has a name in kebab-case, and none that says nothing', () => {
    const names = [...sources().keys()].map((file) => file.split('/').at(-1) as string);
    expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.config)?\.ts$/.test(name))).toEqual([]);
    expect(names.filter((name) => /^(utils?|helpers?|common|misc)\.ts$/.test(name))).toEqual([]);
  });

  test('exports by name', () => {
    const found = [...sources()].filter(([file, text]) => !file.endsWith('.config.ts') && /^export default /m.test(text));
    expect(found.map(([file]) => file)).toEqual([]);
  });

  // Put together here, so that this file does not hold them itself.
  const FORBIDDEN = [
    ['/wo', 'rk/'],
    ['/tm', 'p/brief'],
    ['sub', 'agent'],
    ['registry.npm', 'mirror'],
    ['artifact', 'ory'],
    ['/.libr', 'ary/'],
  ].map((parts) => parts.join(''));
  test('tells of no machine it was written on', () => {
    const found: string[] = [];
    for (const file of tracked) {
      const text = readFileSync(file, 'utf8');
      for (const word of FORBIDDEN) if (text.toLowerCase().includes(word)) found.push(`${file}: ${word}`);
      if (file === 'package-lock.json') {
        const hosts = new Set([...text.matchAll(/"resolved": "https?:\/\/([^/"]+)/g)].map((match) => match[1]));
        for (const host of hosts) if (host !== 'registry.npmjs.org') found.push(`${file}: ${host}`);
      }
    }
    expect(found).toEqual([]);
  });

  test('holds no real-looking vendor key', () => {
    // Keys of the simulator and of tests say in themselves what they are.
    const found = tracked
      .filter((file) => /\.(ts|js|json|ya?ml|md)$/.test(file) && file !== 'package-lock.json')
      .flatMap((file) =>
        [
          ...readFileSync(file, 'utf8').matchAll(
            /\b(sk-[0-9a-f]{32}|bce-v3\/ALTAK-\w{20,}\/[0-9a-f]{40}|[0-9a-f]{32}\.[A-Za-z0-9]{16})\b/g,
          ),
        ].map((match) => `${file}: ${match[0]}`),
      );
    expect(found).toEqual([]);
  });
});

test('the command can be executed: the build copies its mode, and `npx estafet` sets none once the package is known', () => {
  expect(statSync('cli/cli.js').mode & 0o111).toBe(0o111);
});
