import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Card } from '../scorecard/card.ts';
import { worse } from '../scorecard/verdict.ts';
import { TRANSLATION_MUTATIONS, type TranslationMutation } from './translation-mutations.ts';

/**
 * Breaks rules of the translators one after the other, in a copy, and fills the scorecard each time: exactly the cells of that rule must
 * fall. Exit code 1 when one does not, or another does. Rules of one vendor run on its own backends, shared ones on all.
 * `npx node tools/mutate-translation.ts [part of a name]`
 */
const root = resolve(import.meta.dirname, '..');
const copy = mkdtempSync(join(tmpdir(), 'estafet-mutants-'));

async function fill(backends: readonly string[]): Promise<Card> {
  const args = ['cli/cli.js', 'scorecard', '--json', '--backend', backends.join()];
  const child = spawn(process.execPath, args, { cwd: copy, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) text += chunk;
  return JSON.parse(text) as Card;
}

/** `feature/backend` of the cells that are worse, and of those that are better. */
function moved(before: Card, after: Card): { fallen: Set<string>; risen: Set<string> } {
  const old = new Map(before.cells.map((cell) => [cell.id, cell.verdict]));
  const fallen = new Set<string>();
  const risen = new Set<string>();
  for (const { id, feature, backend, verdict } of after.cells) {
    const was = old.get(id) ?? 'untested';
    if (worse(was, verdict)) fallen.add(`${feature}/${backend}`);
    else if (was !== verdict) risen.add(`${feature}/${backend}`);
  }
  return { fallen, risen };
}

/** Rules below a vendor's folder cannot reach another's: nobody else may import them. */
const touched = ({ file }: TranslationMutation): readonly string[] =>
  file.startsWith('qwen/') ? ['qwen', 'qwen-native'] : (/^(ernie|glm)\//.exec(file)?.slice(1) ?? ['qwen', 'qwen-native', 'ernie', 'glm']);

async function caught(mutation: TranslationMutation, before: Card): Promise<boolean> {
  const { name, file, from, to, backends, falls } = mutation;
  const path = join(copy, file.startsWith('catalog/') ? file : `translators/${file}`);
  const text = readFileSync(path, 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${name}: the text to replace is not once in ${file}.`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
  try {
    const { fallen, risen } = moved(before, await fill(touched(mutation)));
    const due = new Set(
      falls.flatMap((feature) => (feature.includes('/') ? [feature] : backends.map((backend) => `${feature}/${backend}`))),
    );
    const missed = [...due].filter((cell) => !fallen.has(cell));
    const others = [...[...fallen].filter((cell) => !due.has(cell)), ...risen];
    const good = missed.length === 0 && others.length === 0;
    console.log(`${good ? 'caught  ' : 'WRONG   '}  ${name}: ${[...fallen].join(', ') || 'nothing'} fell`);
    if (missed.length > 0) console.log(`          did not fall: ${missed.join(', ')}`);
    if (others.length > 0) console.log(`          moved too: ${others.join(', ')}`);
    return good;
  } finally {
    writeFileSync(path, text);
  }
}

try {
  for (const path of [
    'catalog',
    'cli',
    'config',
    'openai',
    'relay',
    'routes',
    'scorecard',
    'server',
    'simulator',
    'translators',
    'package.json',
  ])
    cpSync(join(root, path), join(copy, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const wanted = TRANSLATION_MUTATIONS.filter(({ name }) => name.includes(process.argv[2] ?? ''));
  const before = await fill([...new Set(wanted.flatMap(touched))]);
  let good = 0;
  for (const mutation of wanted) if (await caught(mutation, before)) good++;
  console.log(`${good} of ${wanted.length} mutations made exactly their cells fall`);
  process.exitCode = good < wanted.length || wanted.length === 0 ? 1 : 0;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
