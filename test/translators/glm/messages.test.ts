import { expect, test } from 'vitest';
import { ask, type Situation } from './ask.ts';

const call = (text: string) => ({ id: 'call_1', type: 'function', function: { name: 'look', arguments: text } });
const answer = { role: 'tool', tool_call_id: 'call_1', content: 'A river' };
const image = (url: string, detail?: string) => ({ type: 'image_url', image_url: detail === undefined ? { url } : { url, detail } });
const text = (words: string) => ({ type: 'text', text: words });
const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: unknown, more: object = {}) => ({ role: 'assistant', content, ...more });
const system = (content: unknown) => ({ role: 'system', content });
const URL_ = 'https://a.example/b.png';
const VISION: Situation = { model: 'glm-4.6v' };

/** [what, messages, messages sent, changes, situation] */
test.each<[string, object[], object[], string[], Situation?]>([
  ['developer', [{ role: 'developer', content: 'Be brief' }, user('Hi')], [system('Be brief'), user('Hi')], ['messages[0].role=renamed']],
  ['two system messages', [system('A'), system('B'), user('Hi')], [system('A\n\nB'), user('Hi')], ['messages[1]=emulated']],
  ['a late system message', [user('Hi'), system('B')], [system('B'), user('Hi')], ['messages[1]=emulated!']],
  ['only system', [system('A')], [system('A'), user('A')], ['messages=emulated!']],
  [
    'assistant first',
    [system('A'), assistant('Yes'), user('Hi')],
    [system('A'), user(' '), assistant('Yes'), user('Hi')],
    ['messages=emulated!'],
  ],
  ['only assistant', [assistant('Yes')], [user(' '), assistant('Yes')], ['messages=emulated!']],
  ['assistant last', [user('Hi'), assistant('Yes')], [user('Hi'), assistant('Yes')], []],
  ['an empty user text', [user('')], [user(' ')], ['messages[0].content=defaulted!']],
  ['an empty assistant message', [user('Hi'), assistant(''), user('Yo')], [user('Hi'), user('Yo')], ['messages[1]=dropped']],
  ['text parts', [user([text('A'), text('B')])], [user('A\nB')], ['messages[0].content=emulated']],
  ['one text part', [user([{ ...text('A'), cache_control: {} }])], [user('A')], ['messages[0].content[0].cache_control=dropped']],
  [
    'list contents of assistant and tool',
    [user('Hi'), assistant([text('A'), text('B')], { tool_calls: [call('{"a":1}')] }), { ...answer, content: [text('A'), text('river')] }],
    [user('Hi'), assistant('A\nB', { tool_calls: [call('{"a":1}')] }), { ...answer, content: 'A\nriver' }],
    ['messages[1].content=emulated', 'messages[2].content=emulated'],
  ],
  [
    'null content and empty arguments',
    [user('Hi'), assistant(null, { tool_calls: [call(' ')] }), answer],
    [user('Hi'), assistant('', { tool_calls: [call('{}')] }), answer],
    [],
  ],
  [
    'arguments that are not JSON',
    [user('Hi'), assistant(null, { tool_calls: [call('{"a":')] }), answer],
    [user('Hi'), assistant('', { tool_calls: [call('{"text":"{\\"a\\":"}')] }), answer],
    ['messages[1].tool_calls[0].function.arguments=emulated!'],
  ],
  [
    'an empty tool result',
    [user('Hi'), assistant(null, { tool_calls: [call('{}')] }), { ...answer, content: '' }],
    [user('Hi'), assistant('', { tool_calls: [call('{}')] }), { ...answer, content: ' ' }],
    ['messages[2].content=defaulted!'],
  ],
  [
    'thinking of earlier turns, unchanged',
    [user('Hi'), assistant('Yes', { reasoning_content: ' First,\n' }), user('Yo')],
    [user('Hi'), assistant('Yes', { reasoning_content: ' First,\n' }), user('Yo')],
    [],
  ],
  [
    'thinking under another name',
    [user('Hi'), assistant('Yes', { reasoning: 'First' })],
    [user('Hi'), assistant('Yes', { reasoning_content: 'First' })],
    ['messages[1].reasoning=renamed'],
  ],
  [
    'keys that go nowhere',
    [{ ...user('Hi'), name: 'Ann' }, assistant('Yes', { refusal: 'No', annotations: [], audio: { id: 'a' }, partial: true })],
    [user('Hi'), assistant('Yes')],
    ['messages[0].name=dropped!', 'messages[1].audio=dropped!', 'messages[1].refusal=dropped', 'messages[1].partial=dropped!'],
  ],
  [
    'the deprecated function call',
    [
      user('Hi'),
      { role: 'assistant', content: null, function_call: { name: 'look', arguments: '' } },
      { role: 'function', name: 'look', content: 'A river' },
    ],
    [user('Hi'), assistant('', { tool_calls: [{ ...call('{}'), id: 'call_legacy_2' }] }), { ...answer, tool_call_id: 'call_legacy_2' }],
    ['messages[1].function_call=renamed', 'messages[2].role=renamed'],
  ],
  ['a picture', [user([text('See'), image(URL_, 'auto')])], [user([text('See'), image(URL_)])], [], VISION],
  [
    'detail of a picture, keys of a text part, an empty text',
    [user([{ ...text('See'), cache_control: {} }, text(''), image(URL_, 'high')])],
    [user([text('See'), image(URL_)])],
    ['messages[0].content[0].cache_control=dropped', 'messages[0].content[2].image_url.detail=dropped'],
    VISION,
  ],
  ['a data: picture', [user([image('data:image/png;base64,AAAA')])], [user([image('data:image/png;base64,AAAA')])], [], VISION],
  [
    'a data: picture on an old model',
    [user([image('data:image/png;base64,AAAA')])],
    [user([image('AAAA')])],
    ['messages[0].content[0].image_url.url=renamed'],
    { model: 'glm-4v-plus-0111' },
  ],
  ['a URL on glm-4v-flash', [user([image(URL_)])], [user([image(URL_)])], [], { model: 'glm-4v-flash' }],
  [
    'sound',
    [user([{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }])],
    [user([{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }])],
    [],
    { model: 'glm-4-voice' },
  ],
  [
    'a file at z.ai',
    [user([{ type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA', filename: 'a.pdf', other: 1 } }])],
    [user([{ type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA', filename: 'a.pdf' } }])],
    [],
    { ...VISION, region: 'intl' },
  ],
])('%s', (_what, messages, sent, changes, situation) => {
  const asked = ask({ messages }, situation);
  expect(asked.body['messages']).toEqual(sent);
  expect(asked.changes).toEqual(changes);
});

test('the request itself is not changed', () => {
  const messages = [user('Hi'), assistant(null, { tool_calls: [call('{"a":')] }), answer];
  const before = structuredClone(messages);
  ask({ messages });
  expect(messages).toEqual(before);
});
