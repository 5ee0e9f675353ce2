import { describe, expect, test } from 'vitest';
import { type Ask, BOX_TOOL, chatBody, openDesk, saying } from './glm-desk.ts';

const user = { role: 'user', content: 'Hello there' };
const call = { id: 'call_1', type: 'function', function: { name: 'count_boxes', arguments: '{"hall":"B"}' } };
const image = (url: string) => ({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] });
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const tool = (parameters: unknown) => ({ tools: [{ type: 'function', function: { name: 'count_boxes', description: '', parameters } }] });
const search = (inner: object) => ({ tools: [{ type: 'web_search', web_search: { enable: true, ...inner } }] });
const strict = [{ name: 'profile', args: { value: 'strict' } }];
const lenient = [{ name: 'profile', args: { value: 'lenient' } }];
const named = { type: 'function', function: { name: 'count_boxes' } };

type Row = [string, Record<string, unknown>, string | null, Partial<Ask>?];

function check(_: string, difference: Record<string, unknown>, code: string | null, ask: Partial<Ask> = {}): void {
  const told = openDesk().ask({ body: chatBody(difference), ...ask });
  expect([told.status, told.json['error']?.['code'] ?? null], told.text).toEqual([code === null ? 200 : 400, code]);
}

describe('messages', () => {
  test.each<Row>([
    ['missing', { messages: undefined }, '1213'],
    ['empty', { messages: [] }, '1214'],
    ['not a list', { messages: 'hi' }, '1210'],
    ['only system', { messages: [{ role: 'system', content: 'Be kind.' }] }, '1214'],
    ['only assistant', { messages: [{ role: 'assistant', content: 'Hello' }] }, '1214'],
    ['system, then assistant', { messages: [{ role: 'system', content: 'x' }, { role: 'assistant', content: 'y' }, user] }, '1214'],
    ['system, then user', { messages: [{ role: 'system', content: 'x' }, user] }, null],
    ['role developer', { messages: [{ role: 'developer', content: 'x' }, user] }, '1214'],
    ['role function', { messages: [user, { role: 'function', name: 'f', content: 'x' }] }, '1214'],
    ['empty user content', { messages: [{ role: 'user', content: '' }] }, '1213'],
    ['assistant without content and calls', { messages: [user, { role: 'assistant', content: '' }, user] }, '1214'],
    ['assistant null, no calls', { messages: [user, { role: 'assistant', content: null, tool_calls: [] }, user] }, '1214'],
    ['assistant null with calls', { messages: [user, { role: 'assistant', content: null, tool_calls: [call] }, user] }, null],
    ['tool without id', { messages: [user, { role: 'tool', content: '1' }] }, '1213'],
    [
      'tool arguments as object',
      { messages: [user, { role: 'assistant', tool_calls: [{ ...call, function: { name: 'f', arguments: {} } }] }] },
      '1214',
    ],
    ['text parts of a user', { messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }] }, null],
    ['a part of unknown type', { messages: [{ role: 'user', content: [{ type: 'input_text', text: 'hi' }] }] }, '1214'],
    ['an image to a text model', image('https://example.org/a.png'), '1214'],
    ['an image to a vision model', { model: 'glm-4.6v', ...image('https://example.org/a.png') }, null],
    ['an image by data URI', { model: 'glm-4.6v', ...image(`data:image/png;base64,${PNG}`) }, null],
    ['an image by bare base64', { model: 'glm-4.6v', ...image(PNG) }, null],
    ['an image that is no base64', { model: 'glm-4.6v', ...image('data:image/png;base64,@@@@') }, '1210'],
    ['an image at a private address', { model: 'glm-4.6v', ...image('http://192.168.1.7/a.png') }, '1210'],
    ['an image at this machine', { model: 'glm-4.6v', ...image('http://localhost:80/a.png') }, '1210'],
    ['an image at ::1', { model: 'glm-4.6v', ...image('http://[::1]/a.png') }, '1210'],
    ['an image with a data: prefix to an old model', { model: 'glm-4v-plus', ...image(`data:image/png;base64,${PNG}`) }, '1210'],
    ['an image as base64 to an old model', { model: 'glm-4v-plus', ...image(PNG) }, null],
    ['an image as base64 to glm-4v-flash', { model: 'glm-4v-flash', ...image(PNG) }, '1210'],
    [
      'two images to glm-4v-flash',
      {
        model: 'glm-4v-flash',
        messages: [
          { role: 'user', content: [1, 2].map((n) => ({ type: 'image_url', image_url: { url: `https://example.org/${n}.png` } })) },
        ],
      },
      '1214',
    ],
    ['longer than the context', { model: 'glm-4-airx', messages: [{ role: 'user', content: '字'.repeat(8192) }] }, '1261'],
  ])('%s', check);

  test.each([
    ['role', { messages: [user, { role: 'developer', content: 'x' }] }, 'messages[1].role Incorrect role information'],
    [
      'part',
      { messages: [user, { role: 'user', content: [{ type: 'text', text: 'a' }, { type: 'image_url' }] }] },
      'messages[1].content[1].type type error',
    ],
    ['empty', { messages: [user, user, { role: 'assistant' }] }, 'messages[2]:content and tool_calls must not both be empty'],
  ])('1214 names the place: %s', (_, difference, message) => {
    const told = openDesk().ask({ headers: { 'accept-language': 'en-US,en' }, body: chatBody(difference) });
    expect(told.json['error']?.['message']).toBe(message);
  });

  test('list content of tool and assistant messages is accepted and read as empty', () => {
    const turns = (content: unknown) => [
      user,
      { role: 'assistant', content: '', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content },
    ];
    const desk = openDesk();
    const spoken = desk.ask({ body: chatBody({ messages: turns('forty-one boxes') }) });
    const lost = desk.ask({ body: chatBody({ messages: turns([{ type: 'text', text: 'forty-one boxes' }]) }) });
    expect([spoken.status, lost.status]).toEqual([200, 200]);
    expect(spoken.text).toContain('forty-one boxes');
    expect(lost.text).not.toContain('forty-one boxes');
    expect(lost.accounting.promptTokens).toBeLessThan(spoken.accounting.promptTokens);
    const list = [{ role: 'user', content: 'Hi' }, { role: 'assistant', content: [{ type: 'text', text: 'Hello' }] }, user];
    expect(desk.ask({ body: chatBody({ messages: list }) }).status).toBe(200);
  });

  test('past reasoning counts only with clear_thinking false, or on the coding base', () => {
    const messages = [user, { role: 'assistant', content: 'x', reasoning_content: 'one two three four' }, user];
    const tokens = (ask: Partial<Ask>, difference = {}) =>
      openDesk().ask({ ...ask, body: chatBody({ messages, ...difference }) }).accounting.promptTokens;
    const dropped = tokens({});
    const kept = { thinking: { type: 'enabled', clear_thinking: false } };
    expect(tokens({}, kept)).toBeGreaterThan(dropped);
    expect(tokens({ path: '/api/coding/paas/v4/chat/completions' })).toBe(tokens({}, kept));
  });
});

