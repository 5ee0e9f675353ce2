import { describe, expect, test } from 'vitest';
import { requestFields } from '../../contract/openai-schema.ts';
import { ask, HI, refusal, type Situation } from './ask.ts';

const ALWAYS = { model: 'glm-4.6', messages: HI, stream: false, request_id: 'req_0123456789abcdef' };
const OLD: Situation = { model: 'glm-4-plus' };
const tool = (name: string, parameters: Record<string, unknown> = { type: 'object', properties: {} }) => ({
  type: 'function',
  function: { name, description: `About ${name}`, parameters },
});
const TOOLS = [tool('look'), tool('jump')];

/** [what, request, body beside ALWAYS, changes, situation] */
const FIELDS: [string, Record<string, unknown>, Record<string, unknown>, string[], Situation?][] = [
  ['nothing', {}, {}, []],
  ['stream', { stream: true }, { stream: true }, []],
  ['stream_options', { stream: true, stream_options: { include_usage: true } }, { stream: true }, []],
  ['max_tokens', { max_tokens: 5 }, { max_tokens: 5 }, []],
  ['max_tokens at the cap', { max_tokens: 131_072 }, { max_tokens: 131_072 }, []],
  ['max_tokens over the cap', { max_tokens: 131_073 }, { max_tokens: 131_072 }, ['max_tokens=clamped']],
  ['max_completion_tokens', { max_completion_tokens: 9 }, { max_tokens: 9 }, ['max_completion_tokens=renamed']],
  [
    'both limits',
    { max_tokens: 5, max_completion_tokens: 200_000 },
    { max_tokens: 131_072 },
    ['max_tokens=dropped', 'max_completion_tokens=clamped', 'max_completion_tokens=renamed'],
  ],
  ['the cap of glm-4', { max_tokens: 8000 }, { model: 'glm-4-plus', max_tokens: 4095 }, ['max_tokens=clamped'], OLD],
  ['the cap of the catalogue', { max_tokens: 8000 }, { max_tokens: 77 }, ['max_tokens=clamped'], { known: { maxOutputTokens: 77 } }],
  ['temperature 0', { temperature: 0 }, { do_sample: false }, ['temperature=renamed']],
  ['temperature 0.7', { temperature: 0.7 }, { temperature: 0.7 }, []],
  ['temperature 1', { temperature: 1 }, { temperature: 1 }, []],
  ['temperature above', { temperature: 1.3 }, { temperature: 1 }, ['temperature=clamped!']],
  ['temperature with many decimals', { temperature: 0.8999999 }, { temperature: 0.9 }, ['temperature=clamped']],
  ['temperature just above 0', { temperature: 0.001 }, { temperature: 0.01 }, ['temperature=clamped!']],
  ['temperature 0 of glm-4', { temperature: 0 }, { model: 'glm-4-plus', do_sample: false }, ['temperature=renamed'], OLD],
  ['temperature 1 of glm-4', { temperature: 1 }, { model: 'glm-4-plus', temperature: 0.99 }, ['temperature=clamped!'], OLD],
  ['temperature 0.994 of glm-4', { temperature: 0.994 }, { model: 'glm-4-plus', temperature: 0.99 }, ['temperature=clamped!'], OLD],
  ['top_p 0', { top_p: 0 }, { top_p: 0.01 }, ['top_p=clamped!']],
  ['top_p 1', { top_p: 1 }, { top_p: 1 }, []],
  ['top_p 1 of glm-4', { top_p: 1 }, { model: 'glm-4-plus', top_p: 0.99 }, ['top_p=clamped!'], OLD],
  ['top_p 1 of glm-3', { top_p: 1 }, { model: 'glm-3-turbo', top_p: 0.99 }, ['top_p=clamped!'], { model: 'glm-3-turbo' }],
  ['top_p with many decimals', { top_p: 0.123456 }, { top_p: 0.12 }, ['top_p=clamped']],
  ['do_sample', { do_sample: false, temperature: 0.5 }, { do_sample: false, temperature: 0.5 }, []],
  [
    'do_sample against temperature 0',
    { do_sample: true, temperature: 0 },
    { do_sample: true, temperature: 0.01 },
    ['temperature=clamped!'],
  ],
  ['penalties of 0', { presence_penalty: 0, frequency_penalty: 0 }, {}, ['presence_penalty=dropped', 'frequency_penalty=dropped']],
  ['penalties', { presence_penalty: 1, frequency_penalty: -1 }, {}, ['presence_penalty=dropped!', 'frequency_penalty=dropped!']],
  ['empty logit_bias', { logit_bias: {} }, {}, ['logit_bias=dropped']],
  ['logit_bias', { logit_bias: { '1': 5 } }, {}, ['logit_bias=dropped!']],
  ['logprobs false', { logprobs: false }, {}, ['logprobs=dropped']],
  ['n 1', { n: 1 }, {}, ['n=dropped']],
  ['n 3', { n: 3 }, {}, ['n=emulated']],
  ['stop as a string', { stop: 'END' }, { stop: ['END'] }, ['stop=renamed']],
  ['stop as a list of one', { stop: ['END'] }, { stop: ['END'] }, []],
  ['stop of two', { stop: ['A', 'B'] }, { stop: ['A'] }, ['stop=emulated']],
  ['empty stop', { stop: '' }, {}, ['stop=dropped']],
  ['seed', { seed: 7 }, {}, ['seed=dropped!']],
  ['text format', { response_format: { type: 'text' } }, {}, ['response_format=dropped']],
  ['json_object', { response_format: { type: 'json_object' } }, { response_format: { type: 'json_object' } }, []],
  ['parallel_tool_calls without tools', { parallel_tool_calls: false }, {}, ['parallel_tool_calls=dropped']],
  ['tool_choice without tools', { tool_choice: 'none' }, {}, ['tool_choice=dropped']],
  ['an empty list of tools', { tools: [] }, {}, ['tools=dropped']],
  ['verbosity medium', { verbosity: 'medium' }, {}, ['verbosity=dropped']],
  ['verbosity low', { verbosity: 'low' }, {}, ['verbosity=dropped!']],
  ['text modality', { modalities: ['text'] }, {}, ['modalities=dropped']],
  ['prediction', { prediction: { type: 'content', content: 'x' } }, {}, ['prediction=dropped']],
  ['web search', { web_search_options: {} }, {}, ['web_search_options=dropped!']],
  ['service_tier', { service_tier: 'auto' }, {}, ['service_tier=dropped']],
  ['store', { store: true }, {}, ['store=dropped']],
  ['metadata', { metadata: { a: 'b' } }, {}, ['metadata=dropped']],
  ['prompt_cache_key', { prompt_cache_key: 'k' }, {}, ['prompt_cache_key=dropped']],
  ['prompt_cache_options', { prompt_cache_options: {} }, {}, ['prompt_cache_options=dropped']],
  ['prompt_cache_retention', { prompt_cache_retention: '24h' }, {}, ['prompt_cache_retention=dropped']],
  ['moderation', { moderation: {} }, {}, ['moderation=dropped!']],
  ['user', { user: 'user-1' }, { user_id: 'user-1' }, ['user=renamed']],
  ['safety_identifier', { safety_identifier: 'x'.repeat(128) }, { user_id: 'x'.repeat(128) }, ['safety_identifier=renamed']],
  ['both ids', { user: 'user-1', safety_identifier: 'safe-1' }, { user_id: 'safe-1' }, ['user=dropped', 'safety_identifier=renamed']],
  ['empty user', { user: '' }, {}, ['user=dropped']],
  ['unknown field', { top_k: 5 }, {}, ['top_k=dropped!']],
  ['request_id of the caller', { request_id: 'mine-123' }, {}, ['request_id=dropped!']],
];

