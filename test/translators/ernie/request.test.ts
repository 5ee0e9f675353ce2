import { describe, expect, test } from 'vitest';
import { OpenAIError } from '../../../openai/errors.ts';
import { requestFields } from '../../contract/openai-schema.ts';
import { HELLO, plan, type Wish } from './plan.ts';

const tool = (name: string, rest: Record<string, unknown> = {}) => ({ type: 'function', function: { name, ...rest } });
const TIDE = tool('tide', { description: 'Tells the tide.', parameters: { type: 'object', properties: { port: { type: 'string' } } } });
const TOOLS = { tools: [TIDE] };
const SCHEMA = { type: 'object', properties: { port: { type: 'string' } }, required: ['port'] };
const JSON_SCHEMA = { type: 'json_schema', json_schema: { name: 'answer', schema: SCHEMA, strict: true } };
const X1: Wish = { model: 'ernie-x1.1' };
const FIVE: Wish = { model: 'ernie-5.1' };
const KIMI: Wish = { model: 'kimi-k2.5' };
const GUEST: Wish = { model: 'qwen3-32b' };
const LONG = 'x'.repeat(65);

/** Name, request, what the body must hold (undefined = must not), what the receipt says, and for which model. */
type Row = [string, Record<string, unknown>, Record<string, unknown>, readonly string[], Wish?];

const thinksOff = ['enable_thinking=defaulted'];

