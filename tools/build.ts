import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';

/**
 * Compiles the tree to dist/ and copies what is not code. `--if-stale` does nothing when dist/ is newer than every source: that is what
 * `npm start` runs first.
 */
const STAMP = 'dist/.built';
const SOURCES = (JSON.parse(readFileSync('tsconfig.build.json', 'utf8')) as { include: string[] }).include;
const ASSETS = ['catalog/families.json', 'catalog/models.json', 'cli/cli.js'];

function stale(): boolean {
  if (!existsSync(STAMP)) return true;
  const built = statSync(STAMP).mtimeMs;
  const files = [
    ...globSync(SOURCES.map((folder) => `${folder}/**/*.{ts,js,json,lua}`)),
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
  ];
  return files.some((file) => statSync(file).mtimeMs > built);
}

if (!process.argv.includes('--if-stale') || stale()) {
  rmSync('dist', { recursive: true, force: true });
  execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
  for (const asset of [...ASSETS, ...globSync('relay/**/*.lua')]) cpSync(asset, `dist/${asset}`);
  writeFileSync(STAMP, '');
}
