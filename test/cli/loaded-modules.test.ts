import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const CLI = fileURLToPath(new URL('../../cli/cli.js', import.meta.url));
const PROBE = new URL('./loaded-modules.ts', import.meta.url).href;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'estafet-loaded-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What the main thread of a relay has loaded by its end, and whether it had listened. */
async function served(database: string): Promise<{ readonly listened: boolean; readonly packages: readonly string[] }> {
  const file = join(folder, 'estafet.yaml');
  writeFileSync(
    file,
    `server: { port: 0 }
backends: { q: { vendor: qwen, baseUrl: 'http://127.0.0.1:1', apiKey: 'env:BACKEND_KEY' } }
models: { gpt-4o: [q/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: []
database: '${database}'
`,
  );
  const loaded = join(folder, 'loaded');
  const child = spawn(process.execPath, ['--import', PROBE, CLI, 'serve', '-c', file], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', BACKEND_KEY: 'k', LOADED: loaded },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  const listens = (): boolean => out.includes('Estafet listens on');
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    if (listens()) child.kill('SIGTERM');
  });
  await once(child, 'close');
  return { listened: listens(), packages: JSON.parse(readFileSync(`${loaded}.${child.pid}`, 'utf8')) as string[] };
}

test.each(['sqlite:./data/books.db', 'memory:'])('with SQLite (%s) the main thread loads nothing that speaks SQL', async (database) => {
  const { listened, packages } = await served(database);
  expect(listened).toBe(true);
  expect(packages).toContain('express');
  expect(packages.filter((name) => name === 'kysely' || name.startsWith('pg'))).toEqual([]);
});

test('with PostgreSQL it does', async () => {
  const { listened, packages } = await served('postgres://u:p@127.0.0.1:1/books');
  expect(listened).toBe(false);
  expect(packages).toEqual(expect.arrayContaining(['kysely', 'pg']));
});
