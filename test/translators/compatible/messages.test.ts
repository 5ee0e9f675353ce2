import { describe, expect, test } from 'vitest';
import { carryMessages } from '../../../translators/compatible/messages.ts';
import { answer, assistant, call, carry, heard, type Row, RULES, said, system, text, user } from './conversation.ts';
import { draft, refused } from './drafting.ts';

describe('system', () => {
  test.each<Row>([
    ['alone in front', [system('A'), user('Hi')], [system('A'), user('Hi')], []],
    ['developer', [{ role: 'developer', content: 'A' }, user('Hi')], [system('A'), user('Hi')], ['messages[0].role=renamed']],
    [
      'two, an empty one between',
      [system('A'), system(''), system('B'), user('Hi')],
      [system('A\n\nB'), user('Hi')],
      ['messages[1]=emulated', 'messages[2]=emulated'],
    ],
    ['a late one', [user('Hi'), system('B')], [system('B'), user('Hi')], ['messages[1]=emulated!']],
    ['parts', [system([text('A'), text('B')]), user('Hi')], [system('A\nB'), user('Hi')], ['messages[0].content=emulated']],
    ['nothing but it', [system('A')], [system('A'), user('A')], ['messages=emulated!']],
    ['nothing but an empty one', [system('')], [user('-')], ['messages=emulated!']],
    [
      'marks of parts, not asked for',
      [system([text('A', { cache_control: {} })]), user('Hi')],
      [system('A'), user('Hi')],
      ['messages[0].content[0].cache_control=dropped'],
    ],
    [
      'marks of parts that go along',
      [system([text('A', { cache_control: { type: 'ephemeral' } })]), system('B'), user('Hi')],
      [system([text('A', { cache_control: { type: 'ephemeral' } }), text('B')]), user('Hi')],
      ['messages[1]=emulated'],
      { partKeys: ['cache_control'], keepArray: (parts) => parts.some((part) => 'cache_control' in part) },
    ],
    [
      'nothing but a mark',
      [system([text('', { cache_control: {} })]), user('Hi')],
      [user('Hi')],
      [],
      { partKeys: ['cache_control'], keepArray: (parts) => parts.some((part) => 'cache_control' in part) },
    ],
  ])('%s', (_name, messages, sent, noted, rules) => {
    expect(carry(messages, rules)).toEqual({ sent, changes: noted });
  });

  test('instructions come behind, or make one', () => {
    expect(carry([system('A'), user('Hi')], {}, ['Do.', 'Be.']).sent).toEqual([system('A\n\nDo.\n\nBe.'), user('Hi')]);
    expect(carry([user('Hi')], {}, ['Do.']).sent).toEqual([system('Do.'), user('Hi')]);
    expect(carry([system('A')], {}, ['Do.']).sent).toEqual([system('A\n\nDo.'), user('A')]);
  });
});

describe('user', () => {
  test.each<Row>([
    ['text parts', [user([text('A'), text('B')])], [user('A\nB')], ['messages[0].content=emulated']],
    ['one text part', [user([text('A')])], [user('A')], []],
    [
      'a key of OpenAI on a part',
      [user([text('A', { prompt_cache_breakpoint: {} })])],
      [user('A')],
      ['messages[0].content[0].prompt_cache_breakpoint=dropped'],
    ],
    [
      'a picture',
      [user([text('See'), { type: 'image_url', image_url: { url: 'https://a' } }])],
      [user([text('See'), { type: 'image_url', image_url: { url: 'https://a' } }])],
      [],
    ],
    [
      'an empty text beside a picture',
      [user([text(''), { type: 'image_url', image_url: { url: 'https://a' } }])],
      [user([{ type: 'image_url', image_url: { url: 'https://a' } }])],
      [],
    ],
    ['empty', [user('')], [user('-')], ['messages[0].content=defaulted!']],
    ['one empty part', [user([text('')])], [user('-')], ['messages[0].content=defaulted!']],
    [
      'empty ones dropped',
      [user(''), user('Hi'), user([text('')])],
      [user('Hi')],
      ['messages[0]=dropped!', 'messages[2]=dropped!'],
      { dropEmptyUser: true },
    ],
    ['a name', [user('Hi', { name: 'Ann' })], [user('Hi')], ['messages[0].name=dropped!']],
    ['a name that is carried', [user('Hi', { name: 'Ann' })], [user('Hi', { name: 'Ann' })], [], { names: true }],
    [
      'keys nobody knows',
      [user('Hi', { timestamp: 5, __proto__x: 1 })],
      [user('Hi')],
      ['messages[0].timestamp=dropped!', 'messages[0].__proto__x=dropped!'],
    ],
  ])('%s', (_name, messages, sent, noted, rules) => {
    expect(carry(messages, rules)).toEqual({ sent, changes: noted });
  });

  test('a part that the model does not take is refused by its place', () => {
    const error = refused(() => carry([user([text('A'), { type: 'input_audio', input_audio: { data: 'AA', format: 'wav' } }])]));
    expect([error.kind, error.details.param, error.details.fallback]).toEqual(['unsupported_value', 'messages[0].content[1]', true]);
  });

  test('where empty messages are dropped, another user message stands for the only ones', () => {
    for (const messages of [[user('')], [system('A'), user([text('')])], [user(''), assistant('Yes')]]) {
      const { sent, changes } = carry(messages, { dropEmptyUser: true });
      expect(sent.filter(({ role }) => role === 'user')).toEqual([user(expect.stringMatching(/./) as unknown as string)]);
      expect(changes).toEqual([expect.stringMatching(/^messages\[\d\]=dropped!$/), 'messages=emulated!']);
    }
  });
});

