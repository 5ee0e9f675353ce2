import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Desk, openDesk, user, WEATHER } from './qwen-desk.ts';

let desk: Desk;
const nowMs = 1_790_000_000_000;
beforeAll(async () => {
  desk = await openDesk(() => nowMs);
});
afterAll(() => desk.close());
beforeEach(() => desk.simulator.reset());

const call = (id: string, args = '{}'): object => ({ id, type: 'function', function: { name: 'f', arguments: args } });
const hello = { role: 'user', content: 'Hello' };
const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } };
const thinkingOn = { model: 'qwen3.7-max' };
const json = { response_format: { type: 'json_object' } };
const named = { tools: [WEATHER], tool_choice: { type: 'function', function: { name: 'get_weather' } } };

/** One line a documented refusal: checklist row, request, a part of the message. */
const REFUSED: readonly (readonly [string, Record<string, unknown>, string])[] = [
  ['4 stream-only', { model: 'qwq-32b' }, 'only support stream mode'],
  ['4 stream-only, not thinking', { model: 'qwen3-omni-flash' }, 'only support stream mode'],
  ['5 open Qwen3', { model: 'qwen3-32b' }, 'parameter.enable_thinking must be set to false for non-streaming calls'],
  ['3 thinking only', { model: 'qwen3-235b-a22b-thinking-2507', enable_thinking: false, stream: true }, 'restricted to True'],
  [
    '8 required while thinking',
    { ...thinkingOn, tools: [WEATHER], tool_choice: 'required' },
    'does not support being set to required or object in thinking mode',
  ],
  ['8 object while thinking', { ...thinkingOn, ...named }, 'does not support being set to required or object in thinking mode'],
  ['8 unknown word', { tools: [WEATHER], tool_choice: 'any' }, 'tool_choice is one of the strings'],
  ['8 unknown tool', { tools: [WEATHER], tool_choice: { type: 'function', function: { name: 'nope' } } }, 'no tool is named "nope"'],
  [
    '9 developer',
    { messages: [{ role: 'developer', content: 'x' }, hello] },
    "developer is not one of ['system', 'assistant', 'user', 'tool', 'function'] - 'messages.['0].role'",
  ],
  ['9 no user', { messages: [{ role: 'system', content: 'x' }] }, 'do not contain elements with the role of user'],
  ['9 last is assistant', { messages: [hello, { role: 'assistant', content: 'x' }] }, 'The last message must have'],
  ['9 no content', { messages: [{ role: 'user' }] }, 'The content field is a required field.'],
  ['9 empty content', { messages: [{ role: 'user', content: '' }] }, 'Content length must be greater than 0'],
  ['9 no messages', { messages: [] }, 'too short'],
  [
    '9 stray tool message',
    { messages: [hello, { role: 'tool', content: 'x', tool_call_id: 'a' }] },
    'must be a response to a preceeding message',
  ],
  [
    '9 open call',
    { messages: [hello, { role: 'assistant', content: '', tool_calls: [call('a')] }, hello] },
    'did not have response messages: a',
  ],
  ['9 broken arguments', { messages: [hello, { role: 'assistant', content: '', tool_calls: [call('a', '{')] }] }, 'must be in JSON format'],
  ['9 image to a text model', user([image]), 'Unexpected item type in content'],
  [
    '9 bare base64',
    { model: 'qwen3-vl-plus', ...user([{ type: 'image_url', image_url: { url: 'iVBORw0KGgo=' } }]) },
    'does not appear to be valid',
  ],
  ['10 temperature 2', { temperature: 2 }, 'Temperature should be in [0.0, 2.0)'],
  ['10 temperature text', { temperature: '1' }, "'temperature' must be Float"],
  ['10 top_p 0', { top_p: 0 }, 'Range of top_p'],
  ['10 top_p 1.1', { top_p: 1.1 }, 'Range of top_p'],
  ['10 presence_penalty', { presence_penalty: 3 }, 'Presence_penalty'],
  ['10 max_tokens 0', { max_tokens: 0 }, 'Range of max_tokens should be [1, 32768]'],
  ['10 max_tokens too large', { max_tokens: 32_769 }, 'Range of max_tokens should be [1, 32768]'],
  ['10 top_logprobs', { top_logprobs: 6 }, 'top_logprobs'],
  ['10 n 5', { n: 5 }, 'Range of n should be [1, 4]'],
  ['10 n with tools', { n: 2, tools: [WEATHER] }, "'n' must be 1 when tools is not None"],
  ['10 n while thinking', { n: 2, enable_thinking: true }, "'n' must be 1"],
  ['10 empty tools', { tools: [] }, "[] is too short - 'tools'"],
  ['10 tool named search', { tools: [{ type: 'function', function: { name: 'search' } }] }, 'not allowed to be [search]'],
  ['10 stream_options alone', { stream_options: { include_usage: true } }, "only allowed when 'stream' is enabled"],
  ['10 functions', { functions: [] }, 'not supported'],
  ['10 mixed stop', { stop: ['a', 1] }, 'must not mix'],
  ['10 foreign object', { thinking: { type: 'enabled' } }, 'Request body format invalid'],
  ['10 search', { model: 'qwen3-coder-plus', enable_search: true }, 'does not support enable_search'],
  ['11 no word json', json, "must contain the word 'json'"],
  ['11 while thinking', { ...json, ...user('json'), ...thinkingOn }, 'Json mode response is not supported when enable_thinking is true'],
  [
    '11 schema on other models',
    { ...user('json'), model: 'qwen3-vl-plus', response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {} } } },
    'not supported by the model',
  ],
  [
    '11 uniqueItems',
    { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'array', uniqueItems: true } } } },
    'rejects uniqueItems',
  ],
  ['11 unknown type', { response_format: { type: 'xml' } }, 'Unknown format of response_format'],
  ['12 too long', { model: 'qwen3-32b', stream: true, ...user('a '.repeat(129_025)) }, 'Range of input length should be [1, 129024]'],
  ['12 by fault', { model: 'qwen3-32b', ...user('[[sim:context-length]]') }, 'Range of input length should be [1, 129024]'],
  ['18a unknown effort', { model: 'qwen3.8-max', reasoning_effort: 'huge' }, 'reasoning_effort'],
  ['18a effort and budget', { model: 'qwen3.8-max', reasoning_effort: 'low', thinking_budget: 5 }, 'cannot be set at the same time'],
  ['18a budget too large', { model: 'qwen3.8-max', thinking_budget: 262_145 }, 'not greater than 262144'],
  ['30 partial while thinking', { ...thinkingOn, messages: [hello, { role: 'assistant', content: 'x', partial: true }] }, 'Partial mode'],
  ['1 no model', { model: undefined }, 'you must provide a model parameter'],
];

