import type { Random } from './random.ts';
import { shortPhrase } from './words.ts';

/**
 * A valid instance of a JSON Schema, as a model in structured mode would write it. Covers what tool and answer
 * schemas use: type, properties, required, items, prefixItems, enum, const, anyOf, oneOf, allOf, $ref, $defs, ranges,
 * lengths, formats and common patterns. A pattern none of the candidates fits gets a plain word.
 */

type Schema = Readonly<Record<string, unknown>>;

/** Below this depth optional properties, optional items and recursive branches are left out. */
const SHALLOW = 4;
const MAX_DEPTH = 24;

export function instanceOf(schema: unknown, random: Random): unknown {
  return build(schema, { root: schema, random }, 0);
}

interface Context {
  readonly root: unknown;
  readonly random: Random;
}

function build(raw: unknown, context: Context, depth: number): unknown {
  if (raw === true || raw === undefined) return shortPhrase(context.random);
  if (!isRecord(raw) || depth > MAX_DEPTH) return null;
  const schema = resolve(raw, context.root);
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  const branches = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(branches) && branches.length > 0) {
    const { anyOf: _anyOf, oneOf: _oneOf, ...common } = schema;
    return build({ ...common, ...asRecord(chooseBranch(branches, depth)) }, context, depth + 1);
  }
  switch (typeOf(schema)) {
    case 'object':
      return buildObject(schema, context, depth);
    case 'array':
      return buildArray(schema, context, depth);
    case 'integer':
      return buildNumber(schema, context.random, true);
    case 'number':
      return buildNumber(schema, context.random, false);
    case 'boolean':
      return context.random.next() < 0.5;
    case 'null':
      return null;
    default:
      return buildString(schema, context.random);
  }
}

/** The first branch; deep inside, one that ends the recursion if there is such a one. */
function chooseBranch(branches: readonly unknown[], depth: number): unknown {
  if (depth < SHALLOW) return branches[0];
  return branches.find((branch) => isRecord(branch) && !('$ref' in branch) && typeOf(branch) !== 'object') ?? branches[0];
}

function buildObject(schema: Schema, context: Context, depth: number): unknown {
  const properties = asRecord(schema['properties']);
  const required = Array.isArray(schema['required']) ? schema['required'].filter((name) => typeof name === 'string') : [];
  const names = depth < SHALLOW ? Object.keys(properties) : Object.keys(properties).filter((name) => required.includes(name));
  const entries = [...new Set([...names, ...required])].map((name): [string, unknown] => {
    const part = Object.hasOwn(properties, name) ? properties[name] : schema['additionalProperties'];
    return [name, build(part === false ? undefined : part, context, depth + 1)];
  });
  const missing = numberOr(schema['minProperties'], 0) - entries.length;
  for (let extra = 0; extra < missing; extra += 1)
    entries.push([`key_${extra + 1}`, build(schema['additionalProperties'], context, depth + 1)]);
  return Object.fromEntries(entries);
}

function buildArray(schema: Schema, context: Context, depth: number): unknown[] {
  const prefix = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : [];
  const wanted = depth < SHALLOW ? Math.max(1, prefix.length) : 0;
  const length = Math.min(
    Math.max(numberOr(schema['minItems'], wanted), prefix.length),
    numberOr(schema['maxItems'], Number.POSITIVE_INFINITY),
  );
  const items: unknown[] = [];
  for (let index = 0; index < length; index += 1) {
    const part = prefix[index] ?? schema['items'];
    const options = isRecord(part) ? resolve(part, context.root)['enum'] : undefined;
    const value = Array.isArray(options) ? options[index % options.length] : build(part, context, depth + 1);
    const clash = schema['uniqueItems'] === true && items.some((other) => JSON.stringify(other) === JSON.stringify(value));
    items.push(clash ? distinct(value, index) : value);
  }
  return items;
}

function distinct(value: unknown, index: number): unknown {
  if (typeof value === 'string') return `${value} ${index}`;
  return typeof value === 'number' ? value + index : value;
}