describe('assistant and tools', () => {
  test.each<Row>([
    ['a refusal alone', [user('Hi'), assistant(null, { refusal: 'No' })], [user('Hi'), assistant('No')], ['messages[1].refusal=renamed']],
    ['a refusal part', [user('Hi'), assistant([{ type: 'refusal', refusal: 'No' }])], [user('Hi'), assistant('No')], []],
    [
      'a refusal beside a text',
      [user('Hi'), assistant('A', { refusal: 'No' })],
      [user('Hi'), assistant('A')],
      ['messages[1].refusal=dropped'],
    ],
    ['nothing said', [user('Hi'), assistant(''), user('Yo')], [user('Hi'), user('Yo')], ['messages[1]=dropped']],
    ['audio', [user('Hi'), assistant('A', { audio: { id: 'a' } })], [user('Hi'), assistant('A')], ['messages[1].audio=dropped!']],
    [
      'calls with null',
      [user('Hi'), assistant(null, { tool_calls: [call('a', ' ')] }), answer('a', 'x')],
      [user('Hi'), assistant('', { tool_calls: [call('a', '{}')] }), answer('a', 'x')],
      [],
    ],
    [
      'an empty result',
      [user('Hi'), assistant(null, { tool_calls: [call('a')] }), answer('a', '')],
      [user('Hi'), assistant('', { tool_calls: [call('a')] }), answer('a', '-')],
      ['messages[2].content=defaulted!'],
    ],
    [
      'a result in parts',
      [user('Hi'), assistant(null, { tool_calls: [call('a')] }), answer('a', [text('x'), text('y')])],
      [user('Hi'), assistant('', { tool_calls: [call('a')] }), answer('a', 'x\ny')],
      ['messages[2].content=emulated'],
    ],
    [
      'arguments that are no JSON stay',
      [user('Hi'), assistant(null, { tool_calls: [call('a', '{"b')] }), answer('a', 'x')],
      [user('Hi'), assistant('', { tool_calls: [call('a', '{"b')] }), answer('a', 'x')],
      [],
    ],
    [
      'arguments that are no JSON, wrapped',
      [user('Hi'), assistant(null, { tool_calls: [call('a', '{"b')] }), answer('a', 'x')],
      [user('Hi'), assistant('', { tool_calls: [call('a', '{"text":"{\\"b"}')] }), answer('a', 'x')],
      ['messages[1].tool_calls[0].function.arguments=emulated!'],
      { jsonArguments: true },
    ],
    [
      'thinking dropped',
      [user('Hi'), assistant('A', { reasoning_content: 'Hm' })],
      [user('Hi'), assistant('A')],
      ['messages[1].reasoning_content=dropped'],
    ],
    [
      'thinking kept',
      [user('Hi'), assistant('A', { reasoning_content: 'Hm' })],
      [user('Hi'), assistant('A', { reasoning_content: 'Hm' })],
      [],
      { reasoning: 'keep' },
    ],
    [
      'thinking of the open tool loop only',
      [
        user('Hi'),
        assistant('A', { reasoning_content: 'old' }),
        user('Yo'),
        assistant(null, { reasoning_content: 'new', tool_calls: [call('a')] }),
        answer('a', 'x'),
      ],
      [user('Hi'), assistant('A'), user('Yo'), assistant('', { reasoning_content: 'new', tool_calls: [call('a')] }), answer('a', 'x')],
      ['messages[1].reasoning_content=dropped'],
      { reasoning: 'tool-loop' },
    ],
    ['partial', [user('Hi'), assistant('A', { partial: true })], [user('Hi'), assistant('A', { partial: true })], []],
    [
      'partial, unknown',
      [user('Hi'), assistant('A', { partial: true })],
      [user('Hi'), assistant('A')],
      ['messages[1].partial=dropped!'],
      { partial: false },
    ],
  ])('%s', (_name, messages, sent, noted, rules) => {
    expect(carry(messages, rules)).toEqual({ sent, changes: noted });
  });

  test('a renamed function is so in earlier calls too', () => {
    const made = draft({ messages: [user('Hi'), assistant(null, { tool_calls: [call('a', '{}', 'search')] }), answer('a', 'x')] });
    made.emulation.functionNames = new Map([['search_', 'search']]);
    expect(carryMessages(made, RULES)[1]).toEqual(assistant('', { tool_calls: [call('a', '{}', 'search_')] }));
  });
});

test('the messages of the caller are not changed', () => {
  const messages = [
    system([text('A'), text('B')]),
    user('A'),
    user('B'),
    said,
    heard(),
    assistant('C', { tool_calls: [call('a', '')] }),
    answer('a', ''),
  ];
  const before = structuredClone(messages);
  carry(messages, { joinNeighbours: true, jsonArguments: true, userFirst: true });
  expect(messages).toEqual(before);
});