const ROWS: Row[] = [
  ['nothing', {}, { model: 'ernie-4.5-turbo-128k', messages: HELLO, stream: false, stream_options: undefined }, []],
  ['stream', { stream: true }, { stream: true, stream_options: { include_usage: true } }, ['stream_options=defaulted']],
  [
    'stream options',
    { stream: true, stream_options: { include_usage: false, include_obfuscation: true } },
    { stream_options: { include_usage: true } },
    ['stream_options=defaulted', 'stream_options.include_obfuscation=dropped'],
  ],
  ['stream with usage', { stream: true, stream_options: { include_usage: true } }, { stream_options: { include_usage: true } }, []],
  ['ERNIE ids in lower case', {}, { model: 'ernie-4.5-turbo-128k' }, [], { model: 'ERNIE-4.5-Turbo-128K' }],
  ['other ids as typed', {}, { model: 'Kimi-K2.5' }, ['thinking=defaulted'], { model: 'Kimi-K2.5' }],

  ['max_tokens', { max_tokens: 100 }, { max_tokens: 100, max_completion_tokens: undefined }, []],
  ['max_tokens 1', { max_tokens: 1 }, { max_tokens: 2 }, ['max_tokens=clamped!']],
  ['max_tokens 1, of 5.x', { max_tokens: 1 }, { max_completion_tokens: 1 }, ['max_tokens=renamed', 'stream=emulated'], FIVE],
  ['max_tokens 1, of a guest', { max_tokens: 1 }, { max_tokens: 1 }, thinksOff, GUEST],
  ['max_tokens above the most', { max_tokens: 99_999 }, { max_tokens: 12_288 }, ['max_tokens=clamped']],
  ['max_completion_tokens', { max_completion_tokens: 7 }, { max_completion_tokens: 7, max_tokens: undefined }, []],
  ['max_completion_tokens 1', { max_completion_tokens: 1 }, { max_completion_tokens: 2 }, ['max_completion_tokens=clamped!']],
  [
    'both token limits',
    { max_tokens: 5, max_completion_tokens: 9 },
    { max_completion_tokens: 9, max_tokens: undefined },
    ['max_tokens=dropped'],
  ],
  [
    'max_tokens while thinking',
    { max_tokens: 50 },
    { max_completion_tokens: 50, max_tokens: undefined },
    ['max_tokens=renamed', 'stream=emulated'],
    X1,
  ],

  ['temperature', { temperature: 0.7 }, { temperature: 0.7 }, []],
  ['temperature 1', { temperature: 1 }, { temperature: 1 }, []],
  ['temperature 0', { temperature: 0 }, { temperature: 0.01 }, ['temperature=clamped!']],
  ['temperature 1.5', { temperature: 1.5 }, { temperature: 1 }, ['temperature=clamped!']],
  ['temperature 1.5, of a guest', { temperature: 1.5 }, { temperature: 1.5 }, thinksOff, GUEST],
  ['temperature, fixed', { temperature: 0.5 }, { temperature: undefined }, ['temperature=dropped!', 'thinking=defaulted'], KIMI],
  ['temperature, fixed and usual', { temperature: 1 }, { temperature: undefined }, ['temperature=dropped', 'thinking=defaulted'], KIMI],
  ['top_p', { top_p: 0.5 }, { top_p: 0.5 }, []],
  ['top_p 0', { top_p: 0 }, { top_p: 0.01 }, ['top_p=clamped!']],
  ['top_p 1', { top_p: 1 }, { top_p: 1 }, []],
  [
    'penalties',
    { frequency_penalty: -2, presence_penalty: 2 },
    { frequency_penalty: -2, presence_penalty: 2, penalty_score: undefined },
    [],
  ],
  ['penalties of 0', { frequency_penalty: 0, presence_penalty: 0 }, { frequency_penalty: 0, presence_penalty: 0 }, []],
  [
    'penalty, fixed',
    { frequency_penalty: 1 },
    { frequency_penalty: undefined },
    ['frequency_penalty=dropped!', 'thinking=defaulted'],
    KIMI,
  ],

  ['seed', { seed: 42 }, { seed: 42 }, []],
  ['smallest seed', { seed: 1 }, { seed: 1 }, []],
  ['largest seed', { seed: 2147483646 }, { seed: 2147483646 }, []],
  ['seed 0', { seed: 0 }, { seed: 1 }, ['seed=clamped']],
  ['negative seed', { seed: -5 }, { seed: 6 }, ['seed=clamped']],
  ['seed too large', { seed: 2147483647 }, { seed: 3 }, ['seed=clamped']],
  ['seed of X1', { seed: 42 }, { seed: undefined }, ['seed=dropped!', 'stream=emulated'], X1],
  ['seed of Qwen2.5', { seed: 42 }, { seed: undefined }, ['seed=dropped!'], { model: 'qwen2.5-7b-instruct' }],

  ['stop word', { stop: '###' }, { stop: ['###'] }, ['stop=renamed']],
  ['stop words', { stop: ['a', 'b', 'c', 'd'] }, { stop: ['a', 'b', 'c', 'd'] }, []],
  ['stop word of 20', { stop: ['x'.repeat(20)] }, { stop: ['x'.repeat(20)] }, []],
  ['stop word of 21', { stop: ['a', 'x'.repeat(21)] }, { stop: undefined }, ['stop=emulated']],
  ['empty stop word', { stop: '' }, { stop: undefined }, ['stop=dropped']],
  ['stop word of X1', { stop: ['a'] }, { stop: undefined }, ['stop=emulated', 'stream=emulated'], X1],
  ['stop word of R1', { stop: ['a'] }, { stop: undefined }, ['stop=emulated', 'stream=emulated'], { model: 'deepseek-r1' }],

  ['n 1', { n: 1 }, { n: undefined }, ['n=dropped']],
  ['n 3', { n: 3 }, { n: undefined }, ['n=emulated']],

  ['user', { user: 'u-1042' }, { user: 'u-1042' }, []],
  ['user of 64', { user: 'x'.repeat(64) }, { user: 'x'.repeat(64) }, []],
  ['user of 65', { user: LONG }, { user: expect.stringMatching(/^u_[0-9a-f]{32}$/) }, ['user=clamped']],
  ['empty user', { user: '', safety_identifier: 's' }, { user: 's' }, ['user=dropped', 'safety_identifier=renamed']],
  ['safety_identifier', { safety_identifier: 's-1' }, { user: 's-1', safety_identifier: undefined }, ['safety_identifier=renamed']],
  ['user wins', { safety_identifier: 's-1', user: 'u-1' }, { user: 'u-1' }, ['safety_identifier=dropped']],
  ['metadata', { metadata: { a: 'b' } }, { metadata: undefined }, ['metadata=dropped']],

  ['response_format text', { response_format: { type: 'text' } }, { response_format: undefined }, ['response_format=dropped']],
  ['json_object', { response_format: { type: 'json_object' } }, { response_format: { type: 'json_object' } }, []],
  [
    'json_object of X1',
    { response_format: { type: 'json_object' } },
    { response_format: undefined },
    ['response_format=emulated!', 'stream=emulated'],
    X1,
  ],
  [
    'json_object, not known',
    { response_format: { type: 'json_object' } },
    { response_format: undefined },
    ['response_format=emulated!'],
    { model: 'qianfan-70b' },
  ],
  ['json_schema', { response_format: JSON_SCHEMA }, { response_format: { type: 'json_object' } }, ['response_format=emulated!']],
  [
    'json_schema of X1',
    { response_format: JSON_SCHEMA },
    { response_format: undefined },
    ['response_format=emulated!', 'stream=emulated'],
    X1,
  ],
  ['json_schema where known', { response_format: JSON_SCHEMA }, { response_format: JSON_SCHEMA }, [], { facts: { jsonSchema: true } }],

  ['tools', TOOLS, { tools: [TIDE], tool_choice: undefined, parallel_tool_calls: undefined }, []],
  [
    'bare tool',
    { tools: [tool('wind')] },
    { tools: [tool('wind', { description: 'wind', parameters: { type: 'object', properties: {} } })] },
    ['tools=defaulted'],
  ],
  ['strict tool', { tools: [tool('wind', { strict: true })] }, {}, ['tools=dropped!', 'tools=defaulted']],
  [
    'no tools',
    { tools: [], tool_choice: 'auto', parallel_tool_calls: true },
    { tools: undefined, tool_choice: undefined },
    ['tools=dropped', 'tool_choice=dropped', 'parallel_tool_calls=dropped'],
  ],
  ['tool_choice none', { ...TOOLS, tool_choice: 'none' }, { tool_choice: 'none', tools: [TIDE] }, []],
  ['tool_choice auto', { ...TOOLS, tool_choice: 'auto' }, { tool_choice: 'auto' }, []],
  ['tool_choice required', { ...TOOLS, tool_choice: 'required' }, { tool_choice: 'required' }, []],
  ['tool_choice named', { ...TOOLS, tool_choice: tool('tide') }, { tool_choice: tool('tide') }, []],
  ['tool_choice required, thinking', { ...TOOLS, tool_choice: 'required' }, { tool_choice: 'required' }, ['stream=emulated'], X1],
  [
    'allowed_tools',
    {
      tools: [TIDE, tool('wind')],
      tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [tool('tide')] } },
    },
    { tools: [TIDE], tool_choice: 'required' },
    ['tool_choice=emulated'],
  ],
  ['parallel calls', { ...TOOLS, parallel_tool_calls: true }, { parallel_tool_calls: true }, []],
  ['one call at a time', { ...TOOLS, parallel_tool_calls: false }, { parallel_tool_calls: false }, []],
  [
    'functions',
    { functions: [TIDE.function], function_call: { name: 'tide' } },
    { tools: [TIDE], tool_choice: tool('tide'), parallel_tool_calls: false, functions: undefined, function_call: undefined },
    ['functions=renamed', 'function_call=renamed'],
  ],

  ['logit_bias', { logit_bias: { 50256: -100 } }, { logit_bias: undefined }, ['logit_bias=dropped!']],
  ['empty logit_bias', { logit_bias: {} }, { logit_bias: undefined }, ['logit_bias=dropped']],
  [
    'logprobs',
    { logprobs: true, top_logprobs: 2 },
    { logprobs: undefined, top_logprobs: undefined },
    ['logprobs=dropped!', 'top_logprobs=dropped!'],
  ],
  ['logprobs off', { logprobs: false }, { logprobs: undefined }, ['logprobs=dropped']],
  ['verbosity', { verbosity: 'low' }, { verbosity: undefined }, ['verbosity=dropped!']],
  ['usual verbosity', { verbosity: 'medium' }, { verbosity: undefined }, ['verbosity=dropped']],
  [
    'web_search_options',
    { web_search_options: {} },
    { web_search: { enable: true, enable_citation: true, enable_trace: true }, web_search_options: undefined },
    ['web_search_options=renamed'],
  ],
  ['moderation', { moderation: { mode: 'x' } }, { moderation: undefined }, ['moderation=dropped!']],
  ['modalities of text', { modalities: ['text'] }, { modalities: undefined }, ['modalities=dropped']],
  ...['prediction', 'service_tier', 'store', 'prompt_cache_key', 'prompt_cache_options', 'prompt_cache_retention'].map(
    (field): Row => [field, { [field]: field === 'store' ? true : {} }, { [field]: undefined }, [`${field}=dropped`]],
  ),
  ['what nobody knows', { mirostat: 2 }, { mirostat: undefined }, ['mirostat=dropped!']],

  ['penalty_score', { penalty_score: 1.5 }, { penalty_score: 1.5 }, []],
  ['penalty_score of X1', { penalty_score: 1.5 }, { penalty_score: undefined }, ['penalty_score=dropped!', 'stream=emulated'], X1],
  ['repetition_penalty', { repetition_penalty: 1.1 }, { repetition_penalty: 1.1 }, []],
  [
    'web_search',
    { web_search: { enable: true, enable_trace: true, search_number: 5, enable_status: true, other: 1 } },
    { web_search: { enable: true, enable_trace: true, search_number: 5 } },
    ['web_search.enable_status=dropped', 'web_search.other=dropped'],
  ],
];

