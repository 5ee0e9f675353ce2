import { type Dict, isDict } from './shape.ts';

/** OpenAI's error object: four keys, always. Null and faults when it is none. */
export function errorOf(body: unknown): { readonly error: Dict | null; readonly faults: readonly string[] } {
  const error = isDict(body) && isDict(body['error']) ? body['error'] : null;
  if (error === null) return { error, faults: ['the error is not in OpenAI’s form'] };
  const faults: string[] = [];
  if (typeof error['message'] !== 'string' || error['message'].trim() === '') faults.push('the error has no message');
  if (typeof error['type'] !== 'string') faults.push('the error has no type');
  for (const key of ['param', 'code'])
    if (error[key] !== null && typeof error[key] !== 'string') faults.push(`the error’s ${key} is neither text nor null`);
  return { error, faults };
}