describe('parameters', () => {
  test.each<Row>([
    ['no model', { model: undefined }, '1213'],
    ['unknown model at bigmodel', { model: 'gpt-4o' }, '1211'],
    ['unknown model at z.ai', { model: 'gpt-4o' }, '1214', { region: 'intl' }],
    ['a model z.ai does not have', { model: 'glm-4-plus' }, '1214', { region: 'intl' }],
    ['an embedding model', { model: 'embedding-3' }, '1212'],
    ['temperature 0', { temperature: 0 }, null],
    ['temperature 1', { temperature: 1 }, null],
    ['temperature over 1', { temperature: 1.01 }, '1214'],
    ['temperature below 0', { temperature: -0.1 }, '1214'],
    ['temperature 0, old generation', { model: 'glm-4-plus', temperature: 0 }, '1214'],
    ['temperature 1, old generation', { model: 'glm-4-plus', temperature: 1 }, '1214'],
    ['temperature 0.99, old generation', { model: 'glm-4-plus', temperature: 0.99 }, null],
    ['temperature 1, profile old', { temperature: 1 }, '1214', { faults: [{ name: 'profile', args: { value: 'old' } }] }],
    ['temperature ignored by do_sample false', { temperature: 2, do_sample: false }, null],
    ['temperature with three decimals', { temperature: 0.123 }, null],
    ['temperature with three decimals, strict', { temperature: 0.123 }, '1214', { faults: strict }],
    ['temperature with two decimals, strict', { temperature: 0.29 }, null, { faults: strict }],
    ['top_p 0', { top_p: 0 }, '1214'],
    ['top_p 0.01', { top_p: 0.01 }, null],
    ['top_p 1', { top_p: 1 }, null],
    ['top_p 1, old generation', { model: 'glm-4-flash', top_p: 1 }, '1214'],
    ['max_tokens 0', { max_tokens: 0 }, '1214'],
    ['max_tokens at the cap', { max_tokens: 131_072 }, null],
    ['max_tokens over the cap', { max_tokens: 131_073 }, '1214'],
    ['max_tokens over the cap of 4.5', { model: 'glm-4.5', max_tokens: 98_305 }, '1214'],
    ['max_tokens over the cap of 4-plus', { model: 'glm-4-plus', max_tokens: 4096 }, '1214'],
    ['max_tokens 1.5', { max_tokens: 1.5 }, '1210'],
    ['request_id of 5', { request_id: 'abcde' }, '1214'],
    ['request_id of 65', { request_id: 'a'.repeat(65) }, '1214'],
    ['user_id of 5', { user_id: 'abcde' }, '1214'],
    ['user_id of 128', { user_id: 'a'.repeat(128) }, null],
    ['user_id of 129', { user_id: 'a'.repeat(129) }, '1214'],
    ['stop as text', { stop: 'END' }, '1210'],
    ['one stop word', { stop: ['END'] }, null],
    ['two stop words at bigmodel', { stop: ['a', 'b'] }, '1214'],
    ['four stop words at z.ai', { stop: ['a', 'b', 'c', 'd'] }, null, { region: 'intl' }],
    ['five stop words at z.ai', { stop: ['a', 'b', 'c', 'd', 'e'] }, '1214', { region: 'intl' }],
    ['two stop words, old generation at z.ai', { model: 'glm-4-32b-0414-128k', stop: ['a', 'b'] }, '1214', { region: 'intl' }],
    ['response_format text', { response_format: { type: 'text' } }, null],
    ['response_format json_object', { response_format: { type: 'json_object' } }, null],
    ['response_format json_object on vision', { model: 'glm-4.6v', response_format: { type: 'json_object' } }, '1214'],
    ['response_format json_schema', { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {} } } }, '1214'],
    ['metadata', { metadata: { a: 'b' } }, '1210'],
    ['a field nobody knows', { temprature: 1 }, '1210'],
    ['null in a typed field', { max_tokens: null }, '1210'],
    ['null tools', { tools: null }, '1210'],
    ['null tool_choice', { tool_choice: null }, '1210'],
    ['text in a number field', { temperature: '0.5' }, '1210'],
    ['n and penalties', { n: 2, presence_penalty: 1, logprobs: true, stream_options: { include_usage: true } }, null],
    ['n, strict', { n: 1 }, '1210', { faults: strict }],
    ['seed', { seed: 7 }, null],
  ])('%s', check);

  test('a request_id serves once', () => {
    const desk = openDesk();
    const body = chatBody({ request_id: 'relay-000001' });
    expect(desk.ask({ body }).json['request_id']).toBe('relay-000001');
    expect(desk.ask({ body }).json['error']?.['code']).toBe('1231');
  });
});

