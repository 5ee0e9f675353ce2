import { describe, expect, test } from 'vitest';
import { checkChatRequest } from '../../openai/chat/check-request.ts';
import { body, LIMITS, refusal, tools } from './bodies.ts';

type Schema = Readonly<Record<string, unknown>>;

const closed = (properties: Schema, more: Schema = {}): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
});
const OPEN: Schema = { type: 'object', properties: { x: {} }, required: ['x'] };
const MUST_CLOSE = "'additionalProperties' is required to be supplied and to be false.";
const MUST_LIST = "'required' is required to be supplied and to be an array including every key in properties.";

const format = (schema: Schema, strict: boolean | null) =>
  body({ response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, strict } } });
const tool = (parameters: Schema, strict: boolean | null) => tools({ type: 'function', function: { name: 'find', parameters, strict } });

const taken = (request: Record<string, unknown>): unknown => checkChatRequest(request, LIMITS).model;

const told = (message: string, param: string, code: string): Schema => ({ error: { message, type: 'invalid_request_error', param, code } });

describe.each<[string, Schema, string]>([
  ['an open object', OPEN, `In context=(), ${MUST_CLOSE}`],
  ['one that says it is open', { ...OPEN, additionalProperties: true }, `In context=(), ${MUST_CLOSE}`],
  ['one open to some', { ...OPEN, additionalProperties: { type: 'string' } }, `In context=(), ${MUST_CLOSE}`],
  ['an object without properties', { type: 'object' }, `In context=(), ${MUST_CLOSE}`],
  ['a property that may be missing', closed({ a: {}, b: {} }, { required: ['a'] }), `In context=(), ${MUST_LIST} Missing 'b'.`],
  [
    'no `required` at all',
    { type: 'object', properties: { a: {} }, additionalProperties: false },
    `In context=(), ${MUST_LIST} Missing 'a'.`,
  ],
  ['an inherited name', closed({ constructor: {} }, { required: [] }), `In context=(), ${MUST_LIST} Missing 'constructor'.`],
  ['in a property', closed({ a: OPEN }), `In context=('properties', 'a'), ${MUST_CLOSE}`],
  ['or null', closed({ a: { type: ['object', 'null'] } }), `In context=('properties', 'a'), ${MUST_CLOSE}`],
  ['in a list', closed({ a: { type: 'array', items: OPEN } }), `In context=('properties', 'a', 'items'), ${MUST_CLOSE}`],
  ['in an alternative', closed({ a: { anyOf: [{ type: 'null' }, OPEN] } }), `In context=('properties', 'a', 'anyOf', '1'), ${MUST_CLOSE}`],
  [
    'in a definition',
    closed({}, { $defs: { d: closed({ a: {} }, { required: [] }) } }),
    `In context=('$defs', 'd'), ${MUST_LIST} Missing 'a'.`,
  ],
])('%s', (_, schema, fault) => {
  test('is refused under `strict`, in OpenAI’s words', () => {
    expect(refusal(format(schema, true)).toJSON()).toEqual(
      told(`Invalid schema for response_format 'answer': ${fault}`, 'response_format', 'invalid_json_schema'),
    );
    expect(refusal(tool(schema, true)).toJSON()).toEqual(
      told(`Invalid schema for function 'find': ${fault}`, 'tools[0].function.parameters', 'invalid_function_parameters'),
    );
  });

  test.each([false, null])('and taken with strict: %s', (strict) => {
    expect([taken(format(schema, strict)), taken(tool(schema, strict))]).toEqual(['gpt-4o', 'gpt-4o']);
  });
});

test.each<[string, Schema]>([
  ['closed, all required', closed({ a: { type: 'string' }, b: { type: ['string', 'null'] } })],
  ['no properties', closed({})],
  [
    'nested and recursive',
    closed({ a: { type: 'array', items: { $ref: '#/$defs/d' } } }, { $defs: { d: closed({ next: { $ref: '#' } }) } }),
  ],
  ['a property called as a keyword', closed({ properties: { type: 'string' }, items: { type: 'number' } })],
  ['values that look like schemas', closed({ a: { enum: [{ type: 'object' }], default: { properties: {} } } })],
])('%s is taken under `strict`', (_, schema) => {
  expect([taken(format(schema, true)), taken(tool(schema, true))]).toEqual(['gpt-4o', 'gpt-4o']);
});

test('a strict function without parameters is taken', () => {
  expect(taken(tools({ type: 'function', function: { name: 'f', strict: true } }))).toBe('gpt-4o');
});
