import { describe, expect, test } from 'vitest';
import { completionFaults } from '../../scorecard/contract/completion.ts';
import { readStream } from '../../scorecard/contract/stream.ts';

const USAGE = {
  prompt_tokens: 1,
  completion_tokens: 2,
  total_tokens: 3,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
};
const call = (id: string, args = '{}') => ({ id, type: 'function', function: { name: 'f', arguments: args } });
const HEAD = { id: 'chatcmpl-1', created: 1_700_000_000, model: 'm' };
const whole = (message: object, finish: string, more: object = {}) => ({
  ...HEAD,
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: null, refusal: null, ...message }, logprobs: null, finish_reason: finish }],
  usage: USAGE,
  ...more,
});

describe('a whole answer', () => {
  test.each<[string, object]>([
    ['a text', whole({ content: 'hi' }, 'stop')],
    ['an empty text', whole({ content: '' }, 'stop')],
    ['calls', whole({ tool_calls: [call('a'), call('b')] }, 'tool_calls')],
    ['a call cut off', whole({ tool_calls: [call('a', '{"x')] }, 'length')],
    ['reasoning', whole({ content: 'hi', reasoning_content: 'hm' }, 'stop')],
  ])('is good: %s', (_name, body) => expect(completionFaults(body)).toEqual([]));

  test.each<[string, unknown, RegExp]>([
    ['no object', [], /no JSON object/],
    ['an unknown finish', whole({ content: 'hi' }, 'normal'), /finish_reason is normal/],
    ['no content', whole({}, 'stop'), /says nothing/],
    ['an empty list of calls', whole({ content: 'hi', tool_calls: [] }, 'stop'), /empty list/],
    ['stop beside calls', whole({ tool_calls: [call('a')] }, 'stop'), /stop beside/],
    ['tool_calls without calls', whole({ content: 'hi' }, 'tool_calls'), /without any/],
    ['an id twice', whole({ tool_calls: [call('a'), call('a')] }, 'tool_calls'), /id of its own/],
    ['an empty id', whole({ tool_calls: [call('')] }, 'tool_calls'), /id of its own/],
    ['arguments that are no JSON', whole({ tool_calls: [call('a', '{"x')] }, 'tool_calls'), /no JSON/],
    ['a text beside calls', whole({ content: 'hi', tool_calls: [call('a')] }, 'tool_calls'), /beside tool calls/],
    ['a key of the vendor', whole({ content: 'hi' }, 'stop', { request_id: 'x' }), /unknown key request_id/],
    ['a key of the vendor in the message', whole({ content: 'hi', flag: 0 }, 'stop'), /unknown key flag/],
    ['a wrong sum', whole({ content: 'hi' }, 'stop', { usage: { ...USAGE, total_tokens: 4 } }), /4 is not 1 \+ 2/],
    ['no usage', whole({ content: 'hi' }, 'stop', { usage: undefined }), /no usage/],
    ['milliseconds', whole({ content: 'hi' }, 'stop', { created: 1_700_000_000_000 }), /seconds/],
    ['another id', whole({ content: 'hi' }, 'stop', { id: 'as-1' }), /chatcmpl/],
    ['no choice', whole({}, 'stop', { choices: [] }), /no choice/],
  ])('is not: %s', (_name, body, fault) => expect(completionFaults(body).join('\n')).toMatch(fault));
});

const chunk = (delta: object | null, finish: string | null = null, more: object = {}) => ({
  ...HEAD,
  object: 'chat.completion.chunk',
  choices: delta === null ? [] : [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  ...more,
});
const FIRST = chunk({ role: 'assistant', content: '' });
const TEXT = chunk({ content: 'hi' });
const LAST = chunk({}, 'stop');
const SUM = chunk(null, null, { usage: USAGE });
const stream = (...events: readonly (object | string)[]): string =>
  events.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`).join('');

describe('a stream', () => {
  test('is put together', () => {
    const piece = (index: number, more: object) => chunk({ tool_calls: [{ index, ...more }] });
    const reading = readStream(
      stream(
        FIRST,
        piece(0, { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x"' } }),
        piece(1, { id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } }),
        piece(0, { function: { arguments: ':1}' } }),
        chunk({}, 'tool_calls'),
        SUM,
        '[DONE]',
      ),
      true,
    );
    expect(reading).toMatchObject({ faults: [], error: null, done: true });
    expect(reading.reply.choices).toMatchObject([
      {
        finish: 'tool_calls',
        calls: [
          { id: 'a', name: 'f', arguments: '{"x":1}' },
          { id: 'b', name: 'g', arguments: '{}' },
        ],
      },
    ]);
  });

  test('may end in an error instead', () => {
    const reading = readStream(stream(FIRST, TEXT, { error: { message: 'm', type: 't', param: null, code: 'c' } }), false);
    expect(reading).toMatchObject({ faults: [], error: { code: 'c' }, done: false });
  });

  test.each<[string, string, boolean, RegExp]>([
    ['no end', stream(FIRST, TEXT, LAST), false, /neither/],
    ['a false end', stream(FIRST, { error: {} }, '[DONE]'), false, /follows the end/],
    ['no finish', stream(FIRST, TEXT, '[DONE]'), false, /finish_reason is null/],
    ['no role', stream(TEXT, LAST, '[DONE]'), false, /no role/],
    ['the role twice', stream(FIRST, FIRST, LAST, '[DONE]'), false, /role comes again/],
    ['text after the end', stream(FIRST, LAST, TEXT, '[DONE]'), false, /goes on/],
    ['text in the end', stream(FIRST, chunk({ content: 'hi' }, 'stop'), '[DONE]'), false, /says something/],
    ['another id', stream(FIRST, { ...TEXT, id: 'chatcmpl-2' }, LAST, '[DONE]'), false, /id changes/],
    ['no usage', stream(FIRST, TEXT, LAST, '[DONE]'), true, /0 usage chunks/],
    ['usage unasked', stream(FIRST, TEXT, LAST, SUM, '[DONE]'), false, /nobody asked/],
    ['usage beside text', stream(FIRST, chunk({ content: 'hi' }, null, { usage: USAGE }), LAST, '[DONE]'), true, /with choices/],
    ['half an event', stream(FIRST, '{"id":', '[DONE]'), false, /no JSON object/],
    ['CR LF', stream(FIRST, TEXT, LAST, '[DONE]').replaceAll('\n', '\r\n'), false, /carriage return/],
    ['event lines', `event: x\n${stream(FIRST, TEXT, LAST, '[DONE]')}`, false, /not one/],
  ])('is bad: %s', (_name, text, usage, fault) => expect(readStream(text, usage).faults.join('\n')).toMatch(fault));
});
