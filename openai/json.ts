import { isUtf8 } from 'node:buffer';
import { OpenAIError } from './errors.ts';

const HINT =
  "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)";

/**
 * Bytes → one JSON object whose strings are well-formed and whose nesting is bounded.
 *
 * What is checked here is what is sent on: the body is parsed once and built anew, never forwarded raw, so duplicate keys
 * and odd encodings cannot mean one thing to us and another to a backend. `__proto__` is an ordinary key to JSON.parse.
 *
 * @throws OpenAIError `invalid_json`, `object_too_deep`, `invalid_value` (a lone surrogate or an endless number, its path in `param`)
 */
export function parseJsonObject(bytes: Buffer, maxDepth: number): Record<string, unknown> {
  if (!isUtf8(bytes)) throw new OpenAIError('invalid_json', `${HINT} The bytes are not valid UTF-8.`);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new OpenAIError('invalid_json', HINT, { cause: error });
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new OpenAIError('invalid_json', `${HINT} The top level must be an object.`);
  }
  // A lone surrogate can only come from a \ud… escape: raw UTF-8 cannot hold one.
  const escapes = bytes.includes('\\ud') || bytes.includes('\\uD');
  checkTree(value, maxDepth, escapes);
  return value as Record<string, unknown>;
}

type Fault = 'too_deep' | 'surrogate' | 'endless';

/** Refuses what must not go on. Nothing is kept of the tree: a body of millions of tiny lists costs no more memory than parsing it did. */
function checkTree(root: object, maxDepth: number, strings: boolean): void {
  const way: (string | number)[] = [];
  const fault = faultOf(root, maxDepth, strings, way);
  if (fault === null) return;
  const param = pathOf(way.reverse()).slice(0, 200);
  if (fault === 'too_deep') {
    throw new OpenAIError('object_too_deep', `Invalid body: nested deeper than ${maxDepth} levels.`, { param: param || undefined });
  }
  if (fault === 'endless') {
    // `1e999` is JSON, but no number: it would go on as null.
    throw new OpenAIError('invalid_value', `Invalid '${param}': the number is too large to be one.`, { param });
  }
  const message = `Invalid '${param || 'body'}': the text holds half of a surrogate pair, which is no valid Unicode.`;
  throw new OpenAIError('invalid_value', message, { param: param || undefined });
}

/**
 * The first fault, and in `way` how to get there, last step first. Recursion ends at `levels`, which the configuration bounds.
 * @param levels how many levels may still be opened, this one included
 */
function faultOf(node: object, levels: number, strings: boolean, way: (string | number)[]): Fault | null {
  if (levels === 0) return 'too_deep';
  if (Array.isArray(node)) {
    for (let index = 0; index < node.length; index++) {
      const fault = valueFault(node[index], levels - 1, strings, way);
      if (fault !== null) return step(way, index, fault);
    }
    return null;
  }
  for (const key of Object.keys(node)) {
    if (strings && !key.isWellFormed()) return 'surrogate';
    const fault = valueFault((node as Record<string, unknown>)[key], levels - 1, strings, way);
    if (fault !== null) return step(way, key, fault);
  }
  return null;
}

function valueFault(value: unknown, levels: number, strings: boolean, way: (string | number)[]): Fault | null {
  if (typeof value === 'string') return strings && !value.isWellFormed() ? 'surrogate' : null;
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'endless';
  return value === null || typeof value !== 'object' ? null : faultOf(value, levels, strings, way);
}

function step(way: (string | number)[], key: string | number, fault: Fault): Fault {
  way.push(key);
  return fault;
}

/** As OpenAI prints it: `messages[0].content`. */
function pathOf(way: readonly (string | number)[]): string {
  let path = '';
  for (const key of way) path += typeof key === 'number' ? `[${key}]` : path === '' ? key : `.${key}`;
  return path;
}