test.each(FIELDS)('%s', (_what, request, body, changes, situation) => {
  const asked = ask(request, situation);
  expect(asked.path).toBe('/chat/completions');
  expect(asked.body).toEqual({ ...ALWAYS, ...body });
  expect(asked.changes).toEqual(changes);
  expect(asked.stream).toBe(request['stream'] === true);
});

test('emulations of n and stop', () => {
  expect(ask({ n: 3 }).emulation.choices).toBe(3);
  expect(ask({ stop: ['A', 'B'] }).emulation.stop).toEqual(['A', 'B']);
  expect(ask({ stop: ['A'] }).emulation.stop).toBeUndefined();
});

describe('ids within the vendor’s bounds', () => {
  test.each(['a', 'short', 'x'.repeat(129), '😀😀😀', 'é'.repeat(100_000)])('%.20s', (user) => {
    const { body, changes } = ask({ user });
    expect(body['user_id']).toMatch(/^u_[0-9a-f]{32}$/);
    expect(ask({ user }).body['user_id']).toBe(body['user_id']);
    expect(ask({ user: `${user}.` }).body['user_id']).not.toBe(body['user_id']);
    expect(changes).toEqual(['user=renamed']);
  });
  test('digests of 20,000 ids differ', () => {
    const ids = Array.from(
      { length: 20_000 },
      (_, index) => ask({ user: `u${index}`.slice(0, 5).padStart(5, '·') + '#'.repeat(200) + index }).body['user_id'],
    );
    expect(new Set(ids).size).toBe(20_000);
  });
  test('request_id', () => {
    expect(ask({}, { requestId: 'r'.repeat(64) }).body['request_id']).toBe('r'.repeat(64));
    expect(ask({}, { requestId: 'r'.repeat(65) }).body['request_id']).toMatch(/^u_[0-9a-f]{32}$/);
  });
});