describe('thinking', () => {
  test.each<Row>([
    ['disabled', { thinking: { type: 'disabled' } }, null],
    ['of unknown type', { thinking: { type: 'auto' } }, '1214'],
    ['null', { thinking: null }, '1210'],
    ['disabled on glm-5.3', { model: 'glm-5.3', thinking: { type: 'disabled' } }, '1210'],
    ['disabled on glm-5.3-flash', { model: 'glm-5.3-flash', thinking: { type: 'disabled' } }, '1210'],
    ...['low', 'high', 'max'].map((effort): Row => [`${effort} on glm-5.3`, { model: 'glm-5.3', reasoning_effort: effort }, null]),
    ...['none', 'minimal', 'medium', 'xhigh'].map(
      (effort): Row => [`${effort} on 5.3`, { model: 'glm-5.3', reasoning_effort: effort }, '1210'],
    ),
    ['medium on glm-5.2', { model: 'glm-5.2', reasoning_effort: 'medium' }, null],
    ['an effort nobody knows', { reasoning_effort: 'huge' }, '1214'],
  ])('%s', check);

  test.each([
    ['glm-4.7', {}, true],
    ['glm-4.7', { thinking: { type: 'disabled' } }, false],
    ['glm-5.2', { reasoning_effort: 'none' }, false],
    ['glm-5.2', { reasoning_effort: 'minimal' }, false],
    ['glm-5.2', { reasoning_effort: 'low' }, true],
    ['glm-4.7', { reasoning_effort: 'none' }, true],
    ['glm-4.1v-thinking-flash', { thinking: { type: 'disabled' } }, true],
    ['glm-4-plus', {}, false],
    ['glm-4-plus', { thinking: { type: 'enabled' } }, false],
  ])('%s with %j', (model, difference, thinks) => {
    const told = openDesk().ask({ body: chatBody({ model, ...difference }) });
    expect(told.accounting.reasoningTokens > 0).toBe(thinks);
    expect('reasoning_content' in told.json['choices']!['0']!['message']!).toBe(thinks);
  });

  test('glm-z1 prints its thoughts inside the content', () => {
    const message = openDesk().ask({ body: chatBody({ model: 'glm-z1-flash' }) }).json['choices']!['0']!['message']!;
    expect(message['content']).toMatch(/^<think>\n[\s\S]+\n<\/think>\n\n\S/);
    expect(message).not.toHaveProperty('reasoning_content');
  });

  test('glm-5.3 thinks more at max than at low', () => {
    const tokens = (effort: string) =>
      openDesk().ask({ body: saying('why', { model: 'glm-5.3', reasoning_effort: effort }) }).accounting.reasoningTokens;
    expect(tokens('max')).toBeGreaterThan(tokens('low'));
  });
});

