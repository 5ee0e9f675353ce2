/** Small questions about foreign JSON. */
export type Dict = { readonly [key: string]: unknown };

export const isDict = (value: unknown): value is Dict => value !== null && typeof value === 'object' && !Array.isArray(value);
export const dicts = (value: unknown): readonly Dict[] => (Array.isArray(value) ? value.filter(isDict) : []);
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
export const textOr = <T>(value: unknown, otherwise: T): string | T => (typeof value === 'string' ? value : otherwise);

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Names of `value` that are none of `known`. */
export const strangers = (value: Dict, known: readonly string[], where: string): string[] =>
  Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => `${where} has an unknown key ${key}`);
