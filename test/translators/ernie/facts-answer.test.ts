/** Facts of Qianfan's chat reference about answers that no other table of this folder holds; the rest: `facts-held.test.ts`. */
import { expect, test } from 'vitest';
import { ernieV2 } from '../../../translators/ernie/v2.ts';
import { checkStream, foldStream } from '../../contract/openai-schema.ts';
import { type Replay, replay, replayWhole } from '../replay.ts';

type Body = Record<string, unknown>;

const body = (message: Body, more: Body = {}, choice: Body = {}): Buffer =>
  Buffer.from(
    JSON.stringify({
      id: 'as-k3v9x0q2mb',
      object: 'chat.completion',
      created: 1_790_000_000,
      model: 'ernie-5.1',
      choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop', flag: 0, ...choice }],
      usage: { prompt_tokens: 21, completion_tokens: 9, total_tokens: 30 },
      ...more,
    }),
  );

const message = ({ out, error }: Replay): Body => {
  expect(error).toBeNull();
  return (JSON.parse(out) as { choices: { message: Body }[] }).choices[0]?.message ?? {};
};

const PAGES = [
  { index: 1, url: 'https://a.example/1', title: 'Tides' },
  { index: 2, url: 'https://a.example/2', title: 'Gulls' },
];
const cited = (start: number, end: number, page: 0 | 1) => ({
  type: 'url_citation',
  url_citation: { start_index: start, end_index: end, url: PAGES[page]?.url, title: PAGES[page]?.title },
});

test('usage: tokens of search results are part of the prompt, cached ones are told', () => {
  const usage = {
    prompt_tokens: 546,
    completion_tokens: 26,
    total_tokens: 572,
    prompt_tokens_details: { search_tokens: 525, cached_tokens: 12 },
  };
  expect(replayWhole(ernieV2, body({ content: 'x' }, { usage })).usage).toEqual({ prompt: 546, completion: 26, cached: 12, reasoning: 0 });
});

test('usage: reasoning tokens where a model tells them', () => {
  const usage = { prompt_tokens: 5, completion_tokens: 40, total_tokens: 45, completion_tokens_details: { reasoning_tokens: 30 } };
  expect(replayWhole(ernieV2, body({ content: 'x' }, { usage })).usage).toMatchObject({ completion: 40, reasoning: 30 });
});

test.each<[string, Body, Body[]]>([
  ['cited where the marks stand', { content: '海鸥^[2]^ at six.^[1]^' }, [cited(16, 19, 0), cited(3, 6, 1)]],
  ['not cited: at the end', { content: 'Six.' }, [cited(4, 4, 0), cited(4, 4, 1)]],
])('search_results: %s', (_what, said, annotations) => {
  expect(message(replayWhole(ernieV2, body(said, { search_results: PAGES })))['annotations']).toEqual(annotations);
});

test.each<[string, unknown]>([
  ['none', []],
  ['null', null],
  ['no list', { url: 'https://a.example' }],
  ['no web pages', [{ index: 1, url: 'javascript:1', title: 'x' }, { index: 2 }, null, 'x']],
])('search_results: %s', (_what, results) => {
  expect(message(replayWhole(ernieV2, body({ content: 'Six.' }, { search_results: results })))['annotations']).toEqual([]);
});

test('a stream: the status of a search says nothing, the pages come before the finish', () => {
  const frame = (choice: Body, more: Body = {}): string =>
    `data: ${JSON.stringify({ id: 'as-1', object: 'chat.completion.chunk', created: 1, model: 'ernie-5.1', choices: [{ index: 0, ...choice }], ...more })}\n\n`;
  const bytes = Buffer.from(
    frame({ delta: { role: 'assistant', content: '' }, finish_reason: null }, { search_results: PAGES.slice(0, 1) }) +
      frame({ delta: { content: '' }, delta_tag: 'search_status', finish_reason: null }) +
      frame({ delta: { content: 'At six.^[' }, finish_reason: null }) +
      frame({ delta: { content: '1]^' }, finish_reason: 'stop' }, { usage: { prompt_tokens: 9, completion_tokens: 4 } }) +
      'data: [DONE]\n\n',
  );
  const { out, error } = replay(ernieV2, bytes);
  const { problems, chunks } = checkStream(out, { includeUsage: true });
  expect([error, problems]).toEqual([null, []]);
  expect(foldStream(chunks as never).choices[0]).toMatchObject({ content: 'At six.^[1]^', finish_reason: 'stop' });
  const deltas = chunks.flatMap((chunk) => (chunk as { choices: { delta: Body }[] }).choices.map(({ delta }) => delta));
  expect(deltas.filter((delta) => 'annotations' in delta)).toEqual([{ annotations: [cited(8, 11, 0)] }]);
});
