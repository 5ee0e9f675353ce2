import { describe, expect, test } from 'vitest';
import { OpenAIError } from '../../../openai/errors.ts';
import { type AnswerDialect, AnswerReader } from '../../../translators/compatible/answer-reader.ts';
import { calls, DIALECT, delta, END, fn, Log, read } from './reading.ts';

describe('text, thinking, the end', () => {
  test.each<[string, unknown[], string[]]>([
    ['text', [delta({ role: 'assistant', content: '' }), delta({ content: 'Hi' }), END], ['text 0 Hi', 'finish 0 stop']],
    [
      'a role in every delta',
      [delta({ role: 'assistant', content: 'H' }), delta({ role: 'assistant', content: 'i' }), END],
      ['text 0 H', 'text 0 i', 'finish 0 stop'],
    ],
    [
      'thinking, nulls beside',
      [delta({ content: null, reasoning_content: 'Hm' }), delta({ content: 'Hi', reasoning_content: null }), END],
      ['reasoning 0 Hm', 'text 0 Hi', 'finish 0 stop'],
    ],
    [
      'text as parts',
      [delta({ content: [{ type: 'text', text: 'H' }, { text: 'i' }, null, { text: 5 }] }), END],
      ['text 0 Hi', 'finish 0 stop'],
    ],
    ['text on the finish frame', [delta({ content: 'Hi' }, { finish_reason: 'length' })], ['text 0 Hi', 'finish 0 length']],
    [
      'logprobs',
      [delta({ content: 'Hi' }, { logprobs: { content: [{ token: 'Hi' }] } }), END],
      ['text 0 Hi [{"token":"Hi"}]', 'finish 0 stop'],
    ],
    [
      'logprobs null or empty',
      [delta({ content: 'Hi' }, { logprobs: null }), delta({ content: '!' }, { logprobs: { content: [] } }), END],
      ['text 0 Hi', 'text 0 !', 'finish 0 stop'],
    ],
    [
      'no index is choice 0',
      [{ choices: [{ delta: { content: 'Hi' } }] }, { choices: [{ index: null, delta: {}, finish_reason: 'stop' }] }],
      ['text 0 Hi', 'finish 0 stop'],
    ],
    [
      'no delta on the finish frame',
      [delta({ content: 'Hi' }), { choices: [{ index: 0, finish_reason: 'stop' }] }],
      ['text 0 Hi', 'finish 0 stop'],
    ],
    [
      'finish_reason "" and "null" are none',
      [delta({ content: 'H' }, { finish_reason: '' }), delta({ content: 'i' }, { finish_reason: 'null' }), END],
      ['text 0 H', 'text 0 i', 'finish 0 stop'],
    ],
    ['stop after calls', [calls({ index: 0, id: 'a', ...fn('x', '{}') }), END], ['tool 0.0 "a" "x"', 'args 0.0 {}', 'finish 0 tool_calls']],
    ['tool_calls without calls', [delta({ content: 'Hi' }, { finish_reason: 'tool_calls' })], ['text 0 Hi', 'finish 0 stop']],
    [
      'length keeps its name after calls',
      [calls({ index: 0, id: 'a', ...fn('x', '{"a') }), delta({}, { finish_reason: 'length' })],
      ['tool 0.0 "a" "x"', 'args 0.0 {"a', 'finish 0 length'],
    ],
    ['silence after the end', [END, delta({ content: 'late' }), delta({}, { finish_reason: 'length' })], ['finish 0 stop']],
    [
      'two choices, interleaved',
      [
        { choices: [{ index: 1, delta: { content: 'b' } }] },
        delta({ content: 'a' }),
        { choices: [{ index: 1, delta: {}, finish_reason: 'stop' }] },
        END,
      ],
      ['text 1 b', 'text 0 a', 'finish 1 stop', 'finish 0 stop'],
    ],
    [
      'unknown keys',
      [{ id: 'x', ...delta({ content: 'Hi', audio: null, refusal: null, __proto__: 1 }), toString: 5 }, END],
      ['text 0 Hi', 'finish 0 stop'],
    ],
    ['[DONE] and what follows', [delta({ content: 'Hi' }), END, '[DONE]', 'not JSON'], ['text 0 Hi', 'finish 0 stop']],
    ['[DONE] in white space', [END, ' [DONE]\n'], ['finish 0 stop']],
    ['empty data', ['', ' ', END], ['finish 0 stop']],
    ['keep-alive frames', [{}, { choices: [] }, { choices: null }, delta({}), END], ['finish 0 stop']],
  ])('%s', (_name, frames, lines) => {
    expect(read(frames)).toEqual(lines);
  });
});

