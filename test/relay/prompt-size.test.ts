import fc from 'fast-check';
import { expect, test } from 'vitest';
import { promptSize } from '../../relay/chat/prompt-size.ts';

const sizeOf = (text: string) => promptSize({ messages: [{ role: 'user', content: text }] });

test('each character of a text is in one class, however long it is', () =>
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', ' ', '/', '0', '9', ':', '\u007f', '\u0080', 'é', '你', '😀', '\ud800')),
      fc.constantFrom(1, 2, 7, 5_000),
      (characters, times) => {
        const text = characters.join('').repeat(times);
        const units = [...Array(text.length).keys()].map((place) => text.charCodeAt(place));
        const others = units.filter((unit) => unit > 127).length;
        const digits = units.filter((unit) => unit >= 48 && unit <= 57).length;
        expect(sizeOf(text)).toMatchObject({ others, digits, letters: units.length - others - digits });
      },
    ),
    { numRuns: 60 },
  ));

test.each([16_383, 16_384, 16_385, 40_000])('%d digits, and a letter at the end', (length) => {
  expect(sizeOf(`${'7'.repeat(length)}z`)).toMatchObject({ digits: length, letters: 1, others: 0 });
});
