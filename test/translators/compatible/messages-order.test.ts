import { describe, expect, test } from 'vitest';
import { answer, assistant, call, carry, heard, type Row, said, system, user } from './conversation.ts';

describe('the deprecated functions', () => {
  const paired = (at: number) => [
    assistant('', { tool_calls: [call(`call_legacy_${at}`, '{"a":1}')] }),
    answer(`call_legacy_${at}`, 'A river'),
  ];
  const made = (at: number) => [assistant('', { tool_calls: [call(`call_legacy_${at}`)] }), answer(`call_legacy_${at}`, 'A river')];
  test.each<Row>([
    ['a pair', [user('Hi'), said, heard()], [user('Hi'), ...paired(2)], ['messages[1].function_call=renamed', 'messages[2].role=renamed']],
    [
      'a system message between',
      [user('Hi'), said, system('A'), heard()],
      [system('A'), user('Hi'), ...paired(2)],
      ['messages[1].function_call=renamed', 'messages[2]=emulated!', 'messages[3].role=renamed'],
    ],
    [
      'two pairs',
      [user('Hi'), said, heard(), said, heard()],
      [user('Hi'), ...paired(2), ...paired(4)],
      ['messages[1].function_call=renamed', 'messages[2].role=renamed', 'messages[3].function_call=renamed', 'messages[4].role=renamed'],
    ],
    ['a result without a call', [user('Hi'), heard()], [user('Hi'), ...made(1)], ['messages[1].role=renamed', 'messages[1]=emulated']],
    [
      'two results of one call',
      [user('Hi'), said, heard(), heard()],
      [user('Hi'), ...paired(2), ...made(3)],
      ['messages[1].function_call=renamed', 'messages[2].role=renamed', 'messages[3].role=renamed', 'messages[3]=emulated'],
    ],
    [
      'a call without a result',
      [user('Hi'), said, user('Yo')],
      [user('Hi'), paired(2)[0] as object, answer('call_legacy_2', '-'), user('Yo')],
      ['messages[1].function_call=renamed', 'messages=emulated!'],
    ],
    [
      'a call at the end',
      [user('Hi'), said],
      [user('Hi'), paired(2)[0] as object, answer('call_legacy_2', '-')],
      ['messages[1].function_call=renamed', 'messages=emulated!'],
    ],
    [
      'a result of null',
      [user('Hi'), said, heard(null)],
      [user('Hi'), paired(2)[0] as object, answer('call_legacy_2', '-')],
      ['messages[1].function_call=renamed', 'messages[2].role=renamed', 'messages[2].content=defaulted!'],
    ],
  ])('%s', (_name, messages, sent, noted) => {
    expect(carry(messages)).toEqual({ sent, changes: noted });
  });

  test('the same message object twice has two ids', () => {
    const ids = carry([user('Hi'), said, heard(), said, heard()]).sent.flatMap((turn) =>
      turn['tool_call_id'] === undefined ? [] : [turn['tool_call_id']],
    );
    expect(new Set(ids).size).toBe(2);
  });
});

describe('the order that vendors want', () => {
  test.each<Row>([
    ['user first', [assistant('A'), user('Hi')], [user('-'), assistant('A'), user('Hi')], ['messages=emulated!'], { userFirst: true }],
    [
      'user last',
      [user('Hi'), assistant('A')],
      [user('Hi'), assistant('A'), user('Continue.')],
      ['messages=emulated!'],
      { userLast: true },
    ],
    [
      'partial may be last',
      [user('Hi'), assistant('A', { partial: true })],
      [user('Hi'), assistant('A', { partial: true })],
      [],
      { userLast: true },
    ],
    [
      'tool may be last',
      [user('Hi'), assistant('', { tool_calls: [call('a')] }), answer('a', 'x')],
      [user('Hi'), assistant('', { tool_calls: [call('a')] }), answer('a', 'x')],
      [],
      { userLast: true },
    ],
    [
      'no user at all',
      [assistant('', { tool_calls: [call('a')] }), answer('a', 'x')],
      [user('-'), assistant('', { tool_calls: [call('a')] }), answer('a', 'x')],
      ['messages=emulated!'],
      { userLast: true },
    ],
    [
      'neighbours',
      [user('A'), user('B'), assistant('C'), assistant('D')],
      [user('A\n\nB'), assistant('C\n\nD')],
      ['messages=emulated', 'messages=emulated'],
      { joinNeighbours: true },
    ],
    [
      'neighbours of two names',
      [user('A', { name: 'Ann' }), user('B', { name: 'Bob' })],
      [user('A\n\nB')],
      ['messages=emulated!'],
      { joinNeighbours: true, names: true },
    ],
    [
      'neighbours with calls',
      [user('A'), assistant('', { tool_calls: [call('a')] }), answer('a', 'x'), assistant('C')],
      [user('A'), assistant('', { tool_calls: [call('a')] }), answer('a', 'x'), assistant('C')],
      [],
      { joinNeighbours: true },
    ],
  ])('%s', (_name, messages, sent, noted, rules) => {
    expect(carry(messages, rules)).toEqual({ sent, changes: noted });
  });
});
