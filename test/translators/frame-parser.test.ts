import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameParser, PROBE } from '../../translators/compatible/frame-parser.ts';

const frame = (delta: object, more: object = {}): object => ({
  id: 'chatcmpl-1',
  choices: [{ delta, finish_reason: null, index: 0 }],
  usage: null,
  ...more,
});

/** Texts that are hard to find again: what frames are made of, what ends a string, what JSON escapes. */
const text = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    ' word',
    '你好',
    '😀',
    '\n',
    '"',
    '\\',
    '\\"',
    '"content":"',
    '"}}',
    '{"content":"x"}',
    'a"b',
    '\u2028',
    '\ud83d',
    '\u0000',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
);
const field = fc.constantFrom('content', 'reasoning_content', 'content', 'role');
const shape = fc.constantFrom<(delta: object) => unknown>(
  (delta) => frame(delta),
  (delta) => frame(delta, { model: '"content":"x' }),
  (delta) => frame(delta, { content: 'of another thing' }),
  (delta) => ({ content: 'first', ...frame(delta) }),
  (delta) => frame({ role: 'assistant', ...delta, tool_calls: null }),
  (delta) => ({ choices: [frame(delta)] }),
  (delta) => ({ choices: [{ delta }, { delta }] }),
  (delta) => delta,
);
/** As vendors write it, with their own white space and escapes; sometimes what is no JSON at all. */
const written = fc.constantFrom<(value: unknown) => string>(
  (value) => JSON.stringify(value),
  (value) => JSON.stringify(value, null, 1),
  (value) => JSON.stringify(value).replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  (value) => JSON.stringify(value).replaceAll('":"', '" : "'),
  (value) => JSON.stringify(value).replace('"content"', '"content":"twice","content"'),
  (value) => JSON.stringify(value).replace('a', '\n'),
  (value) => JSON.stringify(value).slice(0, -1),
);

const outcome = (parse: () => unknown): unknown => {
  try {
    return structuredClone(parse());
  } catch (error) {
    return (error as Error).name;
  }
};

test('whatever comes after whatever, a frame is what JSON.parse makes of it', () =>
  fc.assert(
    fc.property(
      // Runs of one shape, as streams have them.
      fc.array(fc.tuple(shape, written, field, fc.array(text, { minLength: 1, maxLength: 6 })), { maxLength: 6 }),
      (runs) => {
        const parser = new FrameParser();
        for (const [made, write, name, texts] of runs) {
          for (const piece of texts) {
            const json = write(made({ [name]: piece }));
            expect(outcome(() => parser.parse(json))).toEqual(outcome(() => JSON.parse(json)));
          }
        }
      },
    ),
    { numRuns: 1000 },
  ));

test.each([
  ['content', '{"id":"1","choices":[{"index":0,"delta":{"content":"', '"},"finish_reason":null}]}'],
  ['reasoning_content', '{"choices":[{"delta":{"content":null,"reasoning_content": "', '"}}]}'],
  ['content', '{"content":"not this","choices":[{"delta":{"content":"', '"}}],"text":"\\"content\\":\\"nor this"}'],
] as const)('the second %s of a shape is read without its frame', (name, before, after) => {
  const parser = new FrameParser();
  const first = parser.parse(`${before}one${after}`);
  const second = parser.parse(`${before}two${after}`);
  expect(second).not.toBe(first);
  for (const raw of ['', 'three', 'a longer text than is copied by itself', '\\n', '\\"quoted\\" \\u4f60', '你']) {
    const json = `${before}${raw}${after}`;
    const read = parser.parse(json) as { choices: { delta: Record<string, unknown> }[] };
    expect(read).toBe(second);
    expect(read).toEqual(JSON.parse(json));
    expect(read.choices[0]?.delta[name]).toBe(JSON.parse(`"${raw}"`));
  }
});

test('a stream whose frames are all different stops looking for a shape; one that has a shape may learn the next', () => {
  const parser = new FrameParser();
  const json = (number: number, content: string): string => JSON.stringify(frame({ content }, { created: number }));
  for (let number = 0; number < 4; number++) parser.parse(json(number, 'a'));
  // The last that was learned.
  const known = parser.parse(json(3, 'b'));
  expect(parser.parse(json(3, 'c'))).toBe(known);
  // No lesson is left: parsed anew each time.
  expect(parser.parse(json(9, 'a'))).not.toBe(parser.parse(json(9, 'b')));
  for (let count = 0; count < 32; count++) parser.parse(json(3, 'd'));
  parser.parse(json(9, 'a'));
  expect(parser.parse(json(9, 'b'))).toBe(parser.parse(json(9, 'c')));
});

test('a frame may say whatever the parser puts into it', () => {
  const parser = new FrameParser();
  for (const first of ['x', 'y', PROBE]) {
    const json = `{"choices":[{"delta":{"content":"${first}","content":"${PROBE}"}}]}`;
    expect(parser.parse(json)).toEqual(JSON.parse(json));
  }
});

test.each([
  ['short', 4096, true],
  ['long', 4097, false],
])('a %s frame is kept as a shape: of %i code units, %s', (_, length, kept) => {
  const parser = new FrameParser();
  const [before, after] = ['{"choices":[{"delta":{"content":"', '"}}],"pad":"'];
  const json = (text: string): string => `${before}${text}${after}${'p'.repeat(length - before.length - after.length - 3)}"}`;
  expect(json('a')).toHaveLength(length);
  parser.parse(json('a'));
  expect(parser.parse(json('b')) === parser.parse(json('c'))).toBe(kept);
  expect(parser.parse(json('d'))).toEqual(JSON.parse(json('d')));
});

test('a long text of a known shape is not kept', () => {
  const parser = new FrameParser();
  const json = (text: string): string => `{"choices":[{"delta":{"content":"${text}"}}]}`;
  parser.parse(json('a'));
  const known = parser.parse(json('b'));
  expect(parser.parse(json('l'.repeat(5000)))).not.toBe(known);
  expect(parser.parse(json('c'))).toBe(known);
});

test('how deep a frame is nested does not matter', () => {
  const deep = 100_000;
  const json = `{"choices":[{"delta":{"content":"a"}}],"deep":${'['.repeat(deep)}${']'.repeat(deep)}}`;
  expect(new FrameParser().parse(json)).toMatchObject({ choices: [{ delta: { content: 'a' } }] });
});