function buildNumber(schema: Schema, random: Random, whole: boolean): number {
  const step = numberOr(schema['multipleOf'], whole ? 1 : 0.5);
  const above = schema['exclusiveMinimum'];
  const below = schema['exclusiveMaximum'];
  let low = numberOr(schema['minimum'], Number.NEGATIVE_INFINITY);
  let high = numberOr(schema['maximum'], Number.POSITIVE_INFINITY);
  if (typeof above === 'number') low = Math.max(low, above + (whole ? step : Math.min(step, 1e-3)));
  if (typeof below === 'number') high = Math.min(high, below - (whole ? step : Math.min(step, 1e-3)));
  if (!Number.isFinite(low)) low = Number.isFinite(high) ? high - 50 : 1;
  if (!Number.isFinite(high)) high = low + 50;
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  if (last < first) return low;
  return Number((random.between(first, last) * step).toPrecision(12));
}

const BY_FORMAT: Readonly<Record<string, string>> = {
  'date-time': '2026-05-01T09:30:00Z',
  date: '2026-05-01',
  time: '09:30:00Z',
  duration: 'P1D',
  email: 'mei@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.7',
  ipv6: '2001:db8::7',
  uuid: '3f2a7c1e-5b64-4c0a-9d8e-1a2b3c4d5e6f',
  uri: 'https://example.com/river',
};
const CANDIDATES = [
  ...Object.values(BY_FORMAT),
  ...['river', 'RIVER', 'River', 'a', 'A', 'ab', 'AB', 'abc', 'ABC', 'A1', 'AB-12', 'ABC-123', 'ABC123', 'river_7', 'river-7'],
  ...['1', '12', '123', '1234', '12345', '123456', '1.5', '1.2.3', 'v1.2.3', '09:30', '+12025550123', '2025550123', '#1a2b3c', '1a2b3c4d'],
];

function buildString(schema: Schema, random: Random): string {
  const format = schema['format'];
  if (typeof format === 'string' && BY_FORMAT[format] !== undefined) return BY_FORMAT[format];
  const least = numberOr(schema['minLength'], 0);
  const most = numberOr(schema['maxLength'], Number.POSITIVE_INFINITY);
  const pattern = typeof schema['pattern'] === 'string' ? compile(schema['pattern']) : null;
  if (pattern !== null) {
    const fitting = CANDIDATES.find((text) => text.length >= least && text.length <= most && pattern.test(text));
    if (fitting !== undefined) return fitting;
  }
  const word = [...shortPhrase(random)];
  while (word.length < least) word.push('o');
  return word.slice(0, Number.isFinite(most) ? most : word.length).join('');
}

function compile(pattern: string): RegExp | null {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return null; // a pattern JavaScript cannot read cannot be followed either
  }
}

/** Follows `$ref` and folds `allOf` into one schema. */
function resolve(schema: Schema, root: unknown): Schema {
  let current = schema;
  for (let hops = 0; hops < 16 && typeof current['$ref'] === 'string'; hops += 1) {
    const { $ref, ...siblings } = current;
    current = { ...asRecord(pointer(root, String($ref))), ...siblings };
  }
  const parts = current['allOf'];
  if (!Array.isArray(parts)) return current;
  const { allOf: _allOf, ...own } = current;
  return parts.map((part) => resolve(asRecord(part), root)).reduce<Schema>(merge, own);
}

function merge(left: Schema, right: Schema): Schema {
  const required = [left['required'], right['required']].flatMap((list) => (Array.isArray(list) ? list : []));
  const properties = { ...asRecord(left['properties']), ...asRecord(right['properties']) };
  return { ...left, ...right, ...(Object.keys(properties).length > 0 ? { properties } : {}), ...(required.length > 0 ? { required } : {}) };
}

function pointer(root: unknown, ref: string): unknown {
  if (!ref.startsWith('#')) return {};
  let current: unknown = root;
  for (const step of ref
    .slice(1)
    .split('/')
    .filter((part) => part !== '')) {
    current = asRecord(current)[decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return current;
}

function typeOf(schema: Schema): string {
  const type = Array.isArray(schema['type']) ? schema['type'][0] : schema['type'];
  if (typeof type === 'string') return type;
  if ('properties' in schema || 'required' in schema) return 'object';
  return 'items' in schema || 'prefixItems' in schema ? 'array' : 'string';
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

function isRecord(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asRecord(value: unknown): Schema {
  return isRecord(value) ? value : {};
}
