/** Keywords whose values map names to schemas: a *property* called `prefixItems` is harmless. */
const MAPS: ReadonlySet<string> = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);
/** Keywords whose values are data, not schemas. */
const DATA: ReadonlySet<string> = new Set(['enum', 'const', 'default', 'examples', 'example', 'required']);

/**
 * Where a JSON schema describes a tuple (`items` as a list, `prefixItems`, `additionalItems`), as a path such as
 * `properties.range.items`; null when it does not.
 */
export function findTuple(schema: unknown, path = ''): string | null {
  if (schema === null || typeof schema !== 'object') return null;
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
  if (Array.isArray(schema)) return first(schema.entries(), (index, entry) => findTuple(entry, `${path}[${index}]`));
  if (Array.isArray((schema as Record<string, unknown>)['items'])) return at('items');
  if (Object.hasOwn(schema, 'prefixItems')) return at('prefixItems');
  if (Object.hasOwn(schema, 'additionalItems')) return at('additionalItems');
  return first(Object.entries(schema), (keyword, value) => {
    if (DATA.has(keyword)) return null;
    if (MAPS.has(keyword) && value !== null && typeof value === 'object' && !Array.isArray(value)) {
      return first(Object.entries(value), (name, inner) => findTuple(inner, `${at(keyword)}.${name}`));
    }
    return findTuple(value, at(keyword));
  });
}

function first<K>(entries: Iterable<[K, unknown]>, find: (key: K, value: unknown) => string | null): string | null {
  for (const [key, value] of entries) {
    const found = find(key, value);
    if (found !== null) return found;
  }
  return null;
}
