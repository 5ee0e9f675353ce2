/** Small readers for bodies of unknown shape. They never throw: a wrong type reads as undefined. */

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isStringArray(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** The body as an object, or null when it is no JSON or no object. */
export function parseObject(raw: Buffer): JsonObject | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw));
    return isObject(value) ? value : null;
  } catch {
    // Callers answer `malformed_json`; the parser's own words are of no use to them.
    return null;
  }
}
