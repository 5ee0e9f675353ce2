import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OpenAIError } from '../../openai/errors.ts';
import { parseJsonObject } from '../../openai/json.ts';

function refusal(bytes: Buffer | string, maxDepth = 64): OpenAIError {
  try {
    parseJsonObject(Buffer.from(bytes as string), maxDepth);
  } catch (error) {
    if (error instanceof OpenAIError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

test.each<[string, Buffer | string]>([
  ['nothing', ''],
  ['a word', 'hello'],
  ['half an object', '{"a":1'],
  ['two objects', '{}{}'],
  ['an array', '[]'],
  ['null', 'null'],
  ['a number', '5'],
  ['a string', '"x"'],
  ['a trailing comma', '{"a":1,}'],
  ['NaN', '{"a":NaN}'],
  ['a byte order mark', '\ufeff{}'],
  ['a byte that is no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ['UTF-16', Buffer.from('{"a":1}', 'utf16le')],
])('%s is no JSON object', (_name, bytes) => {
  const error = refusal(bytes);
  expect([error.kind, error.status, error.code, error.message.slice(0, 43)]).toEqual([
    'invalid_json',
    400,
    null,
    'We could not parse the JSON body of your re',
  ]);
});

describe('depth', () => {
  const nested = (levels: number, open = '{"a":', close = '}'): string => `${open.repeat(levels - 1)}{}${close.repeat(levels - 1)}`;

  test('the bound itself is taken, one more is not', () => {
    expect(parseJsonObject(Buffer.from(nested(10)), 10)).toHaveProperty('a.a.a');
    expect(refusal(nested(11), 10).kind).toBe('object_too_deep');
  });

  test('arrays count too', () => {
    expect(refusal(`{"a":${'['.repeat(10)}${']'.repeat(10)}}`, 10).kind).toBe('object_too_deep');
  });

  test('a very deep body is refused, not a crash, and its path is cut', () => {
    const error = refusal(nested(5000), 64);
    expect(error.kind).toBe('object_too_deep');
    expect(error.details.param?.length).toBeLessThanOrEqual(200);
  });
});

describe('half surrogate pairs', () => {
  test.each([
    ['in a value', '{"messages":[{"content":"a\\ud83d"}]}', 'messages[0].content'],
    ['in upper case', '{"a":"\\uD83D"}', 'a'],
    ['a second half', '{"a":{"b":["x","\\ude00"]}}', 'a.b[1]'],
    ['in a key', '{"a":{"\\ud83d":1}}', 'a'],
  ])('%s', (_name, text, param) => {
    const error = refusal(text);
    expect([error.kind, error.details.param]).toEqual(['invalid_value', param]);
  });

  test('a whole pair is a character', () => {
    expect(parseJsonObject(Buffer.from('{"a":"\\ud83d\\ude00"}'), 4)).toEqual({ a: '😀' });
  });

  test('escaped text that only looks like one is text', () => {
    expect(parseJsonObject(Buffer.from('{"a":"\\\\ud83d"}'), 4)).toEqual({ a: '\\ud83d' });
  });
});

test.each(['1e999', '-1e999', '9'.repeat(400)])('a number that is none (%s) is refused with its path', (number) => {
  const error = refusal(`{"a":[{"b":${number}}]}`);
  expect([error.kind, error.details.param]).toEqual(['invalid_value', 'a[0].b']);
});

test('__proto__, constructor and the like are ordinary keys', () => {
  const value = parseJsonObject(Buffer.from('{"__proto__":{"admin":true},"constructor":1,"toString":"x"}'), 8);
  expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'toString']);
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
});

test('whatever JSON can say comes back as it was', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (value) => {
      const text = JSON.stringify(value);
      expect(parseJsonObject(Buffer.from(text), 16)).toEqual(JSON.parse(text));
    }),
    { numRuns: 500 },
  );
});
