/**
 * Directives: `[[sim:name key=value …]]` written into a prompt to steer the simulated model or its wire.
 *
 * A value is a bare word, a "quoted text" with \" \\ \n \r \t and \uXXXX, or balanced JSON in {} or [].
 * A key without a value means "true". Anything that does not parse stays in the text as it is.
 */

export interface Directive {
  readonly name: string;
  readonly args: Readonly<Record<string, string>>;
}

export interface ParsedText {
  readonly directives: readonly Directive[];
  /** The text without its directives, trimmed at both ends. */
  readonly rest: string;
}

const OPEN = '[[sim:';
/** Longest directive looked at, in UTF-16 units; keeps hostile input linear. */
const MAX_DIRECTIVE = 65_536;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

export function parseDirectives(text: string): ParsedText {
  const directives: Directive[] = [];
  let rest = '';
  let at = 0;
  for (;;) {
    const open = text.indexOf(OPEN, at);
    if (open < 0) break;
    rest += text.slice(at, open);
    const read = readDirective(text.slice(open + OPEN.length, open + OPEN.length + MAX_DIRECTIVE));
    if (read === null) {
      rest += OPEN;
      at = open + OPEN.length;
    } else {
      directives.push(read.directive);
      at = open + OPEN.length + read.length;
    }
  }
  rest += text.slice(at);
  return { directives, rest: directives.length > 0 ? rest.trim() : rest };
}

function readDirective(text: string): { directive: Directive; length: number } | null {
  const name = /^[a-z][a-z0-9-]*/.exec(text)?.[0];
  if (name === undefined) return null;
  const args: Record<string, string> = Object.create(null) as Record<string, string>;
  let at = name.length;
  for (;;) {
    const spaces = skipSpaces(text, at);
    if (text.startsWith(']]', spaces)) return { directive: { name, args: { ...args } }, length: spaces + 2 };
    if (spaces === at) return null; // a value must be followed by a space or by the end
    const key = matchAt(/[A-Za-z_][\w-]*/y, text, spaces);
    if (key === null) return null;
    at = spaces + key.length;
    if (text[at] !== '=') {
      args[key] = 'true';
      continue;
    }
    const value = readValue(text, at + 1);
    if (value === null) return null;
    args[key] = value.value;
    at = value.end;
  }
}

function readValue(text: string, at: number): { value: string; end: number } | null {
  const first = text[at];
  if (first === '"') return readQuoted(text, at);
  if (first === '{' || first === '[') {
    const end = balancedEnd(text, at);
    return end === null ? null : { value: text.slice(at, end), end };
  }
  let end = at;
  while (end < text.length && !/\s/.test(text[end] ?? '') && !text.startsWith(']]', end)) end += 1;
  return end === at || end === text.length ? null : { value: text.slice(at, end), end };
}

function readQuoted(text: string, at: number): { value: string; end: number } | null {
  let value = '';
  for (let here = at + 1; here < text.length; here += 1) {
    const letter = text[here] ?? '';
    if (letter === '"') return { value, end: here + 1 };
    if (letter !== '\\') {
      value += letter;
      continue;
    }
    here += 1;
    const escaped = text[here] ?? '';
    const hex = escaped === 'u' ? matchAt(/[0-9a-fA-F]{4}/y, text, here + 1) : null;
    if (hex !== null) {
      value += String.fromCharCode(Number.parseInt(hex, 16));
      here += 4;
    } else value += ESCAPES[escaped] ?? escaped;
  }
  return null;
}

/** Index after the bracket that closes the one at `at`, JSON strings respected; null when it never closes. */
export function balancedEnd(text: string, at: number): number | null {
  let depth = 0;
  let inString = false;
  for (let here = at; here < text.length; here += 1) {
    const letter = text[here];
    if (inString) {
      if (letter === '\\') here += 1;
      else if (letter === '"') inString = false;
    } else if (letter === '"') inString = true;
    else if (letter === '{' || letter === '[') depth += 1;
    else if (letter === '}' || letter === ']') {
      depth -= 1;
      if (depth === 0) return here + 1;
    }
  }
  return null;
}

function skipSpaces(text: string, at: number): number {
  let here = at;
  while (here < text.length && /\s/.test(text[here] ?? '')) here += 1;
  return here;
}

function matchAt(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}