describe('refused by name', () => {
  const part = (content: unknown) => ({ messages: [{ role: 'user', content: [{ type: 'text', text: 'See' }, content] }] });
  const image = (url: string) => ({ type: 'image_url', image_url: { url } });
  const tuple = tool('look', { type: 'object', properties: { at: { type: 'array', items: [{ type: 'number' }] } } });
  const rows: [string, Record<string, unknown>, string, string, Situation?][] = [
    ['logprobs', { logprobs: true }, 'logprobs', 'unsupported_parameter'],
    ['audio answers', { modalities: ['text', 'audio'] }, 'modalities', 'unsupported_parameter'],
    ['audio', { audio: { voice: 'a' } }, 'audio', 'unsupported_parameter'],
    ['custom tools', { tools: [{ type: 'custom', custom: { name: 'x' } }] }, 'tools[0].type', 'unsupported_value'],
    ['tools on a vision model without them', { tools: TOOLS }, 'tools', 'unsupported_parameter', { model: 'glm-4.5v' }],
    ['functions on such a model', { functions: [{ name: 'look' }] }, 'functions', 'unsupported_parameter', { model: 'glm-z1-flash' }],
    ['129 tools', { tools: Array.from({ length: 129 }, (_, index) => tool(`t${index}`)) }, 'tools', 'unsupported_value'],
    ['a tuple schema', { tools: [tool('jump'), tuple] }, 'tools[1].function.parameters', 'unsupported_value'],
    ['a tuple schema in functions', { functions: [tuple.function] }, 'functions[0].parameters', 'unsupported_value'],
    ['a picture on a text model', part(image('https://a.example/b.png')), 'messages[0].content[1]', 'unsupported_value'],
    [
      'base64 on glm-4v-flash',
      part(image('data:image/png;base64,AAAA')),
      'messages[0].content[1].image_url.url',
      'unsupported_value',
      { model: 'glm-4v-flash' },
    ],
    [
      'a picture that is not base64 on glm-4v',
      part(image('data:image/svg+xml,<svg/>')),
      'messages[0].content[1].image_url.url',
      'unsupported_value',
      { model: 'glm-4v' },
    ],
    [
      'two pictures on glm-4v-flash',
      { messages: [{ role: 'user', content: [image('https://a.example/1.png'), image('https://a.example/2.png')] }] },
      'messages',
      'unsupported_value',
      { model: 'glm-4v-flash' },
    ],
    ['sound', part({ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }), 'messages[0].content[1]', 'unsupported_value'],
    [
      'a file at bigmodel',
      part({ type: 'file', file: { file_id: 'f' } }),
      'messages[0].content[1]',
      'unsupported_value',
      { model: 'glm-4.6v' },
    ],
    ['thinking that is no object', { thinking: 'on' }, 'thinking', 'unsupported_value'],
    ['an unknown type of thinking', { thinking: { type: 'adaptive' } }, 'thinking.type', 'unsupported_value'],
    ['clear_thinking that is no boolean', { clear_thinking: 1 }, 'clear_thinking', 'unsupported_value'],
    ['do_sample that is no boolean', { do_sample: 'no' }, 'do_sample', 'unsupported_value'],
    ['tool_stream that is no boolean', { tool_stream: 1 }, 'tool_stream', 'unsupported_value'],
  ];
  test.each(rows)('%s', (_what, request, param, kind, situation) => {
    const error = refusal(request, situation);
    expect([error.status, error.details.param, error.kind, error.details.fallback]).toEqual([400, param, kind, true]);
    expect(error.message.length).toBeGreaterThan(20);
  });
  test('a tuple schema of a function that is not sent is nobody’s business', () => {
    const choice = { type: 'function', function: { name: 'jump' } };
    expect(ask({ tools: [tuple, tool('jump')], tool_choice: choice }).body['tools']).toHaveLength(1);
    expect(ask({ tools: [tuple], tool_choice: 'none' }).body['tools']).toBeUndefined();
  });
  test.each([
    ['prefixItems', { type: 'array', prefixItems: [{ type: 'string' }] }],
    ['additionalItems', { type: 'array', items: { type: 'string' }, additionalItems: false }],
    ['inside anyOf', { anyOf: [{ type: 'array', items: [{}] }] }],
  ])('tuple form %s', (_what, schema) => {
    expect(refusal({ tools: [tool('look', { type: 'object', properties: { at: schema } })] }).message).toContain('properties.at');
  });
  test('properties and defaults that only sound like tuples are carried', () => {
    const parameters = {
      type: 'object',
      properties: { prefixItems: { type: 'string' }, items: { type: 'array', items: { type: 'string' }, default: { items: [1] } } },
    };
    expect(ask({ tools: [tool('look', parameters)] }).body['tools']).toEqual([tool('look', parameters)]);
  });
});

