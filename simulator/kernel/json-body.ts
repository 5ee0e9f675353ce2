import type { Incoming } from './types.ts';

const parsed = new WeakMap<Incoming, { readonly value: unknown }>();

/** The body as JSON, parsed once however many ask; undefined when it is none. Not to be changed by anyone. */
export function jsonBodyOf(incoming: Incoming): unknown {
  const known = parsed.get(incoming);
  if (known !== undefined) return known.value;
  let value: unknown;
  try {
    value = JSON.parse(incoming.rawBody.toString('utf8'));
  } catch {
    value = undefined; // empty, multipart or broken: the vendor decides what to say
  }
  parsed.set(incoming, { value });
  return value;
}
