import { describe, expect, test } from 'vitest';
import { OpenAIError } from '../../../openai/errors.ts';
import { plan, type Wish } from './plan.ts';

const call = (id: string, name = 'tide', text = '{}') => ({ id, type: 'function', function: { name, arguments: text } });
const user = (content: unknown, rest: object = {}) => ({ role: 'user', content, ...rest });
const bot = (content: unknown, rest: object = {}) => ({ role: 'assistant', content, ...rest });
const system = (content: unknown) => ({ role: 'system', content });
const text = (value: string, rest: object = {}) => ({ type: 'text', text: value, ...rest });
const image = (url: string, detail?: string) => ({ type: 'image_url', image_url: detail === undefined ? { url } : { url, detail } });
const URL = 'https://img.example.org/gull.jpg';
const VL: Wish = { model: 'ernie-4.5-turbo-vl-32k' };
const FIVE: Wish = { model: 'ernie-5.0' };

type Row = [string, unknown[], unknown[], readonly string[], Wish?];

const ROWS: Row[] = [
  ['developer is system', [{ role: 'developer', content: 'A' }, user('b')], [system('A'), user('b')], ['messages[0].role=renamed']],
  [
    'one system message, first',
    [system('A'), system('B'), user('c'), system('D')],
    [system('A\n\nB\n\nD'), user('c')],
    ['messages[1]=emulated', 'messages[3]=emulated!'],
  ],
  ['only a system message', [system('A')], [system('A'), user('A')], ['messages=emulated!']],
  ['empty system message', [system(''), user('b')], [user('b')], []],
  ['empty user message', [user('')], [user('(empty)')], ['messages[0].content=defaulted!']],
  ['blank last message', [user(' \n')], [user('(empty)')], ['messages=defaulted!']],
  ['blank earlier message', [user(' '), bot('b'), user('c')], [user(' '), bot('b'), user('c')], []],
  ['tab is no blank', [user('\t')], [user('\t')], []],
  ['empty assistant message', [user('a'), bot(''), user('b')], [user('a\n\nb')], ['messages[1]=dropped', 'messages=emulated']],
  ['two of a user', [user('a'), user('b')], [user('a\n\nb')], ['messages=emulated']],
  ['two users by name', [user('a', { name: 'Ala' }), user('b', { name: 'Ola' })], [user('a\n\nb')], ['messages=emulated!']],
  ['one of two users by name', [user('a'), user('b', { name: 'Ola' })], [user('a\n\nb')], ['messages=emulated!']],
  [
    'a user by one name',
    [user('a', { name: 'Ala' }), user('b', { name: 'Ala' })],
    [user('a\n\nb', { name: 'Ala' })],
    ['messages=emulated'],
  ],
  [
    'the thinking of joined messages, of a guest',
    [
      user('a'),
      bot('b', { reasoning_content: 'r' }),
      bot('c', { reasoning_content: 's' }),
      user('d'),
      bot('e', { reasoning_content: 't' }),
      bot('f', { reasoning_content: 'u' }),
    ],
    [user('a'), bot('b\n\nc'), user('d'), bot('e\n\nf', { reasoning_content: 't\n\nu' }), user('Continue.')],
    [
      'thinking=defaulted',
      'messages[1].reasoning_content=dropped',
      'messages[2].reasoning_content=dropped',
      'messages=emulated',
      'messages=emulated',
      'messages=emulated!',
    ],
    { model: 'deepseek-v3.2' },
  ],
  [
    'arguments that are no JSON',
    [user('a'), bot(null, { tool_calls: [call('x', 'tide', '{"port":')] }), { role: 'tool', tool_call_id: 'x', content: '1' }],
    [
      user('a'),
      bot('', { tool_calls: [call('x', 'tide', JSON.stringify({ text: '{"port":' }))] }),
      { role: 'tool', tool_call_id: 'x', content: '1' },
    ],
    ['messages[1].tool_calls[0].function.arguments=emulated!'],
  ],
  ['a key nobody knows', [user('a', { mood: 'calm' })], [user('a')], ['messages[0].mood=dropped!']],
  ['two of the assistant', [user('a'), bot('b'), bot('c'), user('d')], [user('a'), bot('b\n\nc'), user('d')], ['messages=emulated']],
  ['assistant first', [bot('a'), user('b')], [user('(empty)'), bot('a'), user('b')], ['messages=emulated!']],
  ['assistant last', [user('a'), bot('b')], [user('a'), bot('b'), user('Continue.')], ['messages=emulated!']],
  [
    'assistant to be continued',
    [user('a'), bot('b', { partial: true })],
    [user('a'), bot('b'), user('Continue.')],
    ['messages[1].partial=dropped!', 'messages=emulated!'],
  ],
  [
    'calls and results',
    [
      user('a'),
      bot(null, { tool_calls: [call('x'), call('y', 'wind', '')] }),
      { role: 'tool', tool_call_id: 'x', content: '1' },
      { role: 'tool', tool_call_id: 'y', content: '' },
    ],
    [
      user('a'),
      bot('', { tool_calls: [call('x'), call('y', 'wind')] }),
      { role: 'tool', tool_call_id: 'x', content: '1' },
      { role: 'tool', tool_call_id: 'y', content: '(empty)' },
    ],
    ['messages[3].content=defaulted!'],
  ],
  [
    'deprecated call',
    [user('a'), bot(null, { function_call: { name: 'tide', arguments: '{}' } }), { role: 'function', name: 'tide', content: '1' }],
    [user('a'), bot('', { tool_calls: [call('call_legacy_2')] }), { role: 'tool', tool_call_id: 'call_legacy_2', content: '1' }],
    ['messages[1].function_call=renamed', 'messages[2].role=renamed'],
  ],
  [
    'thinking of earlier turns',
    [user('a'), bot('b', { reasoning_content: 'r' }), user('c')],
    [user('a'), bot('b'), user('c')],
    ['messages[1].reasoning_content=dropped'],
  ],
  [
    'thinking between calls, of a guest',
    [user('a'), bot('', { reasoning_content: 'r', tool_calls: [call('x')] }), { role: 'tool', tool_call_id: 'x', content: '1' }],
    [user('a'), bot('', { reasoning_content: 'r', tool_calls: [call('x')] }), { role: 'tool', tool_call_id: 'x', content: '1' }],
    ['thinking=defaulted'],
    { model: 'deepseek-v3.2' },
  ],
  ['refusal', [user('a'), bot(null, { refusal: 'No.' }), user('b')], [user('a'), bot('No.'), user('b')], ['messages[1].refusal=renamed']],
  [
    'name of the assistant',
    [user('a'), bot('b', { name: 'Bo', audio: { id: 'x' } }), user('c')],
    [user('a'), bot('b'), user('c')],
    ['messages[1].name=dropped', 'messages[1].audio=dropped!'],
  ],
  ['text parts', [user([text('a'), text('b')])], [user('a\nb')], ['messages[0].content=emulated']],
  ['one text part', [user([text('a', { cache_control: {} })])], [user('a')], ['messages[0].content[0].cache_control=dropped']],

  ['image', [user([text('a'), image(URL)])], [user([text('a'), image(URL)])], [], VL],
  ['image as data', [user([image('data:image/png;base64,AAAA')])], [user([image('data:image/png;base64,AAAA')])], [], VL],
  ['detail', [user([image(URL, 'low')])], [user([image(URL, 'low')])], [], VL],
  ['detail auto', [user([image(URL, 'auto')])], [user([image(URL, 'auto')])], [], VL],
  [
    'detail original',
    [user([image(URL, 'original')])],
    [user([image(URL, 'high')])],
    ['messages[0].content[0].image_url.detail=clamped'],
    VL,
  ],
  [
    'detail of others',
    [user([image(URL, 'low')])],
    [user([image(URL)])],
    ['enable_thinking=defaulted', 'messages[0].content[0].image_url.detail=dropped'],
    FIVE,
  ],
  ['detail auto of others', [user([image(URL, 'auto')])], [user([image(URL)])], ['enable_thinking=defaulted'], FIVE],
  ['empty text beside an image', [user([text(''), image(URL)])], [user([image(URL)])], [], VL],
  [
    'extras of a text beside an image',
    [user([text('a', { cache_control: {} }), image(URL)])],
    [user([text('a'), image(URL)])],
    ['messages[0].content[0].cache_control=dropped'],
    VL,
  ],
];

