import { afterAll, describe, expect, test } from 'vitest';
import { SchemaChecker } from '../../relay/emulation/schema-checker.ts';

const checker = new SchemaChecker();
afterAll(() => checker.close());

const PERSON = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'], additionalProperties: false };

describe('checks', () => {
  test.each<[string, Record<string, unknown>, string, RegExp | null]>([
    ['a good value', PERSON, '{"name":"x"}', null],
    ['a missing field', PERSON, '{}', /name/],
    ['a wrong type', PERSON, '{"name":1}', /answer\/name/],
    ['a field too many', PERSON, '{"name":"x","y":1}', /additional/],
    ['an empty schema', {}, '[1]', null],
    ['an older draft', { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }] }, '[1]', /string/],
    ['the newest draft', { $schema: 'https://json-schema.org/draft/2020-12/schema', prefixItems: [{ type: 'string' }] }, '[1]', /string/],
    ['an unknown draft', { $schema: 'https://example.com/mine', type: 'array' }, '[1]', null],
    ['an unknown keyword', { type: 'array', 'x-mine': true }, '[1]', null],
    ['a format is a hint', { type: 'string', format: 'date' }, '"no date"', null],
    ['a reference within', { $defs: { n: { type: 'number' } }, type: 'array', items: { $ref: '#/$defs/n' } }, '["x"]', /number/],
    [
      'recursion',
      { type: 'object', properties: { next: { $ref: '#' } }, additionalProperties: false },
      '{"next":{"next":{"x":1}}}',
      /next/,
    ],
    ['an id', { $id: 'https://example.com/a', type: 'number' }, '1', null],
    ['the same id with another schema', { $id: 'https://example.com/a', type: 'string' }, '1', /string/],
    ['a word for asynchronous checks', { $async: true, type: 'string' }, '1', /string/],
  ])('%s', async (_name, schema, text, fault) => {
    const found = await checker.check(schema, text);
    if (fault === null) expect(found).toBeNull();
    else expect(found).toMatch(fault);
  });

  test.each<[string, Record<string, unknown>]>([
    ['a type that is none', { type: 'strin' }],
    ['a reference to nowhere', { $ref: '#/$defs/nope' }],
    ['a reference to another machine', { $ref: 'https://example.com/schema' }],
    ['a pattern that is none', { type: 'string', pattern: '(' }],
    ['properties that are none', { properties: 3 }],
    ['a property that is none', { properties: { a: 1 } }],
    ['a length below zero', { minLength: -1 }],
  ])('a bad schema is told: %s', async (_name, schema) => {
    await expect(checker.check(schema, '"x"')).rejects.toMatchObject({
      kind: 'invalid_json_schema',
      message: expect.stringMatching(/^Invalid schema for response_format: \S/),
      details: { param: 'response_format', retry: false },
    });
    // And the checker goes on.
    expect(await checker.check(PERSON, '{"name":"x"}')).toBeNull();
  });

  test('a schema that is too large is not compiled', async () => {
    await expect(checker.check({ description: 'x'.repeat(300_000) }, '1')).rejects.toMatchObject({ kind: 'invalid_json_schema' });
  });

  test('an answer too deep for the check fails it, not the schema; the thread goes on', async () => {
    const list = { $defs: { l: { type: 'array', items: { $ref: '#/$defs/l' } } }, $ref: '#/$defs/l' };
    expect(await checker.check(list, '['.repeat(100_000) + ']'.repeat(100_000))).toMatch('cannot be checked');
    expect(await checker.check(list, '[[]]')).toBeNull();
  });

  test('many at once, each with its own answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        checker.check(
          { type: 'object', properties: { [`k${index % 250}`]: { type: 'string' } } },
          `{"k${index % 250}":${index % 2 ? '1' : '"x"'}}`,
        ),
      ),
    );
    answers.forEach((answer, index) => {
      if (index % 2) expect(answer).toContain(`k${index % 250}`);
      else expect(answer).toBeNull();
    });
  });
});

test('a check that takes too long is ended; the next one is served', async () => {
  const slow = new SchemaChecker();
  const startedAt = performance.now();
  // Exponential backtracking, on purpose.
  const fault = await slow.check({ type: 'string', pattern: '^(a+)+$' }, JSON.stringify(`${'a'.repeat(40)}!`));
  expect(fault).toMatch('too long');
  expect(performance.now() - startedAt).toBeLessThan(8_000);
  expect(await slow.check(PERSON, '{"name":"x"}')).toBeNull();
  // Those behind it in the queue do not pay for it.
  const [bad, good] = await Promise.all([
    slow.check({ type: 'string', pattern: '^(a+)+$' }, JSON.stringify(`${'a'.repeat(40)}!`)),
    slow.check(PERSON, '{"name":"x"}'),
  ]);
  expect(bad).toMatch('too long');
  expect(good).toBeNull();
  await slow.close();
});

test('closing ends what is waiting, and a closed checker starts anew', async () => {
  const closed = new SchemaChecker();
  const waiting = closed.check({ type: 'string', pattern: '^(a+)+$' }, JSON.stringify(`${'a'.repeat(40)}!`));
  await closed.close();
  expect(await waiting).toMatch('shutting down');
  expect(await closed.check(PERSON, '{"name":"x"}')).toBeNull();
  await closed.close();
});