describe('400 invalid_parameter_error', () => {
  test.each(REFUSED)('row %s', async (_, body, message) => {
    const { status, json: answer, headers } = await desk.chat(body);
    expect(answer.error?.message).toContain(message);
    expect(answer.error).toMatchObject({ type: 'invalid_request_error', param: null, code: 'invalid_parameter_error' });
    expect(status).toBe(400);
    expect(answer.request_id).toBe(headers.get('x-request-id'));
    // What is refused behind the router bears the completion's id too.
    expect([undefined, `chatcmpl-${answer.request_id}`]).toContain(answer.id);
    expect(desk.simulator.usage()).toMatchObject([{ requests: 1, errors: 1, promptTokens: 0 }]);
  });

  test('the documented bodies, to the letter', async () => {
    const forced = (await desk.chat({ ...thinkingOn, tools: [WEATHER], tool_choice: 'required' })).json;
    expect(forced).toEqual({
      error: {
        message:
          '<400> InternalError.Algo.InvalidParameter: The tool_choice parameter does not support being set to required or object in thinking mode',
        type: 'invalid_request_error',
        param: null,
        code: 'invalid_parameter_error',
      },
      id: `chatcmpl-${forced.request_id}`,
      request_id: expect.any(String),
    });
    const role = (await desk.chat({ messages: [{ role: 'developer', content: 'x' }] })).json;
    expect(role).not.toHaveProperty('id');
  });

  test.each([
    [-1, '-1 is lesser than the minimum of 0'],
    [2 ** 31, 'greater than the maximum'],
  ])('seed %i is invalid_value', async (seed, message) => {
    const { json: answer } = await desk.chat({ seed });
    expect(answer.error).toMatchObject({ code: 'invalid_value', message: expect.stringContaining(message) });
  });

  test('enable_thinking on a model without thinking has a code of its own', async () => {
    const { json: answer } = await desk.chat({ model: 'qwen3-coder-plus', enable_thinking: true });
    expect(answer.error.code).toBe('InvalidParameter.NotSupportEnableThinking');
  });

  test('strict profile: unlisted fields, late system messages, part lists to text models', async () => {
    const late = { model: 'qwen3.5-plus', messages: [hello, { role: 'system', content: 'x' }, hello] };
    const parts = user([{ type: 'text', text: 'Hello' }]);
    for (const body of [{ user: 'u1' }, late, parts]) expect((await desk.chat(body)).status).toBe(200);
    desk.simulator.setStrict('qwen', true);
    for (const body of [{ user: 'u1' }, late, parts]) expect((await desk.chat(body)).status).toBe(400);
  });

  test('a body that is no JSON object', async () => {
    for (const body of ['{', '[]', ''])
      expect((await desk.post('/chat/completions', body)).json.error.message).toBe('Request body format invalid');
  });
});
