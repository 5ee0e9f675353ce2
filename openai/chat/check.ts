import { OpenAIError } from '../errors.ts';

/** Checks of single values, with OpenAI's wording and codes. `path` is the field as OpenAI prints it. */

const aOrAn = (word: string): string => (/^[aeiou]/.test(word) ? `an ${word}` : `a ${word}`);

/** JSON's own name of a value's type. */
function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'decimal';
  return typeof value;
}

export function wrongType(path: string, expected: string, value: unknown): never {
  if (value === undefined) missing(path);
  const got = typeName(value);
  throw new OpenAIError(
    'invalid_type',
    `Invalid type for '${path}': expected ${expected}, but got ${got === 'null' ? 'null' : aOrAn(got)} instead.`,
    {
      param: path,
    },
  );
}

export function missing(path: string): never {
  throw new OpenAIError('missing_required_parameter', `Missing required parameter: '${path}'.`, { param: path });
}

export function wrongValue(path: string, message: string): never {
  throw new OpenAIError('invalid_value', message, { param: path });
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

export function object(path: string, value: unknown): Record<string, unknown> {
  return isObject(value) ? value : wrongType(path, 'an object', value);
}

export function array(path: string, value: unknown): unknown[] {
  return Array.isArray(value) ? value : wrongType(path, 'an array', value);
}

export function string(path: string, value: unknown): string {
  return typeof value === 'string' ? value : wrongType(path, 'a string', value);
}

export function nonEmptyString(path: string, value: unknown, maxLength: number): string {
  const text = string(path, value);
  if (text === '') {
    throw new OpenAIError(
      'empty_string',
      `Invalid '${path}': empty string. Expected a string with minimum length 1, but got an empty string instead.`,
      { param: path },
    );
  }
  if (text.length > maxLength) {
    throw new OpenAIError(
      'string_above_max_length',
      `Invalid '${path}': string too long. Expected a string with maximum length ${maxLength}, but got a string with length ${text.length} instead.`,
      { param: path },
    );
  }
  return text;
}

const NAME = /^[a-zA-Z0-9_-]+$/;

/** A name of a function or a schema: at most 64 letters, digits, `_` and `-`. */
export function checkName(path: string, value: unknown): string {
  const name = nonEmptyString(path, value ?? missing(path), 64);
  if (!NAME.test(name)) {
    wrongValue(path, `Invalid '${path}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`);
  }
  return name;
}

export function boolean(path: string, value: unknown): boolean {
  return typeof value === 'boolean' ? value : wrongType(path, 'a boolean', value);
}

export function decimal(path: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') return wrongType(path, 'a decimal', value);
  if (value < min) {
    throw new OpenAIError(
      'decimal_below_min_value',
      `Invalid '${path}': decimal below minimum value. Expected a value >= ${min}, but got ${value} instead.`,
      { param: path },
    );
  }
  if (value > max) {
    throw new OpenAIError(
      'decimal_above_max_value',
      `Invalid '${path}': decimal above maximum value. Expected a value <= ${max}, but got ${value} instead.`,
      { param: path },
    );
  }
  return value;
}

export function integer(path: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) return wrongType(path, 'an integer', value);
  if (value < min) {
    throw new OpenAIError(
      'integer_below_min_value',
      `Invalid '${path}': integer below minimum value. Expected a value >= ${min}, but got ${value} instead.`,
      { param: path },
    );
  }
  if (value > max) {
    throw new OpenAIError(
      'integer_above_max_value',
      `Invalid '${path}': integer above maximum value. Expected a value <= ${max}, but got ${value} instead.`,
      { param: path },
    );
  }
  return value;
}

export function oneOf<T extends string>(path: string, value: unknown, allowed: readonly T[]): T {
  const text = string(path, value);
  if ((allowed as readonly string[]).includes(text)) return text as T;
  const names = allowed.map((name) => `'${name}'`);
  const list = names.length < 3 ? names.join(' and ') : `${names.slice(0, -1).join(', ')}, and ${names.at(-1)}`;
  return wrongValue(path, `Invalid value: '${text.slice(0, 100)}'. Supported values are: ${list}.`);
}

export function listLength(path: string, list: readonly unknown[], max: number): void {
  if (list.length > max) {
    throw new OpenAIError(
      'array_above_max_length',
      `Invalid '${path}': array too long. Expected an array with maximum length ${max}, but got an array with length ${list.length} instead.`,
      { param: path },
    );
  }
}

export function notEmpty(path: string, list: readonly unknown[]): void {
  if (list.length === 0) {
    throw new OpenAIError(
      'empty_array',
      `Invalid '${path}': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
      { param: path },
    );
  }
}
