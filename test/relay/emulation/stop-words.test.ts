import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StopCutter } from '../../../relay/emulation/stop-cutter.ts';
import { pieces, Recorder } from '../recorder.ts';

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
