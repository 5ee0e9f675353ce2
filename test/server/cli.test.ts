import { existsSync, readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from 'vitest';
import { cleanUp, estafet, folder } from './process.ts';
import { ENV, FILE } from './relay-file.ts';

afterEach(cleanUp);

describe('usage', () => {
  test.each([['--help'], ['serve', '--help']])('%s %s', async (...args) => {
    const run = estafet(args.filter((arg) => arg !== undefined));
    expect(await run.exit).toBe(0);
    expect(run.stdout).toMatch(/Usage: estafet/);
    if (args.length === 1) for (const word of ['serve', 'check', 'simulate']) expect(run.stdout).toContain(word);
    expect(run.stderr).toBe('');
  });

  test.each([['--help'], ['-h']])('simulate %s is the help of the simulator, under the name it was called by', async (option) => {
    const run = estafet(['simulate', option]);
    expect(await run.exit).toBe(0);
    expect(run.stdout).toMatch(/^usage: estafet simulate \[--vendors /);
    for (const word of ['--vendors', '--host', '--port', '--quiet', '--help'])
      expect(run.stdout).toContain(`  ${word}`.replace('  --help', '-h, --help'));
    expect(run.stderr).toBe('');
  });

  test('a wrong option of the simulator is told under the same name', async () => {
    const run = estafet(['simulate', '--nope']);
    expect(await run.exit).toBe(2);
    expect(run.stderr).toContain('usage: estafet simulate ');
  });

  test('--version', async () => {
    const run = estafet(['--version']);
    expect(await run.exit).toBe(0);
    expect(run.stdout.trim()).toBe((JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version);
  });

  test.each([
    ['serve', '--nope'],
    ['nope'],
    ['serve', '--port', 'x'],
    ['serve', '--port', '70000'],
    ['serve', '--port'],
    ['check', 'a', 'b'],
  ])('wrong usage is exit code 2: %s %s %s', async (...args) => {
    const run = estafet(args.filter((arg) => arg !== undefined));
    expect(await run.exit).toBe(2);
    expect(run.stderr).toMatch(/error:/);
    expect(run.stdout).toBe('');
  });
});

describe('check', () => {
  test('--against shows what changes', async () => {
    const next = FILE(0).replace('qwen-plus', 'qwen-flash').replace('port: 0', 'port: 1');
    const run = estafet(['check', 'f.yaml', '--against', 'old.yaml'], ENV, folder({ 'f.yaml': next, 'old.yaml': FILE(0) }));
    expect(await run.exit).toBe(0);
    const lines = run.stdout.trimEnd().split('\n');
    expect(lines.slice(lines.findIndex((line) => line.startsWith('changes')))).toEqual([
      'changes compared with old.yaml (- less, + more, ~ other, ! needs a restart):',
      '  - team t reaches fewer backends for gpt-4o (keys app)',
      '  + team t reaches more backends for gpt-4o (keys app)',
      '  ~ model gpt-4o: q/qwen-plus → q/qwen-flash',
      '  ! server.port needs a restart; the old value stays in force',
    ]);
  });

  test('--against a file that is no good', async () => {
    const run = estafet(['check', 'f.yaml', '--against', 'none.yaml'], ENV, folder({ 'f.yaml': FILE(0) }));
    expect(await run.exit).toBe(1);
    expect(run.stderr).toMatch(/none\.yaml.*no such file/);
  });

  test('a good file', async () => {
    const run = estafet(['check', 'f.yaml'], ENV, folder({ 'f.yaml': FILE(0) }));
    expect(await run.exit).toBe(0);
    expect(run.stdout).toContain('gpt-4o');
    expect(run.stdout + run.stderr).not.toContain(ENV.BACKEND_KEY);
  });

  test.each<[string, Record<string, string>, string, RegExp]>([
    ['a file that is not there', {}, 'f.yaml', /f\.yaml/],
    ['the default file, not there', {}, '', /estafet\.yaml/],
    ['no YAML', { 'f.yaml': '{' }, 'f.yaml', /f\.yaml:1/],
    ['a wrong key', { 'f.yaml': FILE(0).replace('backends:', 'backend:') }, 'f.yaml', /backend/],
    ['a secret that is not set', { 'f.yaml': FILE(0).replace('BACKEND_KEY', 'NOT_SET') }, 'f.yaml', /NOT_SET is not set/],
    ['a wrong port', { 'f.yaml': FILE(70_000) }, 'f.yaml', /port/],
  ])('%s', async (_name, files, file, wanted) => {
    const run = estafet(['check', ...(file === '' ? [] : [file])], ENV, folder(files));
    expect(await run.exit).toBe(1);
    expect(run.stderr).toMatch(wanted);
    expect(run.stderr).not.toMatch(/\n\s+at /);
    expect(run.stdout).toBe('');
  });
});

describe('an old Node', () => {
  /** cli.js with another version, up to where it would load the rest. */
  function start(version: string): { exit: number | null; said: string } {
    const text = readFileSync('cli/cli.js', 'utf8').replace(/^#!.*$/m, '');
    const guard = text.slice(0, text.indexOf('const compiled'));
    expect(guard).toContain('process.versions');
    const said: string[] = [];
    let exit: number | null = null;
    const process_ = {
      versions: { node: version },
      exit: (code: number) => {
        exit = code;
        throw new Error('exit');
      },
    };
    try {
      runInNewContext(guard, { process: process_, console: { error: (line: string) => said.push(line) } });
    } catch (error) {
      if (exit === null) throw error;
    }
    return { exit, said: said.join('\n') };
  }

  test.each(['12.22.0', '18.20.4', '20.19.0', '22.0.0', '22.18.9'])('%s is told what it lacks', (version) => {
    const { exit, said } = start(version);
    expect(exit).toBe(1);
    expect(said).toContain('22.19');
    expect(said).toContain(version);
  });

  test.each(['22.19.0', '22.20.1', '23.0.0', '24.21.0', '100.0.0'])('%s is fine', (version) => {
    expect(start(version)).toEqual({ exit: null, said: '' });
  });

  test('nothing is imported before the guard', () => {
    const text = readFileSync('cli/cli.js', 'utf8');
    expect(text).not.toMatch(/^import\s/m);
    expect(existsSync('cli/main.ts')).toBe(true);
  });
});
