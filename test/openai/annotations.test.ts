import { expect, test } from 'vitest';
import { Annotations } from '../../openai/chat/annotations.ts';

const page = (number: number, mark: string | null = `[${number}]`) => ({
  url: `https://a.example/${number}`,
  title: `Page ${number}`,
  mark,
});

/** What each annotation covers, cut out of the text by code points as OpenAI's clients do. */
function covered(pieces: readonly string[], pages: readonly ReturnType<typeof page>[]): string[] {
  const annotations = new Annotations();
  for (const piece of pieces) annotations.read(piece);
  annotations.cite(pages);
  const points = [...pieces.join('')];
  return annotations.list().map(({ url_citation: { start_index: start, end_index: end, title } }) => {
    expect(end <= points.length).toBe(true);
    return `${title}: ${points.slice(start, end).join('')}`;
  });
}

test.each<[string, string[], string[]]>([
  ['a mark', ['It rains[1].'], ['Page 1: [1]', 'Page 2: ']],
  ['each of its marks', ['A[1] b[2] c[1]'], ['Page 1: [1]', 'Page 1: [1]', 'Page 2: [2]']],
  ['a mark within carets', ['A^[2]^'], ['Page 1: ', 'Page 2: [2]']],
  ['a bracket within a bracket', ['[[1]]'], ['Page 1: [1]', 'Page 2: ']],
  ['no mark of ours', ['a[3] b[12] c[ 1 ] d[1'], ['Page 1: ', 'Page 2: ']],
  ['a bracket that closes far away', [`[${'x'.repeat(40)}] [1]`], ['Page 1: [1]', 'Page 2: ']],
  ['beyond the basic plane', ['🌊🌊 浙[1]'], ['Page 1: [1]', 'Page 2: ']],
  ['no text', [], ['Page 1: ', 'Page 2: ']],
])('%s', (_name, pieces, expected) => {
  expect(covered(pieces, [page(1), page(2)])).toEqual(expected);
  const text = pieces.join('');
  expect(covered(text.split(''), [page(1), page(2)])).toEqual(expected);
  for (let at = 1; at < text.length; at++) expect(covered([text.slice(0, at), text.slice(at)], [page(1), page(2)])).toEqual(expected);
});

test('a page without a mark, and no pages', () => {
  expect(covered(['a[1]'], [page(1, null)])).toEqual(['Page 1: ']);
  expect(covered(['a[1]'], [])).toEqual([]);
});

test('a later list takes the place of an earlier one', () => {
  const annotations = new Annotations();
  annotations.cite([page(1), page(2)]);
  annotations.cite([page(3)]);
  expect(annotations.list().map(({ url_citation: { url } }) => url)).toEqual(['https://a.example/3']);
});