describe('tools', () => {
  const named = { type: 'function', function: { name: 'jump' } };
  const allowed = { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [named] } };
  test.each([
    ['absent', {}, { tools: TOOLS }, {}, []],
    ['auto', { tool_choice: 'auto' }, { tools: TOOLS, tool_choice: 'auto' }, {}, []],
    ['none', { tool_choice: 'none' }, {}, { noCalls: true }, ['tool_choice=emulated']],
    [
      'required',
      { tool_choice: 'required' },
      { tools: TOOLS, tool_choice: 'auto' },
      { mustCall: { name: null } },
      ['tool_choice=emulated!'],
    ],
    [
      'named',
      { tool_choice: named },
      { tools: [TOOLS[1]], tool_choice: 'auto' },
      { mustCall: { name: 'jump' } },
      ['tool_choice=emulated!'],
    ],
    ['allowed', { tool_choice: allowed }, { tools: [TOOLS[1]], tool_choice: 'auto' }, {}, ['tool_choice=emulated']],
    ['parallel', { parallel_tool_calls: true }, { tools: TOOLS }, {}, ['parallel_tool_calls=dropped']],
    ['one at a time', { parallel_tool_calls: false }, { tools: TOOLS }, { firstCallOnly: true }, ['parallel_tool_calls=emulated!']],
  ])('tool_choice %s', (_what, request, body, emulation, changes) => {
    const asked = ask({ tools: TOOLS, ...request });
    const { messages, ...rest } = asked.body;
    const { messages: _, ...always } = ALWAYS;
    expect(rest).toEqual({ ...always, ...body });
    expect(asked.emulation).toEqual(emulation);
    expect(asked.changes).toEqual(changes);
    const forced = 'mustCall' in emulation;
    expect(messages).toEqual(forced ? [{ role: 'system', content: expect.stringContaining('must call') }, ...HI] : HI);
  });
  test('missing description and parameters are filled, strict is dropped', () => {
    const { body, changes } = ask({ tools: [{ type: 'function', function: { name: 'look', strict: true } }] });
    expect(body['tools']).toEqual([
      { type: 'function', function: { name: 'look', description: 'look', parameters: { type: 'object', properties: {} } } },
    ]);
    expect(changes).toEqual(['tools=dropped!', 'tools=defaulted']);
  });
  test('the deprecated form', () => {
    const asked = ask({ functions: [TOOLS[0]?.function], function_call: 'auto' });
    expect(asked.body).toEqual({ ...ALWAYS, tools: [TOOLS[0]], tool_choice: 'auto' });
    expect(asked.emulation).toEqual({ firstCallOnly: true });
    expect(asked.changes).toEqual(['functions=renamed', 'function_call=renamed']);
    expect(ask({ functions: [TOOLS[0]?.function], function_call: { name: 'look' } }).emulation.mustCall).toEqual({ name: 'look' });
  });
  test.each([
    ['glm-5.3', true],
    ['glm-5.3-flash', true],
    ['glm-5.2', true],
    ['glm-5.1', true],
    ['glm-5', true],
    ['glm-5-turbo', true],
    ['glm-4.7', true],
    ['glm-4.7-flashx', true],
    ['glm-4.6', true],
    ['glm-5-code', undefined],
    ['glm-5v-turbo', undefined],
    ['glm-4.6v', undefined],
    ['glm-4.5', undefined],
    ['glm-4-plus', undefined],
  ])('tool_stream of %s: %s', (model, sent) => {
    expect(ask({ tools: TOOLS, stream: true }, { model }).body['tool_stream']).toBe(sent);
    expect(ask({ tools: TOOLS }, { model }).body['tool_stream']).toBeUndefined();
    expect(ask({ stream: true }, { model }).body['tool_stream']).toBeUndefined();
    expect(ask({ tools: TOOLS, stream: true, tool_choice: 'none' }, { model }).body['tool_stream']).toBeUndefined();
  });
  test('tool_stream is the caller’s if sent', () => {
    expect(ask({ tools: TOOLS, stream: true }).changes).toEqual(['tool_stream=defaulted']);
    expect(ask({ tools: TOOLS, stream: true, tool_stream: false })).toMatchObject({ body: { tool_stream: false }, changes: [] });
    expect(ask({ stream: true, tool_stream: true }).changes).toEqual(['tool_stream=dropped']);
  });
});

