/**
 * Cuts the JSON Schemas our contract tests need out of OpenAI's own OpenAPI document.
 *
 *   npx node tools/openai-schema.ts /path/to/openapi.yaml [--out DIR] [--check]
 *
 * The document is `openapi.yaml` of the GitHub repository `openai/openai-openapi` (MIT, Copyright (c) OpenAI); it is not kept in this
 * repository, only the cut is. Writes `openai.schema.json` (chat, completions, embeddings, models, errors) and
 * `openai-responses.schema.json` (Responses API), both JSON Schema 2020-12, one definition a line so that an update shows a readable diff.
 * `--check` writes nothing and exits 1 if a file on disk differs. Exits 2 on a bad argument, an unreadable document, an unknown root or a
 * reference that does not resolve: a schema cut in half would accept everything.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Schema = { [key: string]: Json };

/** What each file is the closure of. */
const FILES: Record<string, string[]> = {
  'openai.schema.json': [
    'CreateChatCompletionRequest',
    'CreateChatCompletionResponse',
    'CreateChatCompletionStreamResponse',
    'ListModelsResponse',
    'Model',
    'CreateEmbeddingRequest',
    'CreateEmbeddingResponse',
    'CreateCompletionRequest',
    'CreateCompletionResponse',
    'ErrorResponse',
    'Error',
  ],
  'openai-responses.schema.json': ['CreateResponse', 'Response', 'ResponseStreamEvent'],
};

/** Keywords whose value is a schema, a list of schemas, or a map from a free name to a schema. Everything else is copied as data. */
const ONE = new Set(['items', 'additionalProperties', 'not', 'propertyNames', 'contains', 'if', 'then', 'else']);
const LIST = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems']);
const MAP = new Set(['properties', 'patternProperties', 'dependentSchemas']);

/** Prose, and OpenAPI's own words; they say nothing about whether a value is valid. */
const DROPPED = new Set([
  'description',
  'title',
  'example',
  'examples',
  'discriminator',
  'externalDocs',
  'xml',
  'nullable',
  '$recursiveAnchor',
]);

const REF = '#/components/schemas/';

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One schema of the document as plain JSON Schema 2020-12; every name it refers to goes into `wanted`. */
function convert(schema: Json | undefined, owner: string, wanted: Set<string>): Json {
  if (typeof schema === 'boolean') return schema;
  if (!isObject(schema)) throw new Error(`${owner}: a schema is expected, found ${JSON.stringify(schema)}`);
  const out: Schema = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key.startsWith('x-') || DROPPED.has(key)) continue;
    if (key === '$ref') out['$ref'] = reference(value, owner, wanted);
    // Draft 2019 recursion. OpenAI anchors it at the definition itself, so a plain reference says the same.
    else if (key === '$recursiveRef') out['$ref'] = reference(REF + owner, owner, wanted);
    else if (ONE.has(key)) out[key] = convert(value, owner, wanted);
    else if (LIST.has(key)) out[key] = (value as Json[]).map((part) => convert(part, owner, wanted));
    else if (MAP.has(key)) {
      out[key] = Object.fromEntries(Object.entries(value as Schema).map(([name, part]) => [name, convert(part, owner, wanted)]));
    } else out[key] = value as Json;
  }
  // With a discriminator OpenAPI looks at one named branch only. `oneOf` alone would also refuse a value that fits two branches, which the
  // Responses input items do ({type:"message"} is an EasyInputMessage and an InputMessage).
  if (isObject(schema['discriminator']) && Array.isArray(out['oneOf'])) {
    const { oneOf, ...rest } = out;
    return nullable(schema, { ...rest, anyOf: oneOf as Json });
  }
  return nullable(schema, out);
}

/** OpenAPI 3.0's `nullable: true`, which the document still uses although it declares 3.1 (where it has no meaning). */
function nullable(source: Schema, schema: Schema): Schema {
  if (source['nullable'] !== true) return schema;
  const { type, enum: values, anyOf, oneOf, $ref, allOf } = schema;
  if ($ref !== undefined || allOf !== undefined) return { anyOf: [schema, { type: 'null' }] };
  const out = { ...schema };
  if (type !== undefined) out['type'] = [...new Set([type].flat() as Json[]).add('null')];
  if (Array.isArray(values) && !values.includes(null)) out['enum'] = [...values, null];
  if (Array.isArray(anyOf)) out['anyOf'] = [...anyOf, { type: 'null' }];
  // Wrapped, not appended: a branch may be nullable itself, and then null would fit two branches and be refused.
  if (Array.isArray(oneOf)) return { anyOf: [out, { type: 'null' }] };
  return out;
}

function reference(ref: Json | undefined, owner: string, wanted: Set<string>): string {
  if (typeof ref !== 'string' || !ref.startsWith(REF)) throw new Error(`${owner}: cannot follow the reference ${JSON.stringify(ref)}`);
  const name = ref.slice(REF.length);
  wanted.add(name);
  return `#/$defs/${name}`;
}

/** The roots and all they refer to, by name. A Set grows while it is walked, so this is the transitive closure. */
function closure(schemas: Schema, roots: string[]): Schema {
  const wanted = new Set(roots);
  const found: Schema = {};
  for (const name of wanted) {
    if (!(name in schemas)) throw new Error(`the document has no schema "${name}"`);
    found[name] = convert(schemas[name], name, wanted);
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function render(defs: Schema, version: string): string {
  const lines = Object.entries(defs).map(([name, schema]) => `${JSON.stringify(name)}:${JSON.stringify(schema)}`);
  const comment = `Cut by tools/openai-schema.ts from openai/openai-openapi, document version ${version}. MIT, Copyright (c) OpenAI.`;
  const head = `"$schema":"https://json-schema.org/draft/2020-12/schema",\n"$comment":${JSON.stringify(comment)}`;
  return `{${head},\n"$defs":{\n${lines.join(',\n')}\n}}\n`;
}

function main(): number {
  const { values, positionals } = parseArgs({
    options: { out: { type: 'string' }, check: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const [path] = positionals;
  if (path === undefined || positionals.length > 1) throw new Error('usage: openai-schema.ts /path/to/openapi.yaml [--out DIR] [--check]');
  const out = values.out ?? join(import.meta.dirname, '../test/contract');
  const document: unknown = parse(readFileSync(path, 'utf8'));
  const schemas = isObject(document) && isObject(document['components']) ? document['components']['schemas'] : undefined;
  const version = isObject(document) && isObject(document['info']) ? document['info']['version'] : undefined;
  if (!isObject(schemas) || typeof version !== 'string') throw new Error(`${path} is not an OpenAPI document with components.schemas`);
  let stale = 0;
  for (const [file, roots] of Object.entries(FILES)) {
    const defs = closure(schemas, roots);
    const text = render(defs, version);
    const target = join(out, file);
    if (!values.check) writeFileSync(target, text);
    else if (readFileSync(target, 'utf8') !== text) stale += 1;
    console.log(`${target}: ${Object.keys(defs).length} definitions, ${Buffer.byteLength(text)} bytes`);
  }
  if (stale > 0) console.error(`${stale} file(s) on disk differ from the document: run without --check`);
  return stale > 0 ? 1 : 0;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(`openai-schema: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
