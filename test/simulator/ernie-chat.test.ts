import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { at, type Client, chatBody, type Json, json, startClient } from './ernie-client.ts';

const CHAT = '/v2/chat/completions';
let client: Client;
beforeAll(async () => {
  client = await startClient();
});
afterAll(() => client.close());

async function ask(text: string, part: Json = {}): Promise<Json> {
  const asked = await client.ask(CHAT, chatBody(text, part));
  expect(asked.status, asked.text).toBe(200);
  return json(asked);
}
const message = (body: Json): Json => at(body, 'choices', 0, 'message') as Json;
const WEATHER = {
  type: 'function',
  function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
};
const TIME = { type: 'function', function: { name: 'get_time', parameters: { type: 'object', properties: {} } } };

test('a plain answer has the documented shape and adds up', async () => {
  const body = await ask('[[sim:say text="Air scatters blue."]]');
  expect(body).toEqual({
    id: expect.stringMatching(/^as-[0-9a-z]{10}$/),
    object: 'chat.completion',
    created: expect.any(Number),
    model: 'ernie-4.5-turbo-128k',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Air scatters blue.' }, finish_reason: 'stop', flag: 0 }],
    usage: {
      prompt_tokens: expect.any(Number),
      completion_tokens: 5,
      total_tokens: expect.any(Number),
      prompt_tokens_details: { search_tokens: 0, cached_tokens: 0 },
    },
  });
  expect(at(body, 'usage', 'total_tokens')).toBe(Number(at(body, 'usage', 'prompt_tokens')) + 5);
});

test('ids differ from request to request', async () => {
  expect((await ask('hi'))['id']).not.toBe((await ask('hi'))['id']);
});

test.each([
  ['ernie-4.5-turbo-latest', 'hi', 'ernie-4.5-turbo-128k'],
  ['ernie-5.0-thinking-preview', 'hi', 'ernie-5.0-thinking-latest'],
  ['ernie-4.5-turbo-128k-sft-demo', 'hi', 'ernie-4.5-turbo-128k-sft-demo:amv-5d0c1b7a2e'],
  ['ernie-5.1', '[[sim:model-echo value=ernie-5.1-0601]]', 'ernie-5.1-0601'],
])('model %s answers as another name', async (model, text, echo) => {
  expect((await ask(text, { model }))['model']).toBe(echo);
});

describe('thinking', () => {
  test.each<[string, Json, boolean]>([
    ['ernie-4.5-turbo-128k', { enable_thinking: true, thinking: { type: 'enabled' } }, false],
    ['ernie-4.5-turbo-vl-preview', {}, false],
    ['ernie-4.5-turbo-vl-preview', { enable_thinking: true }, true],
    ['ernie-4.5-turbo-vl-32k', { enable_thinking: true }, false],
    ['ernie-5.0', {}, false],
    ['ernie-5.0', { enable_thinking: true }, true],
    ['ernie-5.0-thinking-latest', {}, true],
    ['ernie-5.0-thinking-latest', { enable_thinking: false }, false],
    ['ernie-x1.1', { enable_thinking: false }, true],
    ['ernie-x1-turbo-32k', {}, true],
    ['deepseek-v3.2', { thinking: { type: 'enabled' } }, true],
    ['deepseek-v3.2', { enable_thinking: true }, false],
    ['deepseek-v4-pro', { reasoning_effort: 'max' }, true],
    ['deepseek-v4-pro', { thinking: { type: 'disabled' }, reasoning_effort: 'max' }, false],
    ['deepseek-r1', {}, true],
    ['qwen3-32b', { enable_thinking: true }, true],
  ])('%s with %j thinks: %s', async (model, part, thinks) => {
    const body = await ask('is 17 prime?', { model, ...part });
    expect('reasoning_content' in message(body)).toBe(thinks);
    const ofThird = at(body, 'usage', 'completion_tokens_details', 'reasoning_tokens');
    if (model.startsWith('ernie')) expect(ofThird).toBeUndefined();
    else expect(Number(ofThird) > 0).toBe(thinks);
  });

  test('a budget bounds the thought where the model has one', async () => {
    const long = '[[sim:think n=400]] go';
    const bounded = await ask(long, { model: 'qwen3-32b', enable_thinking: true, thinking_budget: 100 });
    const free = await ask(long, { model: 'deepseek-v3.2', thinking: { type: 'enabled' }, thinking_budget: 100 });
    expect(at(bounded, 'usage', 'completion_tokens_details', 'reasoning_tokens')).toBe(100);
    expect(at(free, 'usage', 'completion_tokens_details', 'reasoning_tokens')).toBe(400);
  });

  test('max_tokens bounds the answer only; max_completion_tokens bounds both and wins', async () => {
    const text = '[[sim:think n=30]] [[sim:tokens n=20]]';
    const answerOnly = await ask(text, { model: 'ernie-x1.1', max_tokens: 5 });
    const both = await ask(text, { model: 'ernie-x1.1', max_tokens: 5_000, max_completion_tokens: 10 });
    expect(at(answerOnly, 'usage', 'completion_tokens')).toBe(35);
    expect(at(answerOnly, 'choices', 0, 'finish_reason')).toBe('length');
    expect(at(both, 'usage', 'completion_tokens')).toBe(10);
    expect(message(both)['content']).toBe('');
    expect(at(both, 'choices', 0, 'finish_reason')).toBe('length');
  });
});