describe('JSON modes', () => {
  const schema = { type: 'object', properties: { a: { type: 'string' } } };
  const format = { type: 'json_schema', json_schema: { name: 'answer', schema } };
  test('json_schema on a text model', () => {
    const asked = ask({ response_format: format });
    expect(asked.body['response_format']).toEqual({ type: 'json_object' });
    expect(asked.emulation).toEqual({ json: { schema } });
    expect(JSON.stringify(asked.body['messages'])).toContain('JSON schema');
    expect(asked.changes).toEqual(['response_format=emulated!']);
  });
  test.each(['glm-4.6v', 'glm-5.3-flash', 'glm-4.5v', 'glm-4v-plus'])('no JSON mode on vision model %s', (model) => {
    for (const response_format of [format, { type: 'json_object' }]) {
      const asked = ask({ response_format }, { model });
      expect(asked.body['response_format']).toBeUndefined();
      expect(asked.emulation.json).toEqual({ schema: response_format === format ? schema : null });
      expect(asked.changes).toEqual(['response_format=emulated!']);
      expect(asked.body['messages']).toMatchObject([{ role: 'system', content: expect.stringContaining('JSON') }, ...HI]);
    }
  });
  test('the catalogue’s word on a vision model does not outweigh the documents', () => {
    expect(
      ask({ response_format: { type: 'json_object' } }, { model: 'glm-5.3-flash', known: { jsonObject: true } }).body['response_format'],
    ).toBeUndefined();
  });
});

test('every field that OpenAI documents has a rule', () => {
  const ruled = requestFields().filter((field) => {
    const value = field === 'messages' ? HI : field === 'stop' ? ['x'] : field === 'tools' || field === 'functions' ? [] : undefined;
    if (value !== undefined) return true;
    try {
      return !ask({ [field]: {} }).receipt.some((change) => change.field === field && change.reason.startsWith('neither OpenAI'));
    } catch {
      return true; // Refused, or read: both are rules.
    }
  });
  expect(ruled).toEqual(requestFields());
});

test.each([
  ['temperature', { temperature: 1.5 }],
  ['seed', { seed: 1 }],
  ['presence_penalty', { presence_penalty: 0.5 }],
  ['logit_bias', { logit_bias: { '1': 1 } }],
  ['verbosity', { verbosity: 'high' }],
  ['tool_choice', { tools: TOOLS, tool_choice: 'required' }],
  ['parallel_tool_calls', { tools: TOOLS, parallel_tool_calls: false }],
  ['response_format', { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {} } } }],
  ['nonsense', { nonsense: 1 }],
])('a strict key gets a 400 instead of a changed %s', (field, request) => {
  const error = refusal(request, { strict: true });
  expect([error.status, error.details.param]).toEqual([400, field]);
  expect(ask(request).changes.some((change) => change.startsWith(field))).toBe(true);
});
