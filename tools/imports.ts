import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { IMPORT_RULES, type ImportRule } from './import-rules.ts';

/**
 * Who may import whom, and no cycles. The usual tools read TypeScript through the compiler's old programming interface, which
 * TypeScript 7 does not have; this needs 100 lines and no package (docs/decisions/0005-import-rules.md).
 */
export interface Violation {
  readonly file: string;
  readonly imports: string;
  readonly why: string;
}

interface Import {
  readonly target: string;
  readonly typeOnly: boolean;
  /** A file, by a relative path; else a package or a module of Node. */
  readonly local: boolean;
}

const SPECIFIER = /\b(?:import|export)\s+(type\s+)?(?:[^'"();]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** The imports of one file: relative ones as paths from the root, others as they stand. */
export function importsOf(file: string, text: string): Import[] {
  // Comments go first, so that an example in one is no import.
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found: Import[] = [];
  for (const match of code.matchAll(SPECIFIER)) {
    const specifier = (match[2] ?? match[3]) as string;
    const local = specifier.startsWith('.');
    const target = local ? normalize(join(dirname(file), specifier)) : specifier;
    found.push({ target, typeOnly: match[1] !== undefined, local });
  }
  return found;
}

export function violations(files: ReadonlyMap<string, string>, rules: readonly ImportRule[]): Violation[] {
  const out: Violation[] = [];
  const graph = new Map<string, string[]>();
  for (const [file, text] of files) {
    const rule = rules.find(({ folder }) => file.startsWith(`${folder}/`));
    const imports = importsOf(file, text);
    graph.set(
      file,
      imports.filter(({ target, typeOnly, local }) => local && files.has(target) && !typeOnly).map(({ target }) => target),
    );
    if (rule === undefined) continue;
    for (const found of imports) {
      const why = refusal(rule, found, files);
      if (why !== null) out.push({ file, imports: found.target, why });
    }
  }
  return [...out, ...cycles(graph)];
}

function refusal(rule: ImportRule, { target, typeOnly, local }: Import, files: ReadonlyMap<string, string>): string | null {
  if (target.startsWith('node:')) return rule.node === false ? `${rule.folder}/ is pure: no node: module` : null;
  if (!local) return rule.packages === false ? `${rule.folder}/ uses no package` : null;
  if (!files.has(target)) return null;
  if (target.startsWith(`${rule.folder}/`)) return null;
  const allowed = rule.may.some((entry) => target === entry || target.startsWith(`${entry}/`));
  const allowedType = typeOnly && (rule.types ?? []).some((entry) => target === entry || target.startsWith(`${entry}/`));
  return allowed || allowedType
    ? null
    : `${rule.folder}/ may import ${[...rule.may, ...(rule.types ?? []).map((entry) => `${entry} (types)`)].join(', ') || 'nothing of ours'}`;
}

/** Each cycle once, as the file where it was met and the way round. */
function cycles(graph: ReadonlyMap<string, string[]>): Violation[] {
  const done = new Set<string>();
  const found: Violation[] = [];
  const visit = (file: string, way: readonly string[]): void => {
    const at = way.indexOf(file);
    if (at >= 0) {
      found.push({ file, imports: [...way.slice(at), file].join(' → '), why: 'a cycle' });
      return;
    }
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...way, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

/** Every source file of the project, by path from the root. */
export function sources(): Map<string, string> {
  const files = globSync(
    '{admin,advisor,bench,catalog,cli,config,openai,relay,routes,scorecard,server,simulator,test,tools,translators}/**/*.ts',
    {
      exclude: ['**/node_modules/**', 'tools/node24/**'],
    },
  );
  return new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
}

if (import.meta.main) {
  const files = sources();
  const found = violations(files, IMPORT_RULES);
  for (const { file, imports, why } of found) console.error(`${file} → ${imports}: ${why}`);
  console.log(`imports: ${files.size} files, ${found.length} violations`);
  if (found.length > 0) process.exitCode = 1;
}