describe('tools', () => {
  test('a call has a 32-hex id, no index, empty content', async () => {
    const body = await ask('get_weather', { tools: [WEATHER] });
    expect(message(body)).toEqual({
      role: 'assistant',
      content: '',
      tool_calls: [
        {
          id: expect.stringMatching(/^[0-9a-f]{32}$/),
          type: 'function',
          function: { name: 'get_weather', arguments: expect.stringMatching(/^\{"city":/) },
        },
      ],
    });
    expect(at(body, 'choices', 0, 'finish_reason')).toBe('tool_calls');
  });

  test('two calls at once, one with parallel_tool_calls false', async () => {
    const text = 'get_weather and get_time';
    const two = message(await ask(text, { tools: [WEATHER, TIME] }))['tool_calls'] as Json[];
    const one = message(await ask(text, { tools: [WEATHER, TIME], parallel_tool_calls: false }))['tool_calls'] as Json[];
    expect([two.length, new Set(two.map((call) => call['id'])).size, one.length]).toEqual([2, 2, 1]);
  });

  test('a named choice is followed, none is respected', async () => {
    const named = await ask('hi', { tools: [WEATHER, TIME], tool_choice: { type: 'function', function: { name: 'get_time' } } });
    expect(at(named, 'choices', 0, 'message', 'tool_calls', 0, 'function', 'name')).toBe('get_time');
    expect('tool_calls' in message(await ask('get_time', { tools: [TIME], tool_choice: 'none' }))).toBe(false);
  });

  test('results are read in the follow-up', async () => {
    const messages = [
      { role: 'user', content: 'get_weather' },
      { role: 'assistant', content: '', tool_calls: [{ id: 'a1', type: 'function', function: { name: 'get_weather', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'a1', content: 'sunny, 31 degrees' },
    ];
    expect(message(await ask('', { messages, tools: [WEATHER] }))['content']).toContain('sunny, 31 degrees');
  });

  test('finish_reason stop although tools are called', async () => {
    const body = await ask('get_time [[sim:finish value=stop]]', { tools: [TIME] });
    expect([at(body, 'choices', 0, 'finish_reason'), 'tool_calls' in message(body)]).toEqual(['stop', true]);
  });
});

describe('safety', () => {
  const SAY = '[[sim:say text="one two six ten"]]';
  const canned = expect.stringContaining('抱歉');
  test.each<[string, string, Json]>([
    ['flag value=1', 'one two six ten', { finish_reason: 'stop', flag: 1, ban_round: -1 }],
    ['flag value=2 style=cut', 'one two', { finish_reason: 'content_filter', flag: 2, ban_round: -1 }],
    ['flag value=3', canned, { finish_reason: 'content_filter', flag: 3, ban_round: -1 }],
    ['flag value=4 as=string round=2', canned, { finish_reason: 'content_filter', flag: '4', ban_round: 2 }],
    ['flag value=2 style=stars', 'one two *** ***', { finish_reason: 'content_filter', flag: 2, ban_round: -1 }],
    ['flag value=0 style=canned', canned, { finish_reason: 'stop', flag: 0 }],
    ['moderation where=output', canned, { finish_reason: 'content_filter', flag: 3, ban_round: -1 }],
    [
      'flag value=2]] [[sim:need-clear-history',
      canned,
      { finish_reason: 'content_filter', flag: 2, ban_round: -1, need_clear_history: true },
    ],
  ])('%s', async (fault, content, fields) => {
    const body = await ask(`${SAY} [[sim:${fault}]]`);
    expect(at(body, 'choices', 0)).toEqual({ index: 0, message: { role: 'assistant', content }, ...fields });
  });
});

describe('web search', () => {
  test('results, marks and search tokens only when asked for', async () => {
    const all = await ask('[[sim:say text="Sunny."]] weather', {
      web_search: { enable: true, enable_trace: true, enable_citation: true, search_number: 5, reference_number: 2 },
    });
    expect(message(all)['content']).toBe('Sunny.^[1]^');
    expect(all['search_results']).toEqual(
      [1, 2].map((index) => ({ index, url: expect.stringMatching(/^https:/), title: `weather (${index})` })),
    );
    expect(Number(at(all, 'usage', 'prompt_tokens_details', 'search_tokens'))).toBeGreaterThan(0);
    const off = await ask('[[sim:say text="Sunny."]] weather', { web_search: { enable: false, enable_trace: true } });
    expect([message(off)['content'], 'search_results' in off]).toEqual(['Sunny.', false]);
    expect(at(off, 'usage', 'prompt_tokens_details', 'search_tokens')).toBe(0);
  });
});

describe('JSON', () => {
  test('json_object is JSON; json-prose adds text after it', async () => {
    const format = { response_format: { type: 'json_object' } };
    const plain = String(message(await ask('give me JSON', format))['content']);
    const prose = String(message(await ask('give me JSON [[sim:json-prose]]', format))['content']);
    expect(typeof JSON.parse(plain)).toBe('object');
    expect(() => JSON.parse(prose)).toThrow();
    expect(prose).toMatch(/^\{/);
  });

  test.each([
    ['wrapped', { name: 'x', strict: true, schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } }],
    ['bare', { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }],
  ])('json_schema, %s, is followed', async (_name, schema) => {
    const body = await ask('where?', { response_format: { type: 'json_schema', json_schema: schema } });
    expect(Object.keys(JSON.parse(String(message(body)['content'])) as Json)).toEqual(['city']);
  });
});

test('stop words and max_tokens cut the answer', async () => {
  const stopped = await ask('[[sim:say text="alpha beta gamma"]]', { stop: ['beta'] });
  expect([message(stopped)['content'], at(stopped, 'choices', 0, 'finish_reason')]).toEqual(['alpha ', 'stop']);
  const short = await ask('[[sim:tokens n=50]]', { max_tokens: 7 });
  expect([at(short, 'usage', 'completion_tokens'), at(short, 'choices', 0, 'finish_reason')]).toEqual([7, 'length']);
});

test('a long prompt seen before is reported as cached, in whole blocks', async () => {
  const text = `${'天'.repeat(300)} [[sim:tokens n=3]]`;
  const first = await ask(text);
  const second = await ask(text);
  expect(at(first, 'usage', 'prompt_tokens_details', 'cached_tokens')).toBe(0);
  const cached = Number(at(second, 'usage', 'prompt_tokens_details', 'cached_tokens'));
  expect([cached >= 256, cached % 64]).toEqual([true, 0]);
});
