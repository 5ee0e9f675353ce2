import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cleanUp, estafet } from '../server/process.ts';
import { ENV, FILE, listening } from '../server/relay-file.ts';

/** The real entry, before a program that tells where this process and its children keep what they have compiled. */
const ENTRY = fileURLToPath(new URL('../../cli/cli.js', import.meta.url));
const TELL = 'JSON.stringify({ own: getCompileCacheDir() ?? null, children: process.env.NODE_COMPILE_CACHE ?? null })';
const MAIN = `import { getCompileCacheDir } from 'node:module';\nexport const main = () => console.log(${TELL});\n`;

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'estafet-compiled-')));
});
afterEach(async () => {
  await cleanUp();
  rmSync(folder, { recursive: true, force: true });
});

function start(tree: string, main: string, env: Record<string, string> = {}): { own: string | null; children: string | null } {
  mkdirSync(join(folder, tree), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  cpSync(ENTRY, join(folder, tree, 'cli.js'));
  writeFileSync(join(folder, tree, main), MAIN);
  // All that is said goes into one text: a warning would make it no JSON.
  const told = execFileSync('/bin/sh', ['-c', 'exec "$0" "$1" 2>&1', process.execPath, join(folder, tree, 'cli.js')], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    encoding: 'utf8',
  });
  return JSON.parse(told) as { own: string | null; children: string | null };
}

test('it is kept beside the built tree, for children too', () => {
  const { own, children } = start('dist/cli', 'main.js');
  expect(children).toBe(join(folder, '.cache/compiled'));
  expect(dirname(own as string)).toBe(children);
});

test('it is kept where the admin says', () => {
  const elsewhere = join(folder, 'elsewhere');
  const { own, children } = start('dist/cli', 'main.js', { NODE_COMPILE_CACHE: elsewhere });
  expect(children).toBe(elsewhere);
  expect(dirname(own as string)).toBe(elsewhere);
  expect(existsSync(join(folder, '.cache'))).toBe(false);
});

test('it is not kept when the admin says so', () => {
  expect(start('dist/cli', 'main.js', { NODE_DISABLE_COMPILE_CACHE: '1' }).own).toBeNull();
  expect(existsSync(join(folder, '.cache'))).toBe(false);
});

test('where it cannot be written, the relay starts without it and says nothing', () => {
  writeFileSync(join(folder, '.cache'), 'a file, where the folder would be');
  expect(start('dist/cli', 'main.js').own).toBeNull();
});

test('the source tree keeps nothing', () => {
  expect(start('cli', 'main.ts')).toEqual({ own: null, children: null });
  expect(existsSync(join(folder, '.cache'))).toBe(false);
});

test('it is written once a relay serves, not at its end: what is killed then has left it for the next start', async () => {
  writeFileSync(join(folder, 'f.yaml'), FILE(0));
  const kept = join(folder, 'compiled');
  const run = estafet(['serve', '--config', 'f.yaml'], { ...ENV, NODE_COMPILE_CACHE: kept }, folder);
  await listening(run);
  run.child.kill('SIGKILL');
  await run.exit;
  expect(readdirSync(kept, { recursive: true }).length).toBeGreaterThan(100);
});
