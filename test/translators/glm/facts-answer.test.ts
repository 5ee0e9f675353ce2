/** Facts of the vendor's API reference about answers that no other table of this folder holds; the rest: `facts-held.test.ts`. */
import { expect, test } from 'vitest';
import { glmV4 } from '../../../translators/glm/v4.ts';
import { checkStream } from '../../contract/openai-schema.ts';
import { replay, replayWhole } from '../replay.ts';

type Body = Record<string, unknown>;

const PAGE = { refer: 'ref_1', title: 'Harbour news', link: 'https://a.example/1', media: 'Example', publish_date: '2026-08-30' };
const cited = (start: number, end: number) => ({
  type: 'url_citation',
  url_citation: { start_index: start, end_index: end, url: PAGE.link, title: PAGE.title },
});

const whole = (content: string, more: Body): Buffer =>
  Buffer.from(
    JSON.stringify({
      choices: [{ finish_reason: 'stop', index: 0, message: { content, role: 'assistant' } }],
      created: 1_788_228_937,
      id: '202609011015303f9c2a7be1d4460a',
      model: 'glm-4.7',
      usage: { completion_tokens: 9, prompt_tokens: 8, total_tokens: 17 },
      ...more,
    }),
  );

test.each<[string, string, unknown, Body[]]>([
  ['cited by the word of its refer', 'News [ref_1].', [PAGE], [cited(5, 12)]],
  ['cited twice', '[ref_1][ref_1]', [PAGE], [cited(0, 7), cited(7, 14)]],
  ['not cited', 'News.', [PAGE], [cited(5, 5)]],
  ['without a refer', '[ref_1]', [{ ...PAGE, refer: undefined }], [cited(7, 7)]],
  ['no web page', 'News.', [{ ...PAGE, link: 'file:///etc/passwd' }, { title: 'x' }, null], []],
  ['no list', 'News.', 'ref_1', []],
])('web_search: %s', (_what, content, results, annotations) => {
  const { out, error } = replayWhole(glmV4, whole(content, { web_search: results }));
  expect(error).toBeNull();
  const { choices } = JSON.parse(out) as { choices: { message: Body }[] };
  expect(choices[0]?.message['annotations']).toEqual(annotations);
});

const frame = (delta: Body, more: Body = {}, finish?: string): string =>
  `data: ${JSON.stringify({
    id: '2026',
    created: 1,
    object: 'chat.completion.chunk',
    model: 'glm-4.7',
    choices: [{ index: 0, ...(finish === undefined ? {} : { finish_reason: finish }), delta: { role: 'assistant', ...delta } }],
    ...more,
  })}\n\n`;
const USAGE = { usage: { prompt_tokens: 8, completion_tokens: 9, total_tokens: 17 } };

test.each([
  ['first', frame({ content: 'News [ref' }, { web_search: [PAGE] }) + frame({ content: '_1].' }) + frame({ content: '' }, USAGE, 'stop')],
  ['last', frame({ content: 'News [ref' }) + frame({ content: '_1].' }) + frame({ content: '' }, { ...USAGE, web_search: [PAGE] }, 'stop')],
])('web_search on the %s chunk of a stream', (_where, text) => {
  const { out, error } = replay(glmV4, Buffer.from(`${text}data: [DONE]\n\n`));
  const { problems, chunks } = checkStream(out, { includeUsage: true });
  expect([error, problems]).toEqual([null, []]);
  const deltas = chunks.flatMap((chunk) => (chunk as { choices: { delta: Body }[] }).choices.map(({ delta }) => delta));
  expect(deltas.filter((delta) => 'annotations' in delta)).toEqual([{ annotations: [cited(5, 12)] }]);
});

test('filter levels beside a good answer, pictures and sound are nothing of the caller’s', () => {
  const more = { content_filter: [{ role: 'user', level: 3 }], video_result: [{ url: 'https://a.example/v.mp4' }] };
  const { out } = replayWhole(glmV4, whole('News.', more));
  expect(out).not.toMatch(/content_filter|video_result|v\.mp4/);
  const sound = frame({ content: 'Hi', audio: { id: 'a', data: 'AAAA', expires_at: 1 } }) + frame({ content: '' }, USAGE, 'stop');
  expect(replay(glmV4, Buffer.from(sound)).out).not.toContain('AAAA');
});

test.each(['glm-4.5v', 'glm-4.1v-thinking-flash'])('%s: thinking that strayed into the text, and a result in its box', (model) => {
  const text = '<think>\nTwo and two.</think>\n<|begin_of_box|>4<|end_of_box|>';
  const { out } = replayWhole(glmV4, whole(text, { model }));
  expect(JSON.parse(out)).toMatchObject({ choices: [{ message: { content: '4', reasoning_content: 'Two and two.' } }] });
});
