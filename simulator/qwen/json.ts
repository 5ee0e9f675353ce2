/** Reading of foreign JSON. */

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // no JSON text parses to undefined, so the caller can tell
  }
}

/** Null and left out are the same to the vendor. */
export function given(body: JsonObject, name: string): unknown {
  return body[name] ?? undefined;
}
