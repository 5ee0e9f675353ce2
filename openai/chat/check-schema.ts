import { OpenAIError } from '../errors.ts';
import { isObject } from './check.ts';

/**
 * What can be said cheaply about a caller's JSON Schema before any backend is asked: kinds of values, depth, size. Whether it can be compiled
 * (references, patterns) is found out by whoever checks an answer against it.
 */

/** In UTF-16 code units of the schema as JSON. */
const MAX_SIZE = 256 * 1024;
/** Schemas inside schemas. */
const MAX_DEPTH = 64;

const TYPES: ReadonlySet<unknown> = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string']);

type Rule = (value: unknown, path: string, depth: number) => string | null;

const schemaLike: Rule = (value, path, depth) => faultOf(value, path, depth + 1);

const schemaMap: Rule = (value, path, depth) => {
  if (!isObject(value)) return `${path} must be an object`;
  for (const [key, entry] of Object.entries(value)) {
    const fault = schemaLike(entry, `${path}.${key.slice(0, 64)}`, depth);
    if (fault !== null) return fault;
  }
  return null;
};

const schemaList: Rule = (value, path, depth) => {
  if (!Array.isArray(value) || value.length === 0) return `${path} must be a list of schemas`;
  for (const [index, entry] of value.entries()) {
    const fault = schemaLike(entry, `${path}[${index}]`, depth);
    if (fault !== null) return fault;
  }
  return null;
};

const words: Rule = (value, path) =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'string') ? null : `${path} must be a list of strings`;

const RULES: Readonly<Record<string, Rule>> = {
  type: (value, path) => {
    const types = Array.isArray(value) ? value : [value];
    return types.length > 0 && types.every((type) => TYPES.has(type)) ? null : `${path} must be one of ${[...TYPES].join(', ')}`;
  },
  properties: schemaMap,
  patternProperties: schemaMap,
  $defs: schemaMap,
  definitions: schemaMap,
  dependentSchemas: schemaMap,
  additionalProperties: schemaLike,
  unevaluatedProperties: schemaLike,
  propertyNames: schemaLike,
  // A list is the older drafts' `prefixItems`, and may be empty there.
  items: (value, path, depth) => {
    if (!Array.isArray(value)) return schemaLike(value, path, depth);
    return value.length === 0 ? null : schemaList(value, path, depth);
  },
  prefixItems: schemaList,
  additionalItems: schemaLike,
  unevaluatedItems: schemaLike,
  contains: schemaLike,
  allOf: schemaList,
  anyOf: schemaList,
  oneOf: schemaList,
  not: schemaLike,
  if: schemaLike,
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema; nobody awaits this table.
  then: schemaLike,
  else: schemaLike,
  required: words,
  enum: (value, path) => (Array.isArray(value) ? null : `${path} must be a list`),
  $ref: (value, path) => (typeof value === 'string' ? null : `${path} must be a string`),
  pattern: (value, path) => (typeof value === 'string' ? null : `${path} must be a string`),
  $async: (_value, path) => `${path} is no keyword of JSON Schema`,
};

/** What makes the schema unusable; null when nothing was seen. */
export function schemaFault(schema: Readonly<Record<string, unknown>>): string | null {
  const fault = faultOf(schema, 'schema', 0);
  if (fault !== null) return fault;
  return JSON.stringify(schema).length > MAX_SIZE ? `it is larger than ${MAX_SIZE} characters` : null;
}

/** @throws OpenAIError `invalid_json_schema` */
export function checkSchema(schema: Readonly<Record<string, unknown>>, name: string, param: string): void {
  const fault = schemaFault(schema);
  if (fault === null) return;
  throw new OpenAIError('invalid_json_schema', `Invalid schema for response_format '${name}': ${fault.slice(0, 500)}.`, { param });
}

/** Recursion ends at `MAX_DEPTH`. */
function faultOf(schema: unknown, path: string, depth: number): string | null {
  if (typeof schema === 'boolean') return null;
  if (!isObject(schema)) return `${path} must be an object or a boolean`;
  if (depth > MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH} schemas`;
  for (const [key, value] of Object.entries(schema)) {
    const rule = Object.hasOwn(RULES, key) ? RULES[key] : undefined;
    const fault = rule?.(value, `${path}.${key}`, depth) ?? null;
    if (fault !== null) return fault;
  }
  return null;
}
