import { expect, test } from 'vitest';
import { ask, HI, refusal, type Situation } from './ask.ts';

const mark = { cache_control: { type: 'ephemeral' } };
const text = (words: string, more: object = {}) => ({ type: 'text', text: words, ...more });
const image = (more: object = {}, keys: object = {}) => ({
  type: 'image_url',
  image_url: { url: 'https://a.example/b.png', ...more },
  ...keys,
});
const voice = { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } };
const user = (content: unknown, more: object = {}) => ({ role: 'user', content, ...more });
const VISION: Situation = { model: 'qwen3-vl-plus' };
const OMNI: Situation = { model: 'qwen3-omni-flash' };

/** [what, messages, messages sent, changes, situation] */
test.each<[string, object[], object[], string[], Situation?]>([
  [
    'developer and system are one message',
    [{ role: 'developer', content: 'A' }, { role: 'system', content: 'B' }, ...HI],
    [{ role: 'system', content: 'A\n\nB' }, ...HI],
    ['messages[0].role=renamed', 'messages[1]=emulated'],
  ],
  [
    'a late system message',
    [...HI, { role: 'system', content: 'B' }],
    [{ role: 'system', content: 'B' }, ...HI],
    ['messages[1]=emulated!'],
  ],
  ['text parts are one string', [user([text('A'), text('B')])], [user('A\nB')], ['messages[0].content=emulated']],
  ['parts with a mark of the cache stay', [user([text('A', mark), text('B')])], [user([text('A', mark), text('B')])], []],
  [
    'so do those of the system',
    [{ role: 'system', content: [text('A', mark)] }, ...HI],
    [{ role: 'system', content: [text('A', mark)] }, ...HI],
    [],
  ],
  ['nothing but an empty user message', [user([text('')])], [user('(empty)')], ['messages[0]=dropped!', 'messages=emulated!']],
  ['empty user messages go', [...HI, user(''), user([text('')])], HI, ['messages[1]=dropped!', 'messages[2]=dropped!']],
  [
    'a refusal is a content',
    [...HI, { role: 'assistant', content: null, refusal: 'No' }, user('Why?')],
    [...HI, { role: 'assistant', content: 'No' }, user('Why?')],
    ['messages[1].refusal=renamed'],
  ],
  [
    'an answer at the end is continued',
    [...HI, { role: 'assistant', content: 'Yes' }],
    [...HI, { role: 'assistant', content: 'Yes' }, user('Continue.')],
    ['messages=emulated!'],
  ],
  ['names', [user('Hi', { name: 'Ann' })], HI, ['messages[0].name=dropped!']],
  ['an image', [user([text('See'), image()])], [user([text('See'), image()])], [], VISION],
  [
    'an image with its bounds and mark',
    [user([image({}, { min_pixels: 5, max_pixels: 9, ...mark })])],
    [user([image({}, { min_pixels: 5, max_pixels: 9, ...mark })])],
    [],
    VISION,
  ],
  ['detail low', [user([image({ detail: 'low' })])], [user([image()])], ['messages[0].content[0].image_url.detail=dropped'], VISION],
  ['detail auto', [user([image({ detail: 'auto' })])], [user([image()])], [], VISION],
  [
    'a voice',
    [user([voice])],
    [user([{ type: 'input_audio', input_audio: { data: 'data:audio/wav;base64,AAAA', format: 'wav' } }])],
    ['messages[0].content[0].input_audio.data=renamed'],
    OMNI,
  ],
  [
    'a voice that is a data URL',
    [user([{ type: 'input_audio', input_audio: { data: 'data:;base64,AAAA', format: 'wav' } }])],
    [user([{ type: 'input_audio', input_audio: { data: 'data:;base64,AAAA', format: 'wav' } }])],
    [],
    OMNI,
  ],
])('%s', (_name, messages, sent, noted, situation) => {
  const { body, changes } = ask({ messages }, situation);
  expect(body['messages']).toEqual(sent);
  expect(changes.filter((change) => change.startsWith('messages'))).toEqual(noted);
});

test('detail high is a switch for all images, which the client may have set', () => {
  const messages = [user([image({ detail: 'high' })])];
  expect(ask({ messages }, VISION).body).toMatchObject({ vl_high_resolution_images: true });
  expect(ask({ messages }, VISION).changes).toContain('messages[0].content[0].image_url.detail=renamed');
  expect(ask({ messages, vl_high_resolution_images: false }, VISION).body).toMatchObject({ vl_high_resolution_images: false });
});

test.each<[string, object, Situation]>([
  ['an image of a text model', image(), { model: 'qwen-plus' }],
  ['a voice of a model that does not hear', voice, VISION],
  ['a file', { type: 'file', file: { file_id: 'file-1' } }, { model: 'qwen-long' }],
])('%s is refused by its place', (_name, part, situation) => {
  const error = refusal({ messages: [user([text('A'), part])] }, situation);
  expect([error.kind, error.details.param, error.details.fallback]).toEqual(['unsupported_value', 'messages[0].content[1]', true]);
});

const call = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } };
const LOOP = [
  user('Hi'),
  { role: 'assistant', content: 'A', reasoning_content: 'old' },
  user('Look'),
  { role: 'assistant', content: null, reasoning_content: 'new', tool_calls: [call] },
  { role: 'tool', tool_call_id: 'call_1', content: 'A river' },
];

test.each([
  ['of the open tool loop only', {}, [undefined, 'new']],
  ['all of it where the client says so', { preserve_thinking: true }, ['old', 'new']],
  ['not all of it where it says no', { preserve_thinking: false }, [undefined, 'new']],
])('earlier thinking: %s', (_name, asked, kept) => {
  const { body } = ask({ ...asked, messages: LOOP }, { model: 'qwen3.7-plus', thinking: 'default' });
  const sent = body['messages'] as { role: string; reasoning_content?: string }[];
  expect(sent.filter(({ role }) => role === 'assistant').map((turn) => turn.reasoning_content)).toEqual(kept);
});
