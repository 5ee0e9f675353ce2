import { describe, expect, test } from 'vitest';
import { qwenNative } from '../../../../translators/qwen/native.ts';
import { EFFORTS, HI, refusal, type Situation, TOOLS, tool } from '../ask.ts';
import { askNative } from './ask.ts';

const TEXT = '/services/aigc/text-generation/generation';
const MULTIMODAL = '/services/aigc/multimodal-generation/generation';
const LIVELY: Situation = { model: 'qwen3.7-plus', thinking: 'default' };
const CODER: Situation = { model: 'qwen3-coder-plus' };

test('the least', () => {
  const { path, stream, body, emulation, changes, headers, parametersIn } = askNative({});
  expect({ path, stream, emulation, changes, headers, parametersIn }).toEqual({
    path: TEXT,
    stream: false,
    emulation: {},
    changes: ['enable_thinking=defaulted'],
    headers: undefined,
    parametersIn: 'parameters',
  });
  expect(body).toEqual({
    model: 'qwen-plus',
    input: { messages: HI },
    parameters: { enable_thinking: false, result_format: 'message' },
  });
});

type Row = [string, Record<string, unknown>, Record<string, unknown>, string[], Situation?];

/** [what, asked, parameters sent, changes, situation] */
describe('fields', () => {
  test.each<Row>([
    ['temperature', { temperature: 0.7 }, { temperature: 0.7 }, []],
    ['temperature at the top', { temperature: 2 }, { temperature: 1.99 }, ['temperature=clamped!']],
    ['top_p of zero', { top_p: 0 }, { top_p: 0.001 }, ['top_p=clamped!']],
    ['presence_penalty', { presence_penalty: 2 }, { presence_penalty: 2 }, []],
    ['frequency_penalty', { frequency_penalty: 0.5 }, {}, ['frequency_penalty=dropped!']],
    ['logit_bias', { logit_bias: { 50256: -100 } }, {}, ['logit_bias=dropped!']],
    ['seed of more than 31 bits', { seed: 2 ** 40 }, { seed: 2 ** 40 }, []],
    ['seed at the end of what JSON keeps', { seed: Number.MAX_SAFE_INTEGER }, { seed: Number.MAX_SAFE_INTEGER }, []],
    ['seed below zero', { seed: -5 }, { seed: 5 }, ['seed=clamped']],
    ['seed at the end of an int64', { seed: -(2 ** 63) }, { seed: 0 }, ['seed=clamped']],
    ['stop', { stop: ['a', 'b', 'c', 'd'] }, { stop: ['a', 'b', 'c', 'd'] }, []],
    ['stop, one word', { stop: 'END' }, { stop: ['END'] }, ['stop=renamed']],
    ['n', { n: 4 }, { n: 4 }, []],
    ['n = 1 of a model that makes one', { n: 1 }, {}, ['n=dropped'], CODER],
    ['max_tokens', { max_tokens: 5 }, { max_tokens: 5 }, []],
    ['max_completion_tokens', { max_completion_tokens: 5 }, { max_tokens: 5 }, ['max_completion_tokens=renamed']],
    [
      'both limits',
      { max_completion_tokens: 5, max_tokens: 6 },
      { max_tokens: 5 },
      ['max_tokens=dropped', 'max_completion_tokens=renamed'],
    ],
    ['max_tokens beyond the model', { max_tokens: 10_000_000 }, { max_tokens: 32_768 }, ['max_tokens=clamped']],
    ['logprobs', { logprobs: true, top_logprobs: 20 }, { logprobs: true, top_logprobs: 5 }, ['top_logprobs=clamped!']],
    ['logprobs of a model that gives none', { logprobs: true }, {}, ['logprobs=dropped!'], CODER],
    ['modalities text', { modalities: ['text'] }, {}, ['modalities=dropped']],
    ['modalities text of a model that speaks', { modalities: ['text'] }, {}, ['modalities=dropped'], { model: 'qwen3-omni-flash' }],
    ['response_format text', { response_format: { type: 'text' } }, {}, ['response_format=dropped']],
    ['verbosity', { verbosity: 'low' }, {}, ['verbosity=dropped!']],
    ['prediction', { prediction: { type: 'content', content: 'x' } }, {}, ['prediction=dropped']],
    ['service_tier', { service_tier: 'flex' }, {}, ['service_tier=dropped']],
    ['store', { store: true }, {}, ['store=dropped']],
    ['metadata', { metadata: { a: 'b' } }, {}, ['metadata=dropped']],
    ['user', { user: 'u' }, {}, ['user=dropped']],
    ['safety_identifier', { safety_identifier: 'u' }, {}, ['safety_identifier=dropped']],
    ['prompt_cache_key', { prompt_cache_key: 'k' }, {}, ['prompt_cache_key=dropped']],
    ['prompt_cache_options', { prompt_cache_options: {} }, {}, ['prompt_cache_options=dropped']],
    ['prompt_cache_retention', { prompt_cache_retention: '24h' }, {}, ['prompt_cache_retention=dropped']],
    ['moderation', { moderation: { model: 'm' } }, {}, ['moderation=dropped!']],
    [
      'what the caller must not set',
      { result_format: 'text', incremental_output: false },
      {},
      ['result_format=dropped!', 'incremental_output=dropped!'],
    ],
    [
      "the vendor's own",
      { top_k: 20, repetition_penalty: 1.1, enable_search: true, search_options: { enable_source: true } },
      { top_k: 20, repetition_penalty: 1.1, enable_search: true, search_options: { enable_source: true } },
      [],
    ],
    ['tools', { tools: TOOLS }, { tools: TOOLS, parallel_tool_calls: true }, ['parallel_tool_calls=defaulted']],
    ['no parallel calls', { tools: TOOLS, parallel_tool_calls: false }, { tools: TOOLS, parallel_tool_calls: false }, []],
    ['an empty list of tools', { tools: [] }, {}, ['tools=dropped']],
    [
      'a function called search',
      { tools: [tool('search', { description: 'x' })], parallel_tool_calls: true },
      { tools: [tool('search', { name: 'search_', description: 'x' })], parallel_tool_calls: true },
      ['tools=emulated'],
    ],
    [
      'functions',
      { functions: [TOOLS[0]?.function], function_call: 'auto' },
      { tools: [TOOLS[0]], tool_choice: 'auto', parallel_tool_calls: false },
      ['functions=renamed', 'function_call=renamed'],
    ],
  ])('%s', (_name, asked, sent, noted, situation) => {
    const { body, changes } = askNative(asked, situation);
    const { result_format: format, enable_thinking: _thinking, ...rest } = body.parameters;
    expect({ format, rest, changes: changes.filter((change) => !/^(enable_thinking|stream)=/.test(change)) }).toEqual({
      format: 'message',
      rest: expect.objectContaining(sent),
      changes: noted,
    });
    if (situation?.model !== 'qwen3-omni-flash') expect(rest).toEqual(sent);
  });

  test.each([
    ['audio out', { modalities: ['text', 'audio'] }, 'modalities'],
    ['audio', { audio: { voice: 'alloy', format: 'wav' } }, 'audio'],
  ])('%s is refused by name', (_name, asked, param) => {
    const error = refusal(asked, { translator: qwenNative });
    expect([error.kind, error.details.param, error.details.fallback]).toEqual(['unsupported_parameter', param, true]);
  });

  test.each([
    ['thinking', { n: 2, reasoning_effort: 'low' }, {}],
    ['tools', { n: 3, tools: TOOLS }, {}],
    ['a model that makes one', { n: 2 }, CODER],
  ])('n with %s is that many calls', (_name, asked, situation) => {
    const { body, emulation } = askNative(asked, situation);
    expect(body.parameters).not.toHaveProperty('n');
    expect(emulation.choices).toBe(asked.n);
  });
});

