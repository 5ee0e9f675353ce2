import { emulateJsonObject, emulateJsonSchema, holdToJson, mentionsJson } from '../compatible/carry.ts';
import type { Draft } from '../compatible/draft.ts';

/** `response_format`: JSON modes exclude thinking; a JSON schema is native on some models, without `uniqueItems`. */
export function carryFormat(draft: Draft, thinks: boolean): void {
  const format = draft.request.response_format;
  if (format === undefined) return;
  if (format.type === 'text') {
    draft.receipt.note('response_format', 'dropped', 'text is the default');
    return;
  }
  const jsonMode = !thinks && draft.facts.jsonObject !== false;
  if (format.type === 'json_object') {
    if (jsonMode) {
      draft.body['response_format'] = { type: 'json_object' };
      sayJson(draft);
      holdNative(draft, null);
    } else emulateJsonObject(draft);
    return;
  }
  const { name, description, schema, strict } = format.json_schema;
  const native = draft.facts.jsonSchema === true || draft.facts.jsonSchema === 'non-thinking';
  if (!native || thinks || schema === undefined || schema === null) {
    emulateJsonSchema(draft, jsonMode);
    if (jsonMode) sayJson(draft);
    return;
  }
  const sent = withoutUniqueItems(schema) as Record<string, unknown>;
  if (sent !== schema) {
    draft.receipt.note('response_format', 'emulated', 'the backend refuses uniqueItems in a schema: the relay checks it', { alters: true });
    holdToJson(draft, schema);
  } else holdNative(draft, schema);
  draft.body['response_format'] = {
    type: 'json_schema',
    json_schema: { name, ...(description == null ? {} : { description }), schema: sent, ...(strict == null ? {} : { strict }) },
  };
}

/**
 * A native mode is held to its word like an emulated one: models put fences around the JSON now and then. Not where the answer is the
 * rest of a text that the caller has begun.
 */
function holdNative(draft: Draft, schema: Readonly<Record<string, unknown>> | null): void {
  if (!continues(draft)) holdToJson(draft, schema);
}

/** The last message is the beginning of the answer. */
const continues = ({ request: { messages } }: Draft): boolean =>
  messages.at(-1)?.role === 'assistant' && messages.at(-1)?.['partial'] === true;

/** JSON mode is refused unless a message has the word. */
function sayJson(draft: Draft): void {
  if (!mentionsJson(draft)) draft.instructions.push('Answer in JSON.');
}

/** Keywords whose values are data, not schemas. */
const DATA: ReadonlySet<string> = new Set(['enum', 'const', 'default', 'examples', 'required']);

/** The same object where the keyword does not occur; a *property* of that name is no keyword. */
function withoutUniqueItems(schema: unknown): unknown {
  if (schema === null || typeof schema !== 'object') return schema;
  if (Array.isArray(schema)) {
    const list = schema.map(withoutUniqueItems);
    return list.some((entry, index) => entry !== schema[index]) ? list : schema;
  }
  let changed = false;
  const out: [string, unknown][] = [];
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'uniqueItems' && typeof value === 'boolean') {
      changed = true;
      continue;
    }
    const sent = DATA.has(key) ? value : withoutUniqueItems(value);
    changed ||= sent !== value;
    out.push([key, sent]);
  }
  return changed ? Object.fromEntries(out) : schema;
}
