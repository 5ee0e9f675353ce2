/** A body whose top-level nulls are gone: OpenAI's API takes null for "not sent". The body itself is not changed. */
export function withoutNulls(body: Record<string, unknown>): Record<string, unknown> {
  for (const key in body) {
    if (body[key] === null) return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  }
  return body;
}
