import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from './pages.ts';

/** There is no engine to build the image with in the tests: what can be read is held to the tree. */
const dockerfile = readFileSync(`${root}Dockerfile`, 'utf8');
const ignored = readFileSync(`${root}.dockerignore`, 'utf8').split('\n');
const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) => (match[1] as string).split(' '));

test('something is copied', () => expect(copied.length).toBeGreaterThan(10));

test.each(copied)('%s exists and is let into the build', (path) => {
  expect(existsSync(root + path)).toBe(true);
  expect(ignored).toContain(`!${path}`);
});

test('nothing else is let in', () => {
  expect(ignored).toContain('*');
  expect(ignored.filter((line) => line.startsWith('!')).map((line) => line.slice(1))).toEqual(expect.arrayContaining([...new Set(copied)]));
  expect(ignored.filter((line) => line.startsWith('!') && !copied.includes(line.slice(1)))).toEqual([]);
});

test('every folder that is compiled is copied', () => {
  const { include } = JSON.parse(readFileSync(`${root}tsconfig.build.json`, 'utf8')) as { include: string[] };
  expect(copied).toEqual(expect.arrayContaining(include));
});

const place = mkdtempSync(join(tmpdir(), 'estafet-image-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

test('what is copied is enough to build from, and what is built runs without the rest', () => {
  for (const path of copied) cpSync(join(root, path), join(place, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(place, 'node_modules'));
  const build = spawnSync(process.execPath, ['tools/build.ts'], { cwd: place, encoding: 'utf8' });
  expect(build.stdout + build.stderr).toBe('');
  for (const path of copied.filter((path) => !path.startsWith('package'))) rmSync(join(place, path), { recursive: true, force: true });
  const printed = execFileSync(process.execPath, ['dist/cli/cli.js', 'check', '--help'], { cwd: place, encoding: 'utf8' });
  expect(printed).toContain('Usage: estafet check');
});

test('the last stage runs without root and without development packages', () => {
  const last = dockerfile.split(/^FROM /m).at(-1) as string;
  expect(last).toMatch(/^USER node$/m);
  // Nothing is installed or built here: only the folder of the books is made.
  expect(last.match(/^RUN .*$/gm)).toEqual(['RUN mkdir data && chown node:node data']);
  expect(dockerfile.split(/^FROM /m).find((stage) => stage.includes('AS packages'))).toContain('npm ci --omit=dev --workspaces=false');
  expect(last).toContain('COPY --from=packages /app/node_modules');
});

test('what Node has compiled is made by the user and at the place of the last stage, and is owned by root there', () => {
  const stages = dockerfile.split(/^FROM /m);
  const [warm, last] = [stages.find((stage) => stage.includes('AS warm')), stages.at(-1)] as [string, string];
  expect(warm).toMatch(
    /^packages AS warm\n[\s\S]*^USER node\nRUN node tools\/warm\.ts\nUSER root\nRUN chown -R root:root \.cache && chmod -R a\+rX \.cache$/m,
  );
  // What is copied from a stage keeps its owner there.
  expect(last).toMatch(/^COPY --from=warm \/app\/\.cache \.cache$/m);
  for (const stage of stages.slice(1, 3)) expect(stage).toMatch(/^WORKDIR \/app$/m);
  expect(last).toMatch(/^WORKDIR \/app$/m);
});

test('every stage starts from the same image', () => {
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map((match) => match[1]);
  expect(new Set(bases.filter((base) => base !== 'packages')).size).toBe(1);
  expect(bases[0]).toMatch(/^node:24-.*-slim$/);
});
