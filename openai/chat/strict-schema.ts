import { isObject } from './check.ts';

/**
 * What OpenAI refuses of a schema under `strict: true` (its structured outputs): an object that does not close itself, and a property that is
 * not required. In OpenAI's words, whose contexts are Python tuples. Its caps on size and its list of keywords are not checked: nothing says
 * how it words them, and no backend here has them.
 */
export function strictFault(schema: unknown, context: readonly string[] = []): string | null {
  if (!isObject(schema)) return null;
  const { properties, required } = schema;
  if (isObjectSchema(schema)) {
    if (schema['additionalProperties'] !== false) {
      return `In context=${tuple(context)}, 'additionalProperties' is required to be supplied and to be false.`;
    }
    const listed = new Set(Array.isArray(required) ? required : []);
    const missing = Object.keys(isObject(properties) ? properties : {}).find((name) => !listed.has(name));
    if (missing !== undefined) {
      return `In context=${tuple(context)}, 'required' is required to be supplied and to be an array including every key in properties. Missing '${clipped(missing)}'.`;
    }
  }
  for (const [part, inner] of partsOf(schema)) {
    const fault = strictFault(inner, [...context, ...part]);
    if (fault !== null) return fault;
  }
  return null;
}

function isObjectSchema({ type, properties }: Readonly<Record<string, unknown>>): boolean {
  return type === 'object' || (Array.isArray(type) && type.includes('object')) || isObject(properties);
}

/** The schemas inside one, each with its place. */
function partsOf(schema: Readonly<Record<string, unknown>>): [readonly string[], unknown][] {
  const maps = ['properties', '$defs', 'definitions'].flatMap((keyword) => {
    const map = schema[keyword];
    return isObject(map) ? Object.entries(map).map(([name, inner]): [readonly string[], unknown] => [[keyword, name], inner]) : [];
  });
  const lists = ['anyOf', 'oneOf', 'allOf', 'prefixItems'].flatMap((keyword) => {
    const list = schema[keyword];
    return Array.isArray(list) ? list.map((inner, index): [readonly string[], unknown] => [[keyword, String(index)], inner]) : [];
  });
  return [...maps, [['items'], schema['items']], ...lists];
}

const tuple = (parts: readonly string[]): string =>
  `(${parts.map((part) => `'${clipped(part)}'`).join(', ')}${parts.length === 1 ? ',' : ''})`;

const clipped = (name: string): string => name.slice(0, 64);
