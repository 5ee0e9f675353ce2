import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SurrogateJoin } from '../../openai/chat/surrogates.ts';

test('an emoji cut in two comes out whole', () => {
  const join = new SurrogateJoin();
  expect(join.join('a\ud83d')).toBe('a');
  expect(join.join('')).toBe('');
  expect(join.join('\ude00b')).toBe('😀b');
  expect(join.rest()).toBe('');
});

test.each([
  ['a half that waits for ever', ['\ud83d'], '\ufffd'],
  ['a second half alone', ['\ude00'], '\ufffd'],
  ['two first halves', ['\ud83d', '\ud83d\ude00'], '\ufffd😀'],
  ['a half before a letter', ['\ud83d', 'a'], '\ufffda'],
  ['nothing', [], ''],
])('%s', (_name, pieces, whole) => {
  const join = new SurrogateJoin();
  expect(pieces.map((piece) => join.join(piece)).join('') + join.rest()).toBe(whole);
  expect(join.rest()).toBe('');
});

test('any text in any pieces: each piece well-formed, together the text', () => {
  const units = fc.array(fc.constantFrom('a', '\ud83d', '\ude00', '你'), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(units, { maxLength: 6 }), (pieces) => {
      const join = new SurrogateJoin();
      const out = [...pieces.map((piece) => join.join(piece.join(''))), join.rest()];
      for (const piece of out) expect(piece.isWellFormed()).toBe(true);
      expect(out.join('')).toBe(pieces.flat().join('').toWellFormed());
    }),
    { numRuns: 2000 },
  );
});