test.each<Row>(ROWS)('%s', (_name, request, body, changes, wish) => {
  const made = plan(request, wish);
  expect(made.path).toBe('/chat/completions');
  for (const [field, value] of Object.entries(body)) expect([field, made.body[field]]).toEqual([field, value]);
  expect(made.changes).toEqual(changes);
  expect(made.stream).toBe(made.body['stream']);
  if (changes.some((change) => change.endsWith('!'))) expect(() => plan(request, { ...wish, strict: true })).toThrow(OpenAIError);
  else expect(plan(request, { ...wish, strict: true }).body).toEqual(made.body);
});

describe('emulations', () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>, Wish?]>([
    ['n', { n: 3 }, { choices: 3 }],
    ['long stop word', { stop: ['a', 'x'.repeat(21)] }, { stop: ['a', 'x'.repeat(21)] }],
    ['short stop word', { stop: ['a'] }, {}],
    ['stop of X1', { stop: 'a' }, { stop: ['a'] }, X1],
    ['json_object', { response_format: { type: 'json_object' } }, { json: { schema: null } }],
    ['json_object of X1', { response_format: { type: 'json_object' } }, { json: { schema: null } }, X1],
    ['json_schema', { response_format: JSON_SCHEMA }, { json: { schema: SCHEMA } }],
    ['json_schema where known', { response_format: JSON_SCHEMA }, { json: { schema: SCHEMA } }, { facts: { jsonSchema: true } }],
    ['none', { ...TOOLS, tool_choice: 'none' }, { noCalls: true }],
    ['required', { ...TOOLS, tool_choice: 'required' }, { mustCall: { name: null } }],
    ['named', { ...TOOLS, tool_choice: tool('tide') }, { mustCall: { name: 'tide' } }],
    ['one call at a time', { ...TOOLS, parallel_tool_calls: false }, { firstCallOnly: true }],
    ['plain tools', TOOLS, {}],
  ])('%s', (_name, request, emulation, wish) => {
    expect(plan(request, wish).emulation).toEqual(emulation);
  });

  test('the schema is told to the model', () => {
    const [system] = plan({ response_format: JSON_SCHEMA }).body['messages'] as { role: string; content: string }[];
    expect(system).toMatchObject({ role: 'system', content: expect.stringContaining(JSON.stringify(SCHEMA)) });
  });
});

/** Values for the rules that look at theirs. */
const SAMPLES: Record<string, unknown> = {
  messages: HELLO,
  model: 'gpt-4o',
  stop: ['a'],
  tools: [TIDE],
  functions: [TIDE.function],
  user: 'u',
  safety_identifier: 's',
  modalities: ['text'],
};

test('every documented field has a rule', () => {
  const unknown = (field: string) =>
    plan({ [field]: field in SAMPLES ? SAMPLES[field] : {} }).receipt.changes.filter(({ reason }) => reason.startsWith('neither'));
  const fields = requestFields().filter((field) => field !== 'audio');
  expect(fields.filter((field) => unknown(field).length > 0)).toEqual([]);
  expect(fields.length).toBeGreaterThan(30);
  expect(unknown('mirostat')).toHaveLength(1);
});