describe('usage', () => {
  const usage = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 };
  const zeros = { prompt_tokens: 0, completion_tokens: 0 };
  test.each<[string, unknown[], string[]]>([
    ['on its own frame', [END, { choices: [], usage }], ['usage 7 5 0 0']],
    ['on the finish frame', [{ ...END, usage }], ['usage 7 5 0 0']],
    [
      'on every frame, zeros first',
      [
        { ...delta({ content: 'a' }), usage: zeros },
        { ...delta({ content: 'b' }), usage: { ...usage, completion_tokens: 1 } },
        { ...END, usage },
      ],
      ['usage 7 1 0 0', 'usage 7 5 0 0'],
    ],
    [
      'details',
      [
        END,
        {
          choices: [],
          usage: { ...usage, prompt_tokens_details: { cached_tokens: 3 }, completion_tokens_details: { reasoning_tokens: 2 } },
        },
      ],
      ['usage 7 5 3 2'],
    ],
    [
      'details larger than the whole',
      [
        END,
        {
          choices: [],
          usage: { ...usage, prompt_tokens_details: { cached_tokens: 99 }, completion_tokens_details: { reasoning_tokens: 99 } },
        },
      ],
      ['usage 7 5 7 5'],
    ],
    ['after [DONE] nothing counts', [END, '[DONE]', { choices: [], usage }], []],
    [
      'counts that are none',
      [
        END,
        { usage: { prompt_tokens: -5, completion_tokens: 1.5 } },
        { usage: { prompt_tokens: '7', completion_tokens: 1e300 } },
        { usage: 5 },
        { usage: [] },
        { usage: 'x' },
        { usage: null },
      ],
      [],
    ],
    ['details that are none', [END, { usage: { ...usage, prompt_tokens_details: null, completion_tokens_details: 5 } }], ['usage 7 5 0 0']],
  ])('%s', (_name, frames, lines) => {
    expect(read(frames).filter((line) => /usage|error/.test(line))).toEqual(lines);
  });
});

describe('what a dialect may add', () => {
  test('a verdict ends the choice, with its text or without', () => {
    const verdict = (showText: boolean): AnswerDialect => ({
      ...DIALECT,
      verdict: (choice) => (choice['flag'] === 1 ? { showText, finish: 'content_filter' } : null),
    });
    const frames = [delta({ content: 'a' }), delta({ content: 'b' }, { flag: 1 }), delta({ content: 'c' }), END];
    expect(read(frames, verdict(true))).toEqual(['text 0 a', 'text 0 b', 'finish 0 content_filter']);
    expect(read(frames, verdict(false))).toEqual(['text 0 a', 'finish 0 content_filter']);
  });

  test('a finish word may mean that the answer failed', () => {
    const dialect: AnswerDialect = {
      ...DIALECT,
      finish: () => {
        throw new OpenAIError('upstream_overloaded', 'network_error');
      },
    };
    expect(read([delta({ content: 'Hi' }, { finish_reason: 'network_error' })], dialect)).toEqual([
      'text 0 Hi',
      'error upstream_overloaded',
    ]);
  });
});

test('finished follows the choices', () => {
  const reader = new AnswerReader(new Log(), DIALECT);
  const states = [reader.finished];
  for (const frame of [
    delta({ content: 'a' }),
    { choices: [{ index: 1, delta: {} }] },
    END,
    { choices: [{ index: 1, delta: {}, finish_reason: 'stop' }] },
  ]) {
    reader.frame(JSON.stringify(frame));
    states.push(reader.finished);
  }
  expect(states).toEqual([false, false, false, false, true]);
});