describe('tools', () => {
  test.each<Row>([
    ['a function', { tools: [BOX_TOOL] }, null],
    ['128 functions', { tools: Array(128).fill(BOX_TOOL) }, null],
    ['129 functions', { tools: Array(129).fill(BOX_TOOL) }, '1214'],
    ['an unknown type', { tools: [{ type: 'custom', custom: {} }] }, '1214'],
    ['code_interpreter', { tools: [{ type: 'code_interpreter', code_interpreter: {} }] }, '1214'],
    ['mcp at bigmodel', { tools: [{ type: 'mcp', mcp: { server_label: 'x' } }] }, null],
    ['mcp at z.ai', { tools: [{ type: 'mcp', mcp: { server_label: 'x' } }] }, '1214', { region: 'intl' }],
    ['functions on glm-4.6v', { model: 'glm-4.6v', tools: [BOX_TOOL] }, null],
    ['functions on glm-4.5v', { model: 'glm-4.5v', tools: [BOX_TOOL] }, '1214'],
    ['web_search on glm-4.6v', { model: 'glm-4.6v', ...search({ search_engine: 'search_pro' }) }, '1214'],
    ['a dotted name', { tools: [{ type: 'function', function: { name: 'a.b', parameters: {} } }] }, '1214'],
    ['no function object', { tools: [{ type: 'function' }] }, '1213'],
    ['no parameters', { tools: [{ type: 'function', function: { name: 'ping' } }] }, null],
    ['no parameters, strict', { tools: [{ type: 'function', function: { name: 'ping', description: '' } }] }, '1213', { faults: strict }],
    ['items as a list', tool({ type: 'object', properties: { a: { type: 'array', items: [{ type: 'string' }] } } }), '1210'],
    ['prefixItems', tool({ type: 'object', properties: { a: { type: 'array', prefixItems: [] } } }), '1210'],
    ['additionalItems deep down', tool({ $defs: { x: { anyOf: [{ additionalItems: false }] } } }), '1210'],
    ['a property called prefixItems', tool({ type: 'object', properties: { prefixItems: { type: 'string' } } }), null],
    ['an enum that looks like a tuple', tool({ type: 'object', properties: { a: { enum: [{ items: [1] }] } } }), null],
    ['web_search without engine', search({}), '1213'],
    ['web_search with the other region’s engine', search({ search_engine: 'search_pro_jina' }), '1214'],
    ['web_search with 51 results', search({ search_engine: 'search_pro', count: 51 }), '1214'],
    ['retrieval', { tools: [{ type: 'retrieval', retrieval: { knowledge_id: '1' } }] }, null],
    ['choice auto', { tools: [BOX_TOOL], tool_choice: 'auto' }, null],
    ['choice named', { tools: [BOX_TOOL], tool_choice: named }, null],
    ['choice required', { tools: [BOX_TOOL], tool_choice: 'required' }, null],
    ['choice of a missing tool', { tools: [BOX_TOOL], tool_choice: { type: 'function', function: { name: 'other' } } }, '1214'],
    ['choice nonsense', { tool_choice: 'perhaps' }, '1214'],
    ['choice named, strict', { tools: [BOX_TOOL], tool_choice: named }, '1210', { faults: strict }],
    ['choice required on glm-5.3', { model: 'glm-5.3', tools: [BOX_TOOL], tool_choice: 'required' }, '1210'],
    ['choice none on glm-5.3-flash', { model: 'glm-5.3-flash', tools: [BOX_TOOL], tool_choice: 'none' }, '1210'],
    ['choice named on glm-5.3, lenient', { model: 'glm-5.3', tools: [BOX_TOOL], tool_choice: named }, null, { faults: lenient }],
    ['choice auto on glm-5.3', { model: 'glm-5.3', tools: [BOX_TOOL], tool_choice: 'auto' }, null],
  ])('%s', check);

  test('the strict refusal says that tool choice must be auto', () => {
    const told = openDesk().ask({ body: chatBody({ model: 'glm-5.3', tools: [BOX_TOOL], tool_choice: named }) });
    expect(told.json['error']?.['message']).toBe('Tool choice must be auto');
  });

  test('a named function is called', () => {
    const told = openDesk().ask({ body: chatBody({ tools: [BOX_TOOL], tool_choice: named }) });
    expect(told.json['choices']!['0']).toMatchObject({
      finish_reason: 'tool_calls',
      message: { tool_calls: [{ function: { name: 'count_boxes' } }] },
    });
  });
});
