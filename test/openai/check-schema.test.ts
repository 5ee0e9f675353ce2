import { describe, expect, test } from 'vitest';
import { schemaFault } from '../../openai/chat/check-schema.ts';
import { body, refuseAll } from './bodies.ts';

type Schema = Record<string, unknown>;
const nested = (levels: number): Schema => (levels === 0 ? {} : { not: nested(levels - 1) });

describe('schemas that pass', () => {
  test.each<[string, Schema]>([
    ['empty', {}],
    ['every keyword with subschemas', { properties: { a: true, b: { items: [{ type: 'string' }, false] } }, additionalProperties: false }],
    ['a list of types', { type: ['string', 'null'] }],
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    ['combinations', { anyOf: [{ type: 'string' }], allOf: [true], oneOf: [{}], not: {}, if: {}, then: {}, else: {} }],
    ['definitions', { $defs: { a: {} }, definitions: { b: {} }, $ref: '#/$defs/a' }],
    ['tuples of older drafts', { items: [] }],
    ['properties named like keywords', { properties: { $async: {}, type: { type: 'string' }, items: {}, toString: {}, __proto__: {} } }],
    ['keywords nobody knows', { 'x-mine': 3, nullable: true, example: [], constructor: 1, format: 5 }],
    ['a value that looks like a schema', { const: { type: 'strin' }, enum: [{ properties: 3 }], default: { $async: true } }],
    ['64 schemas deep', nested(64)],
    ['256 Ki characters', { title: 'x'.repeat(256 * 1024 - 12) }],
  ])('%s', (_name, schema) => expect(schemaFault(schema)).toBeNull());
});

describe('schemas that do not', () => {
  test.each<[Schema, string]>([
    [{ type: 'strin' }, 'schema.type must be one of array,'],
    [{ type: [] }, 'schema.type must be'],
    [{ type: ['object', null] }, 'schema.type must be'],
    [{ properties: [] }, 'schema.properties must be an object'],
    [{ properties: { a: 1 } }, 'schema.properties.a must be an object or a boolean'],
    [{ properties: { a: { items: null } } }, 'schema.properties.a.items must be an object or a boolean'],
    [{ $defs: { a: { anyOf: [{}, []] } } }, 'schema.$defs.a.anyOf[1] must be'],
    [{ items: [3] }, 'schema.items[0] must be'],
    [{ prefixItems: [] }, 'schema.prefixItems must be a list of schemas'],
    [{ allOf: {} }, 'schema.allOf must be a list of schemas'],
    [{ required: true }, 'schema.required must be a list of strings'],
    [{ required: ['a', 1] }, 'schema.required must be a list of strings'],
    [{ enum: 'a' }, 'schema.enum must be a list'],
    [{ $ref: 1 }, 'schema.$ref must be a string'],
    [{ not: { pattern: {} } }, 'schema.not.pattern must be a string'],
    [{ $async: true }, 'schema.$async is no keyword'],
    [{ properties: { a: { $async: true } } }, 'schema.properties.a.$async is no keyword'],
  ])('%j', (schema, fault) => expect(schemaFault(schema)?.slice(0, fault.length)).toBe(fault));

  test('65 schemas deep', () => expect(schemaFault(nested(65))).toMatch('nested deeper than 64'));
  test('more than 256 Ki characters', () => expect(schemaFault({ title: 'x'.repeat(256 * 1024 - 11) })).toMatch('larger than'));
});

const format = (schema: unknown): Schema => body({ response_format: { type: 'json_schema', json_schema: { name: 'a', schema } } });
refuseAll('formats', [
  [
    format({ type: 'strin' }),
    'invalid_json_schema',
    'response_format',
    "Invalid schema for response_format 'a': schema.type must be one of",
  ],
  [
    format({ properties: { ['k'.repeat(900)]: 1 } }),
    'invalid_json_schema',
    'response_format',
    `Invalid schema for response_format 'a': schema.properties.${'k'.repeat(64)} must`,
  ],
]);
