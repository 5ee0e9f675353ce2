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

/** Exponential backtracking, on purpose. */
const BOMB = { type: 'string', pattern: '^(a+)+$' };
const FUSE = JSON.stringify(`${'a'.repeat(60)}!`);
const TOO_SLOW = { kind: 'invalid_json_schema', message: expect.stringMatching('too long'), details: { retry: false } };

describe('a schema that is slow to check', () => {
  test('is its own fault, and is refused at once for a while, also with a harmless answer', async () => {
    let nowMs = 0;
    const slow = new SchemaChecker({ clock: () => nowMs });
    const startedAt = performance.now();
    await expect(slow.check(BOMB, FUSE)).rejects.toMatchObject(TOO_SLOW);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    nowMs = 59_000;
    await expect(slow.check(BOMB, '"a"')).rejects.toMatchObject(TOO_SLOW);
    nowMs = 61_000;
    expect(await slow.check(BOMB, '"a"')).toBeNull();
    await slow.close();
  });

  test('many of one schema cost everybody one slow check', async () => {
    const slow = new SchemaChecker();
    const startedAt = performance.now();
    const bad = Array.from({ length: 12 }, () => expect(slow.check(BOMB, FUSE, 'mallory')).rejects.toMatchObject(TOO_SLOW));
    expect(await slow.check(PERSON, '{"name":"x"}', 'mallory')).toBeNull();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await Promise.all(bad);
    await slow.close();
  });

  test('many different ones of one caller hold another caller up by one of them', async () => {
    const slow = new SchemaChecker();
    let refused = 0;
    const bad = Array.from({ length: 20 }, (_, index) =>
      slow.check({ ...BOMB, title: `${index}` }, FUSE, 'mallory').catch(() => {
        refused++;
      }),
    );
    expect(await slow.check(PERSON, '{"name":"x"}', 'alice')).toBeNull();
    expect(refused).toBe(1);
    await slow.close();
    await Promise.all(bad);
    expect(refused).toBe(20);
  });
});

test('an answer whose turn does not come is not called wrong', async () => {
  const full = new SchemaChecker({ waitMs: 1 });
  await expect(full.check(PERSON, '{"name":"x"}')).rejects.toMatchObject({ kind: 'draining', message: expect.stringMatching('too many') });
  await full.close();
});

test('closing ends what is waiting, and a closed checker starts anew', async () => {
  const closed = new SchemaChecker();
  const waiting = closed.check(BOMB, FUSE);
  const told = expect(waiting).rejects.toMatchObject({ kind: 'draining', message: expect.stringMatching('shutting down') });
  await closed.close();
  await told;
  expect(await closed.check(PERSON, '{"name":"x"}')).toBeNull();
  await closed.close();
});
