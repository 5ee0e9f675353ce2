import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { QUOTA_MUTATIONS } from './quota-mutations.ts';

/**
 * Breaks the quota engine in one way after the other, in a copy, and shows that its tests fail each time. Exit code 1 when one survives.
 * `npx node tools/mutate-quota.ts [part of a name]…`: with parts, only those whose name holds one of them.
 */
const root = resolve(import.meta.dirname, '..');
const copy = mkdtempSync(join(tmpdir(), 'estafet-mutants-'));

function tested(): { readonly pass: boolean; readonly said: string } {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { status, stdout } = spawnSync(process.execPath, [vitest, 'run', '--bail=1', 'test/relay/quota'], { cwd: copy, encoding: 'utf8' });
  return { pass: status === 0, said: stdout };
}

try {
  for (const path of [
    'catalog',
    'config',
    'openai',
    'relay',
    'server',
    'translators',
    'server/redis-connection.ts',
    'test/relay/ledger',
    'test/relay/quota',
    'test/free-port.ts',
    'test/services.ts',
    'package.json',
    'tsconfig.json',
    'vitest.config.ts',
  ]) {
    cpSync(join(root, path), join(copy, path), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const { pass, said } = tested();
  if (!pass) throw new Error(`The tests fail without any mutation: nothing can be shown.\n${said}`);
  const parts = process.argv.slice(2);
  const wanted = QUOTA_MUTATIONS.filter(({ name }) => parts.length === 0 || parts.some((part) => name.includes(part)));
  let survivors = 0;
  for (const { name, file, from, to } of wanted) {
    const path = join(copy, 'relay/quota', file);
    const text = readFileSync(path, 'utf8');
    if (text.split(from).length !== 2) throw new Error(`${name}: the text to replace is not once in ${file}.`);
    writeFileSync(
      path,
      text.replace(from, () => to),
    );
    const survived = tested().pass;
    if (survived) survivors++;
    console.log(`${survived ? 'SURVIVED' : 'caught  '}  ${name}`);
    writeFileSync(path, text);
  }
  console.log(`${wanted.length - survivors} of ${wanted.length} mutations caught`);
  process.exitCode = survivors > 0 || wanted.length === 0 ? 1 : 0;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
