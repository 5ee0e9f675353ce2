/** Reading foreign JSON: small checks that all GLM endpoints share. Wrong types are code 1210, illegal values 1214. */
import { illegal, notReceived, wrong } from './errors.ts';

export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws Refusal 1210 when the body is not a JSON object */
export function parseBody(raw: Buffer): Fields {
  let value: unknown;
  try {
    value = JSON.parse(raw.toString('utf8'));
  } catch {
    throw wrong('the body is not JSON', '请求体不是 JSON');
  }
  if (!isFields(value)) throw wrong('the body is not a JSON object', '请求体不是 JSON 对象');
  return value;
}

type TypeName = 'string' | 'boolean' | 'number' | 'integer' | 'array' | 'object';

export type Schema = Readonly<Record<string, TypeName>>;

function isOf(value: unknown, type: TypeName): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value);
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isFields(value);
    default:
      return typeof value === type;
  }
}

/**
 * Checks the type of every listed field, null included, and refuses fields that are neither listed nor tolerated.
 * @throws Refusal 1210
 */
export function checkTypes(body: Fields, schema: Schema, tolerated: ReadonlySet<string>): void {
  for (const [name, value] of Object.entries(body)) {
    const type = schema[name];
    if (type === undefined) {
      if (!tolerated.has(name)) throw wrong(`unknown field ${name}`, `未知字段 ${name}`);
    } else if (!isOf(value, type)) throw wrong(`${name} must be of type ${type}`, `${name} 的类型应为 ${type}`);
  }
}

/** @throws Refusal 1213 when missing or empty, 1210 when not a string */
export function requiredString(body: Fields, name: string): string {
  const value = body[name];
  if (value === undefined || value === '') throw notReceived(name);
  if (typeof value !== 'string') throw wrong(`${name} must be of type string`, `${name} 的类型应为 string`);
  return value;
}

/** @throws Refusal 1214 when the text is shorter or longer than allowed (characters) */
export function checkLength(body: Fields, name: string, min: number, max: number): void {
  const value = body[name];
  if (typeof value === 'string' && (value.length < min || value.length > max)) {
    throw illegal(name, { zh: `长度应为 ${min} 到 ${max} 个字符`, en: `must have ${min} to ${max} characters` });
  }
}
