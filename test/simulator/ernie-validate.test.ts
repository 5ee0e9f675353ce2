import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { at, type Client, chatBody, type Json, json, startClient } from './ernie-client.ts';

const CHAT = '/v2/chat/completions';
let client: Client;
beforeAll(async () => {
  client = await startClient();
});
afterAll(() => client.close());

async function outcome(body: Json): Promise<string> {
  const asked = await client.ask(CHAT, body);
  return asked.status === 200
    ? 'ok'
    : `${asked.status} ${String(at(json(asked), 'error', 'code'))}: ${String(at(json(asked), 'error', 'message'))}`;
}

const tool = (name: string): Json => ({ type: 'function', function: { name, parameters: { type: 'object', properties: {} } } });
const arg = (text: string): string => `400 invalid_argument: parameter check failed, ${text}`;
const TURBO = 'ernie-4.5-turbo-128k';
const X1 = 'ernie-x1.1';

test.each<[string, Json, string]>([
  [TURBO, { temperature: 0 }, arg('temperature range is (0, 1]')],
  [TURBO, { temperature: 1.01 }, arg('temperature range is (0, 1]')],
  [TURBO, { temperature: 1 }, 'ok'],
  [TURBO, { temperature: 0.01 }, 'ok'],
  [TURBO, { temperature: '0.5' }, arg('temperature must be a number')],
  ['deepseek-v3.2', { temperature: 0 }, 'ok'],
  ['deepseek-v3.2', { temperature: 2 }, 'ok'],
  ['deepseek-v3.2', { temperature: 2.1 }, arg('temperature range is [0, 2]')],
  [TURBO, { top_p: 0 }, 'ok'],
  [TURBO, { top_p: 1.5 }, arg('top_p range is [0, 1]')],
  [TURBO, { penalty_score: 0.9 }, arg('penalty_score range is [1, 2]')],
  [TURBO, { penalty_score: 2 }, 'ok'],
  [TURBO, { frequency_penalty: -2.5 }, arg('frequency_penalty range is [-2, 2]')],
  [TURBO, { presence_penalty: 2.5 }, arg('presence_penalty range is [-2, 2]')],
  [TURBO, { repetition_penalty: 0 }, arg('repetition_penalty range is (0, 2]')],
  [TURBO, { max_tokens: 1 }, arg('max_tokens range is [2, 12288]')],
  [TURBO, { max_tokens: 2 }, 'ok'],
  [TURBO, { max_tokens: 12_289 }, arg('max_tokens range is [2, 12288]')],
  [TURBO, { max_completion_tokens: 1 }, arg('max_completion_tokens range is [2, 12288]')],
  [TURBO, { max_tokens: 2.5 }, arg('max_tokens must be an integer')],
  ['ernie-5.1', { max_tokens: 1 }, 'ok'],
  ['ernie-5.1', { max_tokens: 0 }, arg('max_tokens range is [1, 65536]')],
  [TURBO, { seed: 0 }, arg('seed range is (0, 2147483647)')],
  [TURBO, { seed: 2_147_483_647 }, arg('seed range is (0, 2147483647)')],
  [TURBO, { seed: 2_147_483_646 }, 'ok'],
  [TURBO, { stop: '###' }, arg('stop must be an array of string')],
  [TURBO, { stop: ['a', 'b', 'c', 'd'] }, 'ok'],
  [TURBO, { stop: ['a', 'b', 'c', 'd', 'e'] }, arg('the length of stop cannot exceed 4')],
  [TURBO, { stop: ['停'.repeat(20)] }, 'ok'],
  [TURBO, { stop: ['x'.repeat(21)] }, arg('the length of each item of stop cannot exceed 20')],
  [TURBO, { stream_options: { include_usage: true } }, arg('stream_options is only allowed when stream is true')],
  [TURBO, { stream: 'yes' }, arg('stream must be a boolean')],
  [TURBO, { response_format: { type: 'json_object' } }, 'ok'],
  [TURBO, { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } } }, 'ok'],
  [
    'ernie-5.1',
    { response_format: { type: 'json_schema', json_schema: { type: 'object' } } },
    arg('response_format json_schema is not supported by model ernie-5.1'),
  ],
  [TURBO, { response_format: { type: 'xml' } }, arg('the type of response_format must be text, json_object or json_schema')],
  [X1, { seed: 7 }, arg('seed is not supported by model ernie-x1.1')],
  [X1, { stop: ['a'] }, arg('stop is not supported by model ernie-x1.1')],
  [X1, { penalty_score: 1 }, arg('penalty_score is not supported by model ernie-x1.1')],
  [X1, { response_format: { type: 'json_object' } }, arg('response_format is not supported by model ernie-x1.1')],
  [X1, { response_format: { type: 'text' } }, 'ok'],
  [TURBO, { user: 7 }, arg('user must be a string')],
  [TURBO, { user: 'u-1', metadata: { team: 'a' } }, 'ok'],
  [TURBO, { metadata: { a: 1 } }, arg('metadata must be a map of string to string')],
  [
    TURBO,
    { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${n}`, 'v'])) },
    arg('the length of metadata cannot exceed 16'),
  ],
  [TURBO, { tools: [tool('a')] }, 'ok'],
  [TURBO, { tools: [{ type: 'custom', custom: { name: 'a' } }] }, arg('the type of tools[0] must be function')],
  [TURBO, { tools: [tool('a b')] }, arg('the function name of tools[0] is invalid')],
  [TURBO, { tools: [{ type: 'function', function: { name: 'bare' } }] }, 'ok'],
  [
    TURBO,
    { tools: [tool('a')], tool_choice: { type: 'function', function: { name: 'b' } } },
    arg('the function b of tool_choice is not in tools'),
  ],
  [TURBO, { tool_choice: 'required' }, arg('tool_choice required needs tools')],
  [TURBO, { tools: [tool('a')], tool_choice: 'any' }, arg('tool_choice must be none, auto, required or a function')],
  ['ernie-char-8k', { tools: [tool('a')] }, arg('tools is not supported by model ernie-char-8k')],
  ['ernie-5.0', { thinking_budget: 99 }, arg('thinking_budget range is [100, +∞]')],
  ['deepseek-v3.2', { thinking: { type: 'auto' } }, arg('the type of thinking must be enabled or disabled')],
  ['ernie-5.0', { enable_thinking: 'true' }, arg('enable_thinking must be a boolean')],
  ['deepseek-v4-pro', { reasoning_effort: 'minimal' }, arg('reasoning_effort must be low, medium, high, xhigh or max')],
  [TURBO, { thinking_strategy: 'slow' }, arg('thinking_strategy must be short_think or chain_of_draft')],
  [TURBO, { web_search: { enable: true, search_number: 29 } }, arg('search_number range is [1, 28]')],
  [TURBO, { web_search: { search_number: 3, reference_number: 4 } }, arg('reference_number cannot exceed search_number')],
  [TURBO, { n: 3, logprobs: true, made_up: 1 }, 'ok'],
])('%s with %j: %s', async (model, part, expected) => {
  expect(await outcome(chatBody('hi', { model, ...part }))).toBe(expected);
});

const PNG = (width: number, height: number): string => {
  const bytes = Buffer.alloc(24);
  bytes.write('\x89PNG\r\n\x1a\n', 'latin1');
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return `data:image/png;base64,${bytes.toString('base64')}`;
};
const picture = (url: string): Json[] => [
  {
    role: 'user',
    content: [
      { type: 'image_url', image_url: { url } },
      { type: 'text', text: 'what?' },
    ],
  },
];
const clip = (part: Json): Json[] => [{ role: 'user', content: [{ type: 'video_url', video_url: part }] }];
const call = { role: 'assistant', content: '', tool_calls: [{ id: 'c1', type: 'function', function: { name: 'a', arguments: '{}' } }] };
const user = { role: 'user', content: 'hi' };
const said = { role: 'assistant', content: 'hello' };
const system = { role: 'system', content: 'be kind' };
const VL = 'ernie-4.5-turbo-vl';

test.each<[string, string, unknown, string]>([
  ['no array', TURBO, 'hi', '400 invalid_messages'],
  ['empty array', TURBO, [], '400 invalid_messages'],
  ['developer role', TURBO, [{ role: 'developer', content: 'x' }, user], '400 invalid_messages'],
  ['empty content', TURBO, [{ role: 'user', content: '' }], '400 invalid_messages'],
  ['blank last content', TURBO, [{ role: 'user', content: ' \n\r\f' }], '400 invalid_messages'],
  ['a tab is text', TURBO, [{ role: 'user', content: '\t' }], 'ok'],
  ['blank earlier content', TURBO, [{ role: 'user', content: ' ' }, said, user], 'ok'],
  ['null content', TURBO, [{ role: 'user', content: null }], '400 invalid_messages'],
  ['assistant last', TURBO, [user, said], '400 invalid_messages'],
  ['assistant last on another maker’s model', 'deepseek-v3.2', [user, said], 'ok'],
  ['only a system message', TURBO, [system], '400 invalid_messages'],
  ['two users in a row', TURBO, [user, user], 'ok'],
  ['late system', TURBO, [user, said, system, user], 'ok'],
  ['tool round trip', TURBO, [user, call, { role: 'tool', tool_call_id: 'c1', content: '5' }], 'ok'],
  ['orphan tool id', TURBO, [user, call, { role: 'tool', tool_call_id: 'c2', content: '5' }], '400 invalid_messages'],
  ['no tool id', TURBO, [user, call, { role: 'tool', content: '5' }], '400 invalid_messages'],
  ['tool before its call', TURBO, [user, { role: 'tool', tool_call_id: 'c1', content: '5' }, call, user], '400 invalid_messages'],
  [
    'assistant with calls and null content',
    TURBO,
    [user, { ...call, content: null }, { role: 'tool', tool_call_id: 'c1', content: '5' }],
    'ok',
  ],
  [
    'arguments as object',
    TURBO,
    [user, { role: 'assistant', content: '', tool_calls: [{ id: 'c1', type: 'function', function: { name: 'a', arguments: {} } }] }, user],
    '400 invalid_messages',
  ],
  ['parts on a text model', TURBO, [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }], '400 invalid_messages'],
  ['picture on a text model', TURBO, picture(PNG(10, 10)), '400 invalid_messages'],
  ['picture', VL, picture(PNG(10, 10)), 'ok'],
  ['picture by URL', VL, picture('https://img.example.org/cat.jpg'), 'ok'],
  ['side of 4 px', VL, picture(PNG(4, 100)), '400 invalid_image_url'],
  ['side of 5999 px', VL, picture(PNG(5_999, 5)), 'ok'],
  ['side of 6000 px', VL, picture(PNG(6_000, 100)), '400 invalid_image_url'],
  ['no picture inside', VL, picture('data:image/png;base64,aGVsbG8='), '400 invalid_image_url'],
  ['broken base64', VL, picture('data:image/png;base64,***'), '400 invalid_image_url'],
  [
    'more than 10 MB',
    VL,
    picture(`data:image/png;base64,${Buffer.alloc(10 * 1024 * 1024 + 1).toString('base64')}`),
    '400 invalid_image_url',
  ],
  ['private host', VL, picture('http://192.168.1.7/cat.jpg'), '400 invalid_image_url'],
  ['URL of 1025 bytes', VL, picture(`https://img.example.org/${'a'.repeat(1_025 - 24)}`), '400 invalid_image_url'],
  ['URL of 1024 bytes', VL, picture(`https://img.example.org/${'a'.repeat(1_024 - 24)}`), 'ok'],
  ['file URL', VL, picture('file:///etc/passwd'), '400 invalid_image_url'],
  ['video', VL, clip({ url: 'https://v.example.org/clip.mp4', fps: 1 }), 'ok'],
  ['fps 6', VL, clip({ url: 'https://v.example.org/clip.mp4', fps: 6 }), '400 invalid_argument'],
  ['video on a picture model', 'ernie-4.5-8k-preview', clip({ url: 'https://v.example.org/clip.mp4' }), '400 invalid_messages'],
  ['audio part', VL, [{ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }], '400 invalid_messages'],
])('messages: %s on %s', async (_name, model, messages, expected) => {
  expect((await outcome({ model, messages })).split(':')[0]).toBe(expected);
});

