import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OpenAIError } from '../../openai/errors.ts';
import { CallFilter } from '../../relay/emulation/call-filter.ts';
import { JsonGuard } from '../../relay/emulation/json-guard.ts';
import { JsonScanner } from '../../relay/emulation/json-scanner.ts';
import { MustCall } from '../../relay/emulation/must-call.ts';
import { StopCutter } from '../../relay/emulation/stop-cutter.ts';
import { pieces, Recorder } from './recorder.ts';

const cuts = fc.array(fc.nat(), { maxLength: 12 });

/** What a model that knew the stop words would have written: it ends with the first word that becomes whole, the longest such one. */
function cutByHand(text: string, words: readonly string[]): string {
  for (let end = 1; end <= text.length; end++) {
    const ending = words.filter((word) => text.slice(0, end).endsWith(word));
    if (ending.length > 0) return text.slice(0, end - Math.max(...ending.map((word) => word.length)));
  }
  return text;
}

describe('stop words', () => {
  const play = (parts: readonly string[], words: readonly string[]) => {
    const recorder = new Recorder();
    const cutter = new StopCutter(recorder, words);
    for (const part of parts) cutter.text(0, part);
    const cutEarly = cutter.allCut;
    cutter.finish(0, 'length');
    return { recorder, cutEarly };
  };

  // Few letters, so that words overlap each other and themselves.
  const letters = (min: number, max: number) => fc.string({ unit: fc.constantFrom('a', 'b', 'c', '🙂'), minLength: min, maxLength: max });

  test('any split gives what the whole text gives', () => {
    fc.assert(
      fc.property(letters(0, 40), fc.array(letters(1, 5), { minLength: 1, maxLength: 6 }), cuts, (text, words, at) => {
        const { recorder, cutEarly } = play(pieces(text, at), words);
        const wanted = cutByHand(text, words);
        expect(recorder.texts.get(0) ?? '').toBe(wanted);
        expect(cutEarly).toBe(wanted !== text);
        expect(recorder.finishes.get(0)).toBe(wanted === text ? 'length' : 'stop');
      }),
      { numRuns: 3000 },
    );
  });

  test.each<[string, string[], string]>([
    ['abcd', ['abcd', 'b'], 'a'],
    ['xab', ['ab', 'b'], 'x'],
    ['aab', ['ab'], 'a'],
    ['ababac', ['abac'], 'ab'],
    ['end', ['END'], 'end'],
    ['one\n\ntwo', ['\n\n'], 'one'],
    ['naïve🙂!', ['🙂'], 'naïve'],
  ])('%j with %j: %j', (text, words, wanted) => {
    expect(play([text], words).recorder.texts.get(0)).toBe(wanted);
    expect(play([...text], words).recorder.texts.get(0)).toBe(wanted);
  });

  test('only what may begin a word is held back', () => {
    const recorder = new Recorder();
    const cutter = new StopCutter(recorder, ['END']);
    cutter.text(0, 'one E');
    expect(recorder.texts.get(0)).toBe('one ');
    cutter.text(0, 'N');
    expect(recorder.texts.get(0)).toBe('one ');
    cutter.text(0, 'X');
    expect(recorder.texts.get(0)).toBe('one ENX');
    cutter.text(0, 'EN');
    cutter.finish(0, 'stop');
    expect(recorder.texts.get(0)).toBe('one ENXEN');
  });

  test('each choice for itself; all are cut only when each has been', () => {
    const recorder = new Recorder();
    const cutter = new StopCutter(recorder, ['.']);
    expect(cutter.allCut).toBe(false);
    cutter.text(0, 'a');
    cutter.text(1, 'b');
    cutter.text(0, '.x');
    expect(cutter.allCut).toBe(false);
    cutter.text(0, 'late');
    cutter.reasoning(0, 'late');
    cutter.tool(0, 0, 'id', 'late');
    cutter.args(0, 0, 'late');
    cutter.finish(0, 'length');
    cutter.text(1, 'c.');
    expect(cutter.allCut).toBe(true);
    expect(recorder.events).toEqual(['text 0 a', 'text 1 b', 'finish 0 stop', 'text 1 c', 'finish 1 stop']);
  });

  test('what is held goes out before a tool call', () => {
    const recorder = new Recorder();
    const cutter = new StopCutter(recorder, ['END']);
    cutter.text(0, 'E');
    cutter.tool(0, 0, 'id', 'f');
    cutter.args(0, 0, 'END');
    cutter.finish(0, 'tool_calls');
    expect(recorder.events).toEqual(['text 0 E', 'tool 0.0 id f', 'args 0.0 END', 'finish 0 tool_calls']);
  });

  test('usage goes through after the cut', () => {
    const recorder = new Recorder();
    const cutter = new StopCutter(recorder, ['.']);
    cutter.text(0, '.');
    cutter.usage({ prompt: 1, completion: 2, cached: 0, reasoning: 0 });
    expect(recorder.events.at(-1)).toBe('usage 1+2');
  });

  test('long texts in small pieces take linear time', () => {
    const startedAt = performance.now();
    const { recorder } = play(
      Array.from({ length: 200_000 }, () => 'ab'),
      ['abababababababababababababababac', 'aaaa'],
    );
    expect(recorder.texts.get(0)).toHaveLength(400_000);
    expect(performance.now() - startedAt).toBeLessThan(4_000);
  });
});

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

