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

/** Walks without recursion: depth is what is being checked. */
function checkTree(root: object, maxDepth: number, strings: boolean): void {
  let level: [string, object][] = [['', root]];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > maxDepth) {
      throw new OpenAIError('object_too_deep', `Invalid body: nested deeper than ${maxDepth} levels.`, {
        param: level[0]?.[0].slice(0, 200) || undefined,
      });
    }
    const next: [string, object][] = [];
    for (const [path, node] of level) {
      const isArray = Array.isArray(node);
      for (const key of Object.keys(node)) {
        const child = (node as Record<string, unknown>)[key];
        const isString = strings && typeof child === 'string';
        const isObject = child !== null && typeof child === 'object';
        if (strings && !key.isWellFormed()) loneSurrogate(path);
        if (typeof child === 'number' && !Number.isFinite(child))
          endlessNumber(isArray ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`);
        if (!isString && !isObject) continue;
        const childPath = isArray ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
        if (isString && !child.isWellFormed()) loneSurrogate(childPath);
        if (isObject) next.push([childPath, child]);
      }
    }
    level = next;
  }
}

/** `1e999` is JSON, but no number: it would go on as null. */
function endlessNumber(path: string): never {
  const param = path.slice(0, 200);
  throw new OpenAIError('invalid_value', `Invalid '${param}': the number is too large to be one.`, { param });
}

function loneSurrogate(path: string): never {
  throw new OpenAIError(
    'invalid_value',
    `Invalid '${path.slice(0, 200) || 'body'}': the text holds half of a surrogate pair, which is no valid Unicode.`,
    {
      param: path.slice(0, 200) || undefined,
    },
  );
}