describe('profiles', () => {
  const then = { role: 'user', content: 'hi [[sim:profile value=2025]]' };
  test.each<[string, unknown[], string]>([
    ['three messages', [user, said, then], 'ok'],
    ['system and three', [system, user, said, then], 'ok'],
    ['two messages', [user, then], arg('the length of messages must be an odd number')],
    ['system in the middle', [user, said, system, then], '400 invalid_messages: the system message must be the first of messages'],
    ['three users', [user, user, then], '400 invalid_messages: the role of messages must be user and assistant alternately'],
    [
      'tools lift the rule',
      [then, call, { role: 'tool', tool_call_id: 'c1', content: '5' }, { role: 'assistant', content: 'x' }, then, then],
      'ok',
    ],
  ])('2025: %s', async (_name, messages, expected) => {
    expect(await outcome({ model: TURBO, messages })).toBe(expected);
  });

  test('2025 does not bind models of other makers, and still has the old ones', async () => {
    expect(await outcome({ model: 'deepseek-v3.2', messages: [user, then] })).toBe('ok');
    expect(await outcome({ model: 'ernie-3.5-8k', messages: [then] })).toBe('ok');
  });

  test.each<[Json, string]>([
    [{ n: 1 }, arg('unknown parameter n')],
    [{ enable_thinking: true }, arg(`enable_thinking is not supported by model ${TURBO}`)],
    [{ web_search: { search_mode: 'auto' } }, arg(`search_mode is not supported by model ${TURBO}`)],
    [{ temperature: 0.5, user: 'u' }, 'ok'],
    [{ penalty_score: 1.1 }, 'ok'],
    [{ model: 'ernie-4.5-0.3b', penalty_score: 1.1 }, arg('penalty_score is not supported by model ernie-4.5-0.3b')],
  ])('strict: %j', async (part, expected) => {
    expect(await outcome(chatBody('hi [[sim:profile value=strict]]', part))).toBe(expected);
  });
});

describe('size', () => {
  test.each<[string, string, string, string]>([
    ['tokens', 'ernie-4.5-8k-preview', '天'.repeat(8_200), '400 tokens_too_long: Prompt tokens too long'],
    ['tokens that just fit', 'ernie-4.5-8k-preview', '天'.repeat(8_188), 'ok'],
    [
      'characters',
      'ernie-4.0-8k',
      `[[sim:profile value=2025]]${' '.repeat(20_000)}x`,
      '400 characters_too_long: the max input characters is 20000',
    ],
  ])('%s on %s', async (_name, model, text, expected) => {
    expect(await outcome(chatBody(text, { model }))).toBe(expected);
  });
});