describe('stream', () => {
  const SSE = { accept: 'text/event-stream', 'x-dashscope-sse': 'enable' };
  test.each<[string, Record<string, unknown>, boolean, string[], Situation?]>([
    ['not asked for', {}, false, []],
    ['refused aloud', { stream: false }, false, ['stream=dropped']],
    ['asked for', { stream: true }, true, ['stream=renamed']],
    ['asked for with usage', { stream: true, stream_options: { include_usage: true } }, true, ['stream=renamed', 'stream_options=dropped']],
    ['thinking', {}, true, ['stream=emulated'], LIVELY],
    ['thinking, a stream', { stream: true }, true, ['stream=renamed'], LIVELY],
    ['a model that only streams', { stream: false }, true, ['stream=emulated'], { model: 'qwq-plus' }],
  ])('%s', (_name, asked, streams, noted, situation) => {
    const { body, stream, headers, changes } = askNative(asked, situation);
    expect({ stream, headers, incremental: body.parameters['incremental_output'] }).toEqual({
      stream: streams,
      headers: streams ? SSE : undefined,
      incremental: streams ? true : undefined,
    });
    expect(body).not.toHaveProperty('stream');
    expect(body.parameters).not.toHaveProperty('stream');
    expect(body.parameters).not.toHaveProperty('stream_options');
    expect(changes.filter((change) => change.startsWith('stream'))).toEqual(noted);
  });
});

const image = { type: 'image_url', image_url: { url: 'https://a.example/b.png' } };
const seen = [{ role: 'user', content: [{ type: 'text', text: 'What?' }, image] }];

