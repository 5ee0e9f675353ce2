import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OpenAIError } from '../../../openai/errors.ts';
import { JsonGuard } from '../../../relay/emulation/json-guard.ts';
import { JsonScanner } from '../../../relay/emulation/json-scanner.ts';
import { pieces, Recorder } from '../recorder.ts';

const cuts = fc.array(fc.nat(), { maxLength: 12 });

describe('the JSON in a text', () => {
  const take = (parts: readonly string[]) => {
    const scanner = new JsonScanner();
    const text = parts.map((part) => scanner.take(part)).join('');
    return { text, complete: scanner.complete };
  };

  test('any value within any prose, in any split', () => {
    const value = fc.oneof(fc.object({ withNullPrototype: false }), fc.array(fc.jsonValue()));
    // Prose without brackets: the first bracket begins the value.
    const prose = fc.string().map((text) => text.replace(/[[{]/g, '('));
    fc.assert(
      fc.property(prose, value, fc.string(), cuts, fc.boolean(), (before, json, after, at, spaced) => {
        const text = JSON.stringify(json, null, spaced ? 2 : 0);
        expect(take(pieces(before + text + after, at))).toEqual({ text, complete: true });
      }),
      { numRuns: 1000 },
    );
  });

  test.each<[string, string, boolean]>([
    ['```json\n{"a":1}\n```', '{"a":1}', true],
    ['Here you are: [1,2] and {"b":2}', '[1,2]', true],
    ['{"a":"}"} x', '{"a":"}"}', true],
    ['{"a":"\\"}"}x', '{"a":"\\"}"}', true],
    ['{"a":"\\\\"}x', '{"a":"\\\\"}', true],
    ['{"a":[{"b":[]}]', '{"a":[{"b":[]}]', false],
    ['no JSON', '', false],
    ['"text"', '', false],
    ['', '', false],
  ])('%j: %j', (text, wanted, complete) => {
    expect(take([text])).toEqual({ text: wanted, complete });
    expect(take([...text])).toEqual({ text: wanted, complete });
  });
});

describe('the JSON guard', () => {
  const fine = () => Promise.resolve(null);
  const settle = async (
    parts: readonly string[],
    schema: Record<string, unknown> | null = null,
    check = fine as (s: object, t: string) => Promise<string | null>,
  ) => {
    const recorder = new Recorder();
    const guard = new JsonGuard(recorder, schema, check);
    for (const part of parts) guard.text(0, part);
    guard.finish(0, 'stop');
    expect(recorder.finishes.size).toBe(0);
    await guard.settle();
    return recorder;
  };

  test('only the value goes out, and the finish after it was found good', async () => {
    const recorder = await settle(['```json\n{"a"', ':1}', '\n``` Done.']);
    expect(recorder.events).toEqual(['text 0 {"a"', 'text 0 :1}', 'finish 0 stop']);
  });

  test.each<[string, string]>([
    ['no value', 'sorry'],
    ['nothing', ''],
    ['half a value', '{"a":1'],
    ['brackets that do not pair', '{"a":1]'],
    ['a value that is none', '{a:1}'],
    ['single quotes', "{'a':1}"],
  ])('%s is a promise not kept', async (_name, text) => {
    await expect(settle([text])).rejects.toMatchObject({ kind: 'upstream_unmet', details: { fallback: true } });
  });

  test('the schema is checked with the value alone, and its fault told in bounds', async () => {
    const asked: unknown[] = [];
    const schema = { type: 'object' };
    await settle(['x {"a":1} y'], schema, (given, text) => {
      asked.push([given, text]);
      return Promise.resolve(null);
    });
    expect(asked).toEqual([[schema, '{"a":1}']]);
    const failing = settle(['{}'], schema, () => Promise.resolve('x'.repeat(10_000)));
    await expect(failing).rejects.toMatchObject({ kind: 'upstream_unmet' });
    await failing.catch((error: Error) => expect(error.message.length).toBeLessThan(500));
  });

  test.each(['length', 'content_filter', 'tool_calls'] as const)('a choice that ended with %s is not checked', async (reason) => {
    const recorder = new Recorder();
    const guard = new JsonGuard(recorder, {}, () => Promise.reject(new Error('not called')));
    guard.text(0, '{"a":');
    guard.finish(0, reason);
    await guard.settle();
    expect(recorder.events).toEqual(['text 0 {"a":', `finish 0 ${reason}`]);
  });

  describe('with stop words of the caller', () => {
    const early = async (text: string, cut: boolean) => {
      const recorder = new Recorder();
      const guard = new JsonGuard(recorder, { type: 'object' }, () => Promise.resolve('wrong'), { wasCut: () => cut });
      guard.text(0, text);
      guard.finish(0, 'stop');
      await guard.settle();
      return recorder.events;
    };

    test.each<[string, string, boolean, string[]]>([
      ['a value cut by the backend', '{"a":', false, ['text 0 {"a":', 'finish 0 stop']],
      ['nothing at all', '', false, ['finish 0 stop']],
      ['blanks', ' \n', false, ['finish 0 stop']],
      ['a value cut by the relay', '{"a":', true, ['text 0 {"a":', 'finish 0 stop']],
      ['a whole value that the caller sees only a part of', '{"a":1}', true, ['text 0 {"a":1}', 'finish 0 stop']],
    ])('%s is what was asked for', async (_name, text, cut, events) => {
      expect(await early(text, cut)).toEqual(events);
    });

    test.each([
      ['prose without a value', 'sorry'],
      ['a whole value of another schema', '{"a":1}'],
    ])('%s is a promise not kept all the same', async (_name, text) => {
      await expect(early(text, false)).rejects.toMatchObject({ kind: 'upstream_unmet' });
    });
  });

  test('a schema that cannot be used is told as it is', async () => {
    const fault = new OpenAIError('invalid_json_schema', 'no schema');
    await expect(settle(['{}'], {}, () => Promise.reject(fault))).rejects.toBe(fault);
  });

  test('each choice is checked; the rest goes through', async () => {
    const recorder = new Recorder();
    const guard = new JsonGuard(recorder, null, fine);
    guard.reasoning(1, 'hm');
    guard.text(1, '[1]');
    guard.tool(0, 0, 'id', 'f');
    guard.args(0, 0, '{}');
    guard.usage({ prompt: 1, completion: 1, cached: 0, reasoning: 0 });
    guard.finish(1, 'stop');
    guard.finish(0, 'tool_calls');
    await guard.settle();
    expect(recorder.events).toEqual([
      'reasoning 1 hm',
      'text 1 [1]',
      'tool 0.0 id f',
      'args 0.0 {}',
      'usage 1+1',
      'finish 0 tool_calls',
      'finish 1 stop',
    ]);
  });

  test('what is gathered is bounded', () => {
    const guard = new JsonGuard(new Recorder(), null, fine);
    guard.text(0, '["');
    expect(() => {
      for (let part = 0; part < 5; part++) guard.text(0, 'x'.repeat(1024 * 1024));
    }).toThrow('too long');
  });
});
