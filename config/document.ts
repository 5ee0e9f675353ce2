import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit, type YAMLError } from 'yaml';
import { tooDeepAt } from './nesting.ts';
import { type Locate, type Path, type Place, type Problem, Problems } from './problem.ts';

/**
 * YAML text → plain values that remember where they stood.
 *
 * Fails closed on whatever a reader could misread: duplicate keys, tags, `__proto__`, several documents, aliases in
 * bulk. Bounded: 1 MiB of text, 100 aliases, 32 levels, 100,000 values after the aliases are expanded.
 * Mappings come back without a prototype, so a key named `constructor` is an ordinary key.
 */
export function readDocument(text: string, file: string): ReadResult {
  const counter = new LineCounter();
  const places = new Map<string, { key: Place; value: Place }>();
  const problems = new Problems(file, (path, at) => closest(places, path, at));
  if (text.length > LONGEST_TEXT) {
    return refused(file, WHOLE, `the file is longer than ${LONGEST_TEXT / 1024} KiB`);
  }
  const { safe, restore } = shieldReferences(text.replace(/^\uFEFF/, ''));
  const placeAt = (offset: number): Place => {
    const { line, col } = counter.linePos(offset);
    return line > 0 ? { line, column: col } : START;
  };

  const deep = tooDeepAt(safe, DEEPEST);
  if (deep !== null) return refused(file, placeIn(safe, deep), TOO_DEEP);
  let root: Node | null;
  const targets = new Map<Node, Node>();
  try {
    const document = parseDocument(safe, {
      lineCounter: counter,
      prettyErrors: false,
      version: '1.2',
      schema: 'core',
      uniqueKeys: false,
      logLevel: 'error',
    });
    const faults = [...document.errors, ...document.warnings].toSorted((a, b) => a.pos[0] - b.pos[0]);
    if (faults.length > 0) {
      return {
        ok: false,
        problems: faults.slice(0, MOST_FAULTS).map((fault) => atPlace(file, placeAt(fault.pos[0]), restore(faultMessage(fault)))),
      };
    }
    root = document.contents;
    const anchors = new Map<string, Node>();
    visit(document, {
      Node: (_key, node) => {
        if (isAlias(node)) {
          const target = anchors.get(node.source);
          if (target !== undefined) targets.set(node, target);
        } else if (node.anchor !== undefined) anchors.set(node.anchor, node);
      },
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return refused(file, START, OUT_OF_STACK.test(reason) ? TOO_DEEP : `cannot be read as YAML: ${reason}`);
  }
  if (root === null || (isScalar(root) && root.value === null))
    return refused(file, START, 'the file is empty; config/examples has files to start from');
  if (!isMap(root)) return refused(file, START, 'the file must be a mapping such as "server: …", "backends: …"');

  let values = 0;
  let aliases = 0;
  const open = new Set<Node>();

  function convert(node: unknown, path: Path): unknown {
    if (isAlias(node)) return convertAlias(node, path);
    if (++values > MOST_VALUES) throw new Refusal(path, `the file holds more than ${MOST_VALUES} values once its aliases are expanded`);
    if (path.length > DEEPEST) throw new Refusal(path, TOO_DEEP);
    if (isMap(node)) return convertMap(node.items, path);
    if (isSeq(node)) {
      return node.items.map((item, index) => {
        remember([...path, index], item, item);
        return convert(item, [...path, index]);
      });
    }
    if (node === null || node === undefined) return null;
    if (!isScalar(node)) throw new Refusal(path, 'is not a plain value');
    if (typeof node.value === 'string') return restore(node.value);
    if (node.value === null || typeof node.value === 'number' || typeof node.value === 'boolean') return node.value;
    throw new Refusal(path, 'tags such as !!binary are not supported, write plain text');
  }

  function convertAlias(node: Node & { source: string }, path: Path): unknown {
    if (++aliases > MOST_ALIASES) throw new Refusal(path, `more than ${MOST_ALIASES} aliases (*name) in one file`);
    const target = targets.get(node);
    if (target === undefined) throw new Refusal(path, `alias *${node.source} has no anchor &${node.source} before it`);
    if (open.has(target)) throw new Refusal(path, `alias *${node.source} contains itself`);
    open.add(target);
    const value = convert(target, path);
    open.delete(target);
    return value;
  }

  function convertMap(items: readonly { key: unknown; value: unknown }[], path: Path): Record<string, unknown> {
    const result: Record<string, unknown> = Object.create(null);
    for (const { key, value } of items) {
      if (!isScalar(key)) throw new Refusal(path, 'a key must be plain text');
      // `4: …` or `true: …` are names here, whatever YAML would make of them.
      const name = restore(typeof key.value === 'string' ? key.value : (key.source ?? String(key.value)));
      const here = [...path, name];
      remember(here, key, value ?? key);
      if (name === '__proto__') throw new Refusal(here, '"__proto__" is not allowed as a name', 'key');
      if (Object.hasOwn(result, name)) problems.add(here, 'is written twice', { at: 'key' });
      result[name] = convert(value, here);
    }
    return result;
  }

  function remember(path: Path, key: unknown, value: unknown): void {
    const of = (node: unknown): Place => placeAt((node as Partial<Node> | null)?.range?.[0] ?? 0);
    places.set(pathId(path), { key: of(key), value: of(value) });
  }

  try {
    const value = convert(root, []) as Record<string, unknown>;
    if (problems.list.length > 0) return { ok: false, problems: problems.sorted() };
    return { ok: true, value, locate: (path, at) => closest(places, path, at) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    problems.add(error.path, error.message, { at: error.at });
    return { ok: false, problems: problems.sorted() };
  }
}

export type ReadResult =
  | { readonly ok: true; readonly value: Readonly<Record<string, unknown>>; readonly locate: Locate }
  | { readonly ok: false; readonly problems: Problem[] };

const LONGEST_TEXT = 1024 * 1024;
const MOST_ALIASES = 100;
const MOST_VALUES = 100_000;
const DEEPEST = 32;
const TOO_DEEP = `nested more than ${DEEPEST} levels`;
/** What the parser says, or throws, when a thousand levels of indentation were too many for it. */
const OUT_OF_STACK = /maximum call stack|stack overflow|too much recursion/i;
/** After a syntax error most others are its echoes. */
const MOST_FAULTS = 5;
const START: Place = { line: 1, column: 1 };
const WHOLE: Place = { line: 0, column: 0 };

class Refusal extends Error {
  readonly path: Path;
  readonly at: 'key' | 'value';

  constructor(path: Path, message: string, at: 'key' | 'value' = 'value') {
    super(message);
    this.path = path;
    this.at = at;
  }
}

/**
 * `${NAME}` may stand unquoted inside `{ … }` and `[ … ]`, where YAML would take its braces for a mapping. The two braces
 * are swapped for characters the text does not use, one for one so that no position moves, and swapped back afterwards.
 */
function shieldReferences(text: string): { safe: string; restore: (text: string) => string } {
  let code = 0xe000; // private use area
  const unused = (): string => {
    while (text.includes(String.fromCharCode(code))) code++;
    return String.fromCharCode(code++);
  };
  const [left, right] = [unused(), unused()];
  return {
    safe: text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, `$$${left}$1${right}`),
    restore: (shielded) => shielded.replaceAll(left, '{').replaceAll(right, '}'),
  };
}

function faultMessage(fault: YAMLError): string {
  if (OUT_OF_STACK.test(fault.message)) return TOO_DEEP;
  switch (fault.code) {
    case 'TAB_AS_INDENT':
      return 'tabs are not allowed for indentation, use spaces';
    case 'MULTIPLE_DOCS':
      return 'the file must hold one document: remove the second ---';
    case 'TAG_RESOLVE_FAILED':
      return 'tags such as !name are not supported, write plain text';
    case 'BAD_ALIAS':
      return 'a value that starts with * must be quoted, as in "*"';
    default:
      // The parser quotes the text it stumbled on, which may be a secret.
      return `YAML syntax: ${fault.message.replace(/: ".*$/s, '')}`;
  }
}

function placeIn(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

function refused(file: string, place: Place, message: string): ReadResult {
  return { ok: false, problems: [atPlace(file, place, message)] };
}

function atPlace(file: string, place: Place, message: string): Problem {
  return { file, path: '', line: place.line, column: place.column, message };
}

function pathId(path: Path): string {
  return JSON.stringify(path);
}

function closest(places: ReadonlyMap<string, { key: Place; value: Place }>, path: Path, at: 'key' | 'value'): Place {
  const found = places.get(pathId(path));
  if (found !== undefined) return found[at];
  for (let length = path.length - 1; length > 0; length--) {
    const parent = places.get(pathId(path.slice(0, length)));
    if (parent !== undefined) return parent.key;
  }
  return path.length === 0 ? START : WHOLE;
}