test.each<Row>(ROWS)('%s', (_name, messages, expected, changes, wish) => {
  const made = plan({ messages }, wish);
  expect(made.body['messages']).toEqual(expected);
  expect(made.changes).toEqual(changes);
});

describe('refused by name', () => {
  const long = `https://img.example.org/${'ł'.repeat(501)}`;
  test.each<[string, unknown[], string, Wish?]>([
    ['image on a text model', [user([text('a'), image(URL)])], 'messages[0].content[1]'],
    ['image on X1', [user([image(URL)])], 'messages[0].content[0]', { model: 'ernie-x1.1' }],
    ['long image URL', [user('a'), bot('b'), user([image(long)])], 'messages[2].content[0].image_url.url', VL],
    ['sound', [user([{ type: 'input_audio', input_audio: { data: 'AA', format: 'wav' } }])], 'messages[0].content[0]', VL],
    ['file', [user([{ type: 'file', file: { file_id: 'x' } }])], 'messages[0].content[0]', VL],
  ])('%s', (_name, messages, param, wish) => {
    expect(() => plan({ messages }, wish)).toThrow(OpenAIError);
    try {
      plan({ messages }, wish);
    } catch (error) {
      expect(error).toMatchObject({ kind: 'unsupported_value', details: { param, fallback: true } });
    }
  });

  test('1024 bytes of URL are not too long', () => {
    const url = `https://img.example.org/${'a'.repeat(1000)}`;
    expect(plan({ messages: [user([image(url)])] }, VL).body['messages']).toEqual([user([image(url)])]);
    expect(() => plan({ messages: [user([image(`${url}a`)])] }, VL)).toThrow(OpenAIError);
  });
});