describe('paths', () => {
  test.each([
    ['qwen-plus', TEXT],
    ['qwen-flash', TEXT],
    ['qwen3-max', TEXT],
    ['qwen3.7-max', TEXT],
    ['qwen3.6-max-preview', TEXT],
    ['qwen3-coder-plus', TEXT],
    ['qwen-long', TEXT],
    ['qwen3-235b-a22b', TEXT],
    ['qwq-plus', TEXT],
    ['deepseek-v4-pro', TEXT],
    ['never-heard-of', TEXT],
    ['qwen3.5-plus', MULTIMODAL],
    ['qwen3.5-flash', MULTIMODAL],
    ['qwen3.6-plus', MULTIMODAL],
    ['qwen3.6-flash', MULTIMODAL],
    ['qwen3.7-plus', MULTIMODAL],
    ['qwen3.8-max', MULTIMODAL],
    ['qwen3.8-flash', MULTIMODAL],
    ['qwen3-vl-plus', MULTIMODAL],
    ['qwen-vl-max', MULTIMODAL],
    ['qwen-vl-ocr', MULTIMODAL],
    ['qvq-max', MULTIMODAL],
    ['qwen3-omni-flash', MULTIMODAL],
  ])('plain text of %s goes to %s', (model, path) => {
    expect(askNative({}, { model }).path).toBe(path);
  });

  test('so does plain text of a model that hears and does not see', () => {
    expect(askNative({}, { model: 'never-heard-of', facts: { vision: false, audioInput: true } }).path).toBe(MULTIMODAL);
  });

  test('an image sends a model that nobody knows to the multimodal path', () => {
    expect(askNative({ messages: seen }, { model: 'never-heard-of' }).path).toBe(MULTIMODAL);
  });

  test('a model that sees nothing refuses an image by name', () => {
    expect(refusal({ messages: seen }, { translator: qwenNative }).details.param).toBe('messages[0].content[1]');
  });
});

describe('JSON, tools and thinking', () => {
  const schema = { type: 'object', properties: { a: { type: 'string' } } };
  test('json_object says the word', () => {
    const { body, emulation } = askNative({ response_format: { type: 'json_object' } });
    expect(body.parameters['response_format']).toEqual({ type: 'json_object' });
    expect(body.input.messages[0]).toEqual({ role: 'system', content: 'Answer in JSON.' });
    expect(emulation.json).toEqual({ schema: null });
  });

  test.each([
    ['qwen-plus', 'json_schema'],
    ['qwen3-coder-plus', 'json_object'],
  ])('a schema for %s is %s, and the relay checks it', (model, type) => {
    const { body, emulation } = askNative({ response_format: { type: 'json_schema', json_schema: { name: 'a', schema } } }, { model });
    expect(body.parameters['response_format']).toMatchObject({ type });
    expect(emulation.json).toEqual({ schema });
  });

  const byName = { type: 'function', function: { name: 'jump' } };
  test.each(['required', byName])('a forced call switches thinking off: %j', (choice) => {
    const { body, emulation, stream } = askNative({ tools: TOOLS, tool_choice: choice }, LIVELY);
    expect(body.parameters).toMatchObject({ enable_thinking: false, tool_choice: choice });
    expect(emulation.mustCall).toEqual({ name: choice === 'required' ? null : 'jump' });
    expect(stream).toBe(false);
  });

  test.each([
    ['qwen-plus', { none: [false], low: [true, 2048], high: [true, 32_768], max: [true] }],
    ['qwen3.8-max', { none: [false], low: [true, undefined, 'low'], high: [true, undefined, 'xhigh'] }],
    ['qwen3-coder-plus', { none: [undefined], high: [undefined] }],
  ])('%s thinks as it is told', (model, table) => {
    for (const [effort, [on, budget, word]] of Object.entries(table)) {
      const { parameters } = askNative({ reasoning_effort: effort }, { model }).body;
      expect([effort, parameters['enable_thinking'], parameters['thinking_budget'], parameters['reasoning_effort']]).toEqual([
        effort,
        on,
        budget,
        word,
      ]);
    }
  });

  test('every effort of every family is one that the vendor takes', () => {
    for (const model of ['qwen-plus', 'qwen3.8-max', 'qwq-plus', 'deepseek-v4-pro', 'qwen3.7-plus'])
      for (const reasoning_effort of EFFORTS) {
        const { parameters } = askNative({ reasoning_effort }, { model }).body;
        expect(parameters['thinking_budget'] !== undefined && parameters['reasoning_effort'] !== undefined).toBe(false);
      }
  });
});

test.each([
  ['frequency_penalty', { frequency_penalty: 1 }],
  ['logit_bias', { logit_bias: { 5: 1 } }],
  ['temperature', { temperature: 2 }],
  ['web_search_options.user_location', { web_search_options: { user_location: null } }],
  ['verbosity', { verbosity: 'high' }],
])('a strict key is refused %s by name', (param, asked) => {
  const error = refusal(asked, { translator: qwenNative, strict: true });
  expect([error.status, error.details.param]).toEqual([400, param]);
});