describe('a call that must come', () => {
  test('text waits for the call; thinking does not', () => {
    const recorder = new Recorder();
    const must = new MustCall(recorder, null);
    must.reasoning(0, 'hm');
    must.text(0, 'I will ');
    must.text(0, 'call.');
    expect(recorder.events).toEqual(['reasoning 0 hm']);
    must.tool(0, 0, 'id', 'f');
    must.args(0, 0, '{}');
    must.text(0, ' Done');
    must.finish(0, 'tool_calls');
    expect(recorder.events.slice(1)).toEqual([
      'text 0 I will call.',
      'tool 0.0 id f',
      'args 0.0 {}',
      'text 0  Done',
      'finish 0 tool_calls',
    ]);
  });

  test.each(['stop', 'tool_calls'] as const)('an answer without it that ends with %s is a promise not kept', (reason) => {
    const recorder = new Recorder();
    const must = new MustCall(recorder, 'f');
    must.text(0, 'no');
    must.finish(0, reason);
    expect(must.broken?.message).toContain("did not call the function 'f'");
    expect(recorder.events).toEqual([]);
    // Told only now: what the vendor counted is known.
    expect(() => must.usage({ prompt: 1, completion: 2, cached: 0, reasoning: 0 })).toThrow("did not call the function 'f'");
    expect(recorder.events).toEqual(['usage 1+2']);
  });

  test.each(['length', 'content_filter'] as const)('one that was stopped with %s is none', (reason) => {
    const recorder = new Recorder();
    const must = new MustCall(recorder, null);
    must.text(0, 'so f');
    must.finish(0, reason);
    expect(recorder.events).toEqual(['text 0 so f', `finish 0 ${reason}`]);
  });

  test('another function is not the named one', () => {
    const must = new MustCall(new Recorder(), 'f');
    expect(() => must.tool(0, 0, 'id', 'g')).toThrow("did not call the function 'f'");
  });

  test('each choice must call', () => {
    const must = new MustCall(new Recorder(), null);
    must.tool(0, 0, 'id', 'f');
    must.finish(0, 'tool_calls');
    expect(must.broken).toBeNull();
    must.finish(1, 'stop');
    expect(must.broken?.message).toContain('did not call a function');
  });

  test('what is held is bounded', () => {
    const must = new MustCall(new Recorder(), null);
    must.text(0, 'x'.repeat(1024 * 1024));
    expect(() => must.text(0, 'x')).toThrow('did not call');
  });
});

describe('the filter of calls', () => {
  const play = (rules: Partial<ConstructorParameters<typeof CallFilter>[1]>): string[] => {
    const recorder = new Recorder();
    const filter = new CallFilter(recorder, { firstOnly: false, none: false, names: undefined, ...rules });
    filter.reasoning(0, 'hm');
    filter.text(0, 'hi');
    filter.tool(0, 0, 'i', 'f_');
    filter.tool(0, 1, 'j', 'g');
    filter.args(0, 0, '{');
    filter.args(0, 1, '[');
    filter.tool(1, 0, 'k', 'constructor');
    filter.finish(0, 'tool_calls');
    filter.finish(1, 'length');
    filter.usage({ prompt: 1, completion: 2, cached: 0, reasoning: 0 });
    return recorder.events.slice(2);
  };
  const END = ['finish 0 tool_calls', 'finish 1 length', 'usage 1+2'];

  test.each<[string, Parameters<typeof play>[0], string[]]>([
    ['nothing', {}, ['tool 0.0 i f_', 'tool 0.1 j g', 'args 0.0 {', 'args 0.1 [', 'tool 1.0 k constructor', ...END]],
    ['the first only', { firstOnly: true }, ['tool 0.0 i f_', 'args 0.0 {', 'tool 1.0 k constructor', ...END]],
    ['none', { none: true }, ['finish 0 stop', 'finish 1 length', 'usage 1+2']],
    [
      'names',
      { names: new Map([['f_', 'f']]) },
      ['tool 0.0 i f', 'tool 0.1 j g', 'args 0.0 {', 'args 0.1 [', 'tool 1.0 k constructor', ...END],
    ],
  ])('%s', (_name, rules, wanted) => expect(play(rules)).toEqual(wanted));
});
