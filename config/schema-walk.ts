import type { z } from 'zod';

/** Reading a Zod schema: which keys it knows at a path, and what one key is. Only the kinds this folder uses are understood. */

export type Schema = z.core.$ZodType;

/** The schema under defaults and `optional()`. */
export function unwrap(schema: Schema): Schema {
  const { def } = kinds(schema);
  if (def.type === 'default' || def.type === 'prefault' || def.type === 'optional' || def.type === 'nullable') return unwrap(def.innerType);
  return schema;
}

/** Keys of a strict object, or undefined if the schema is none. Of a union: of its (single) object. */
export function shapeOf(schema: Schema): Readonly<Record<string, Schema>> | undefined {
  const { def } = kinds(unwrap(schema));
  if (def.type === 'object') return def.shape;
  if (def.type === 'union') return def.options.map(shapeOf).find((shape) => shape !== undefined);
  return undefined;
}

/** Schema of the entries of a record or list, or undefined. Of a union: of its (single) record or list. */
export function entryOf(schema: Schema): Schema | undefined {
  const { def } = kinds(unwrap(schema));
  if (def.type === 'record') return def.valueType;
  if (def.type === 'array') return def.element;
  if (def.type === 'union') return def.options.map(entryOf).find((entry) => entry !== undefined);
  return undefined;
}

/** Keys known at a path; none if nothing is known there. */
export function keysAt(schema: Schema, path: readonly PropertyKey[]): string[] {
  let current: Schema | undefined = schema;
  for (const part of path) {
    if (current === undefined) return [];
    const shape = shapeOf(current);
    current = shape !== undefined && Object.hasOwn(shape, part) ? shape[String(part)] : entryOf(current);
  }
  return current === undefined ? [] : Object.keys(shapeOf(current) ?? {});
}

/** Zod's public union of schema kinds, so that `def.type` narrows. */
function kinds(schema: Schema): z.core.$ZodTypes['_zod'] {
  return (schema as z.core.$ZodTypes)._zod;
}
