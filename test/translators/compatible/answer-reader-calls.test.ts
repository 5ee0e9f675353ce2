import { describe, expect, test } from 'vitest';
import { calls, delta, END, fn, read, whole } from './reading.ts';

describe('calls, however they are told', () => {
  const one = ['tool 0.0 "call_1" "look"', 'args 0.0 {"a', 'args 0.0 ":1}', 'finish 0 tool_calls'];
  test.each<[string, unknown[], string[]]>([
    [
      'as OpenAI does',
      [
        calls({ index: 0, id: 'call_1', ...fn('look', '') }),
        calls({ index: 0, ...fn(undefined, '{"a') }),
        calls({ index: 0, ...fn(undefined, '":1}') }),
        END,
      ],
      one,
    ],
    [
      'id "" later',
      [
        calls({ index: 0, id: 'call_1', ...fn('look', '') }),
        calls({ index: 0, id: '', ...fn('', '{"a') }),
        calls({ index: 0, id: '', ...fn('', '":1}') }),
        END,
      ],
      one,
    ],
    [
      'id and name repeated',
      [calls({ index: 0, id: 'call_1', ...fn('look', '{"a') }), calls({ index: 0, id: 'call_1', ...fn('look', '":1}') }), END],
      one,
    ],
    [
      'name null, id null later',
      [calls({ index: 0, id: 'call_1', ...fn('look', '{"a') }), calls({ index: 0, id: null, ...fn(null, '":1}') }), END],
      one,
    ],
    ['no index, no id later', [calls({ id: 'call_1', ...fn('look', '{"a') }), calls(fn(undefined, '":1}')), END], one],
    ['no index, the id repeated', [calls({ id: 'call_1', ...fn('look', '{"a') }), calls({ id: 'call_1', ...fn(null, '":1}') }), END], one],
    [
      'an index from the second fragment on',
      [calls({ id: 'call_1', ...fn('look', '{"a') }), calls({ index: 0, ...fn(null, '":1}') }), END],
      one,
    ],
    [
      'arguments null first',
      [
        calls({ index: 0, id: 'call_1', ...fn('look', null) }),
        calls({ index: 0, ...fn(null, '{"a') }),
        calls({ index: 0, ...fn(null, '":1}') }),
        END,
      ],
      one,
    ],
    [
      'arguments before the name',
      [calls({ index: 0, id: 'call_1', ...fn(null, '{"a') }), calls({ index: 0, ...fn('look', '":1}') }), END],
      one,
    ],
    [
      'the id with the name, after arguments',
      [calls({ index: 0, ...fn(null, '{"a') }), calls({ index: 0, id: 'call_1', ...fn('look', '":1}') }), END],
      one,
    ],
    [
      'an own frame without finish_reason key has the arguments',
      [
        calls({ index: 0, id: 'call_1', ...fn('look', '') }),
        { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, id: 'call_1', ...fn('', '{"a') }] } }] },
        calls({ index: 0, ...fn('', '":1}') }),
        END,
      ],
      one,
    ],
    [
      'arguments on the finish frame',
      [
        calls({ index: 0, id: 'call_1', ...fn('look', '{"a') }),
        delta({ tool_calls: [{ index: 0, ...fn(null, '":1}') }] }, { finish_reason: 'tool_calls' }),
      ],
      one,
    ],
    [
      'arguments as an object',
      [calls({ index: 0, id: 'call_1', ...fn('look', { a: 1 }) }), END],
      ['tool 0.0 "call_1" "look"', 'args 0.0 {"a":1}', 'finish 0 tool_calls'],
    ],
    [
      'no arguments at all',
      [calls({ index: 0, id: 'call_1', ...fn('look', '') }), END],
      ['tool 0.0 "call_1" "look"', 'args 0.0 {}', 'finish 0 tool_calls'],
    ],
    [
      'no id: the encoder makes one',
      [calls({ index: 0, ...fn('look', '{}') }), END],
      ['tool 0.0 "" "look"', 'args 0.0 {}', 'finish 0 tool_calls'],
    ],
    [
      'indexes that begin at 1 and have holes',
      [calls({ index: 1, id: 'a', ...fn('x', '{}') }), calls({ index: 7, id: 'b', ...fn('y', '{}') }), END],
      ['tool 0.0 "a" "x"', 'args 0.0 {}', 'tool 0.1 "b" "y"', 'args 0.1 {}', 'finish 0 tool_calls'],
    ],
    [
      'two in one frame',
      [calls({ index: 0, id: 'a', ...fn('x', '{}') }, { index: 1, id: 'b', ...fn('y', '{}') }), END],
      ['tool 0.0 "a" "x"', 'args 0.0 {}', 'tool 0.1 "b" "y"', 'args 0.1 {}', 'finish 0 tool_calls'],
    ],
    [
      'two without index, with ids',
      [calls({ id: 'a', ...fn('x', '{"i":1}') }), calls({ id: 'b', ...fn('y', '{"i":2}') }), END],
      ['tool 0.0 "a" "x"', 'args 0.0 {"i":1}', 'tool 0.1 "b" "y"', 'args 0.1 {"i":2}', 'finish 0 tool_calls'],
    ],
    [
      'two without index and id',
      [calls(fn('x', '{"i":1}')), calls(fn('x', '{"i":2}')), END],
      ['tool 0.0 "" "x"', 'args 0.0 {"i":1}', 'tool 0.1 "" "x"', 'args 0.1 {"i":2}', 'finish 0 tool_calls'],
    ],
    [
      'two that both say index 0',
      [
        calls({ index: 0, id: 'a', ...fn('x', '{"i":1}') }),
        calls({ index: 0, id: 'b', ...fn('y', '{"i"') }),
        calls({ index: 0, ...fn(null, ':2}') }),
        END,
      ],
      ['tool 0.0 "a" "x"', 'args 0.0 {"i":1}', 'tool 0.1 "b" "y"', 'args 0.1 {"i"', 'args 0.1 :2}', 'finish 0 tool_calls'],
    ],
    [
      'two of one id: the second gets another',
      [calls({ index: 0, id: 'a', ...fn('x', '{}') }), calls({ index: 1, id: 'a', ...fn('y', '{}') }), END],
      ['tool 0.0 "a" "x"', 'args 0.0 {}', 'tool 0.1 "" "y"', 'args 0.1 {}', 'finish 0 tool_calls'],
    ],
    [
      "a vendor's own tool, never named",
      [calls({ index: 0, id: 's', type: 'web_search' }), calls({ index: 1, id: 'a', ...fn('x', '{}') }), END],
      ['tool 0.0 "a" "x"', 'args 0.0 {}', 'finish 0 tool_calls'],
    ],
    [
      'ids and names that are no text',
      [calls({ index: 0, id: 5, ...fn('x', '{}') }), calls({ index: 0, id: {}, ...fn(7, '') }), END],
      ['tool 0.0 "" "x"', 'args 0.0 {}', 'finish 0 tool_calls'],
    ],
  ])('%s', (_name, frames, lines) => {
    expect(read(frames)).toEqual(lines);
  });

  test.each<[string, object[], string[]]>([
    [
      'without index',
      [
        { id: 'a', ...fn('x', '{}') },
        { id: 'b', ...fn('x', '{}') },
      ],
      ['tool 0.0 "a" "x"', 'args 0.0 {}', 'tool 0.1 "b" "x"', 'args 0.1 {}'],
    ],
    ['without index and id', [fn('x', '{}'), fn('x', '{}')], ['tool 0.0 "" "x"', 'args 0.0 {}', 'tool 0.1 "" "x"', 'args 0.1 {}']],
    [
      'all of one index',
      [
        { index: 0, id: '', ...fn('x', '') },
        { index: 0, id: '', ...fn('y', '') },
      ],
      ['tool 0.0 "" "x"', 'tool 0.1 "" "y"', 'args 0.0 {}', 'args 0.1 {}'],
    ],
  ])('whole message, %s: each entry is a call', (_name, list, lines) => {
    expect(whole({ choices: [{ index: 0, message: { content: '', tool_calls: list }, finish_reason: 'tool_calls' }] })).toEqual([
      ...lines,
      'finish 0 tool_calls',
    ]);
  });

  test('more calls than any answer has', () => {
    expect(read([calls(...Array.from({ length: 1025 }, (_, index) => ({ index, id: `c${index}`, ...fn('x', '{}') })))]).at(-1)).toBe(
      'error upstream_invalid_response',
    );
  });
});
