import { isObject } from './check.ts';

/** Which parts of a value hold optional fields of their own. */
interface Shape {
  /** Of an object: its fields that are to be looked into. */
  readonly within?: Readonly<Record<string, Shape>>;
  /** Of a list: its entries. */
  readonly each?: Shape;
  /** A field whose null says something. */
  readonly keep?: string;
}

const PLAIN: Shape = {};
const NAMED_CALL: Shape = { within: { function: PLAIN } };

/** JSON Schemas, arguments and what is not documented are left alone: there, null is a value. */
const REQUEST: Shape = {
  within: {
    messages: {
      each: {
        // OpenAI's own answers say with it that there are only calls.
        keep: 'content',
        within: {
          content: { each: { within: { image_url: PLAIN, input_audio: PLAIN, file: PLAIN } } },
          tool_calls: { each: NAMED_CALL },
          function_call: PLAIN,
        },
      },
    },
    tools: { each: NAMED_CALL },
    functions: { each: PLAIN },
    stream_options: PLAIN,
    response_format: { within: { json_schema: PLAIN } },
  },
};

/**
 * A request without its nulls: OpenAI takes null for "not sent" wherever a field is optional, and typed clients write out every field
 * that they know. What has none is the same object as before; the body itself is not changed.
 */
export function unsetNulls(body: Record<string, unknown>): Record<string, unknown> {
  return unset(body, REQUEST) as Record<string, unknown>;
}

function unset(value: unknown, shape: Shape): unknown {
  if (Array.isArray(value)) {
    const { each } = shape;
    if (each === undefined) return value;
    // Made only once something changes, which it seldom does.
    let entries: unknown[] | null = null;
    for (let index = 0; index < value.length; index++) {
      const entry = unset(value[index], each);
      if (entry !== value[index]) (entries ??= [...value])[index] = entry;
    }
    return entries ?? value;
  }
  if (!isObject(value)) return value;
  const { within, keep } = shape;
  let changed: Map<string, unknown> | null = null;
  for (const key of Object.keys(value)) {
    const field = value[key];
    if (field === null) {
      if (key !== keep) (changed ??= new Map()).set(key, null);
    } else if (within !== undefined && typeof field === 'object' && Object.hasOwn(within, key)) {
      const inner = unset(field, within[key] as Shape);
      if (inner !== field) (changed ??= new Map()).set(key, inner);
    }
  }
  if (changed === null) return value;
  const unsets = changed;
  const fields = Object.entries(value).map(([key, field]): [string, unknown] => [key, unsets.has(key) ? unsets.get(key) : field]);
  return Object.fromEntries(fields.filter(([key, field]) => field !== null || key === keep));
}
