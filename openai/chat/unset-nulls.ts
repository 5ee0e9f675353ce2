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
    const entries = value.map((entry: unknown) => unset(entry, each));
    return entries.every((entry, index) => entry === value[index]) ? value : entries;
  }
  if (!isObject(value)) return value;
  const changed = new Map<string, unknown>();
  for (const [key, field] of Object.entries(value)) {
    if (field === null) {
      if (key !== shape.keep) changed.set(key, null);
    } else if (shape.within !== undefined && Object.hasOwn(shape.within, key)) {
      const inner = unset(field, shape.within[key] as Shape);
      if (inner !== field) changed.set(key, inner);
    }
  }
  if (changed.size === 0) return value;
  const fields = Object.entries(value).map(([key, field]): [string, unknown] => [key, changed.has(key) ? changed.get(key) : field]);
  return Object.fromEntries(fields.filter(([key, field]) => field !== null || key === shape.keep));
}
