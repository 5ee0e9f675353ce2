import { describe, expect, test } from 'vitest';
import { ALWAYS, ask, extras, HI, refusal, type Situation, TOOLS, tool } from './ask.ts';

const LIVELY: Situation = { model: 'qwen3.7-plus', thinking: 'default' };
const CODER: Situation = { model: 'qwen3-coder-plus' };

test('the least', () => {
  const { path, stream, body, emulation, changes } = ask({});
  expect({ path, stream, emulation, changes }).toEqual({
    path: '/chat/completions',
    stream: false,
    emulation: {},
    changes: ['enable_thinking=defaulted'],
  });
  expect(body).toEqual(ALWAYS);
});

type Row = [string, Record<string, unknown>, Record<string, unknown>, string[], Situation?];

/** [what, asked, sent, changes, situation] */
describe('fields', () => {
  test.each<Row>([
    ['temperature', { temperature: 0.7 }, { temperature: 0.7 }, []],
    ['temperature at the top', { temperature: 2 }, { temperature: 1.99 }, ['temperature=clamped!']],
    ['temperature at the bottom', { temperature: 0 }, { temperature: 0 }, []],
    ['top_p', { top_p: 1 }, { top_p: 1 }, []],
    ['top_p of zero', { top_p: 0 }, { top_p: 0.001 }, ['top_p=clamped!']],
    ['presence_penalty', { presence_penalty: -2 }, { presence_penalty: -2 }, []],
    ['frequency_penalty', { frequency_penalty: 0.5 }, {}, ['frequency_penalty=dropped!']],
    ['frequency_penalty of zero', { frequency_penalty: 0 }, {}, ['frequency_penalty=dropped']],
    ['logit_bias', { logit_bias: { 50256: -100 } }, {}, ['logit_bias=dropped!']],
    ['logit_bias, empty', { logit_bias: {} }, {}, ['logit_bias=dropped']],
    ['seed', { seed: 7 }, { seed: 7 }, []],
    ['seed below zero', { seed: -1 }, { seed: 1 }, ['seed=clamped']],
    ['seed at the end of an int64', { seed: -(2 ** 63) }, { seed: 0 }, ['seed=clamped']],
    ['seed at the other end', { seed: 2 ** 63 }, { seed: 0 }, ['seed=clamped']],
    ['seed just outside', { seed: 2 ** 31 }, { seed: 0 }, ['seed=clamped']],
    ['seed just inside', { seed: 2 ** 31 - 1 }, { seed: 2 ** 31 - 1 }, []],
    ['stop, one word', { stop: 'END' }, { stop: ['END'] }, ['stop=renamed']],
    ['stop, four words', { stop: ['a', 'b', 'c', 'd'] }, { stop: ['a', 'b', 'c', 'd'] }, []],
    ['stop, empty words', { stop: ['', 'a'] }, { stop: ['a'] }, ['stop=dropped']],
    ['stop, nothing but empty words', { stop: '' }, {}, ['stop=dropped']],
    ['n = 1', { n: 1 }, { n: 1 }, []],
    ['n up to four', { n: 4 }, { n: 4 }, []],
    ['n = 1 of a model that makes one', { n: 1 }, {}, ['n=dropped'], CODER],
    ['logprobs', { logprobs: true, top_logprobs: 5 }, { logprobs: true, top_logprobs: 5 }, []],
    ['top_logprobs above five', { logprobs: true, top_logprobs: 20 }, { logprobs: true, top_logprobs: 5 }, ['top_logprobs=clamped!']],
    ['logprobs false', { logprobs: false }, {}, ['logprobs=dropped']],
    ['logprobs of a model that gives none', { logprobs: true, top_logprobs: 2 }, {}, ['logprobs=dropped!', 'top_logprobs=dropped!'], CODER],
    ['verbosity', { verbosity: 'low' }, {}, ['verbosity=dropped!']],
    ['verbosity medium', { verbosity: 'medium' }, {}, ['verbosity=dropped']],
    ['modalities text', { modalities: ['text'] }, {}, ['modalities=dropped']],
    ['modalities text of a model that speaks', { modalities: ['text'] }, { modalities: ['text'] }, [], { model: 'qwen3-omni-flash' }],
    ['prediction', { prediction: { type: 'content', content: 'x' } }, {}, ['prediction=dropped']],
    [
      'web_search_options',
      { web_search_options: {} },
      { enable_search: true, search_options: { forced_search: true } },
      ['web_search_options=emulated!'],
    ],
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
      "the vendor's own",
      {
        top_k: 20,
        repetition_penalty: 1.1,
        enable_search: true,
        search_options: { forced_search: true },
        tool_stream: true,
        vl_high_resolution_images: false,
        translation_options: { target_lang: 'English' },
      },
      {
        top_k: 20,
        repetition_penalty: 1.1,
        enable_search: true,
        search_options: { forced_search: true },
        tool_stream: true,
        vl_high_resolution_images: false,
        translation_options: { target_lang: 'English' },
      },
      [],
    ],
    [
      "other vendors' own",
      { thinking: { type: 'enabled' }, extra_body: {}, toString: 1 },
      {},
      ['thinking=dropped!', 'extra_body=dropped!', 'toString=dropped!'],
    ],
  ])('%s', (_name, asked, body, noted, situation) => {
    expect(extras(asked, situation)).toEqual({ body, changes: noted });
  });

  test.each([
    ['audio out', { modalities: ['text', 'audio'] }, 'modalities'],
    ['audio', { audio: { voice: 'alloy', format: 'wav' } }, 'audio'],
  ])('%s is refused by name', (_name, asked, param) => {
    const error = refusal(asked);
    expect([error.kind, error.details.param, error.details.fallback]).toEqual(['unsupported_parameter', param, true]);
  });

  test.each([
    ['thinking', { n: 2, reasoning_effort: 'low' }, {}],
    ['tools', { n: 3, tools: TOOLS }, {}],
    ['more than four', { n: 5 }, {}],
    ['a model that makes one', { n: 2 }, CODER],
  ])('n with %s is that many calls', (_name, asked, situation) => {
    const { body, emulation, changes } = ask(asked, situation);
    expect(body).not.toHaveProperty('n');
    expect(emulation.choices).toBe(asked.n);
    expect(changes).toContain('n=emulated');
  });
});

describe('stream', () => {
  const options = { include_usage: true };
  test.each<[string, Record<string, unknown>, object, string[], Situation?]>([
    ['not asked for', {}, { stream: false }, []],
    ['asked for with usage', { stream: true, stream_options: options }, { stream: true, stream_options: options }, []],
    ['asked for without usage', { stream: true }, { stream: true, stream_options: options }, ['stream_options=defaulted']],
    [
      'usage false',
      { stream: true, stream_options: { include_usage: false } },
      { stream: true, stream_options: options },
      ['stream_options=defaulted'],
    ],
    [
      'padding',
      { stream: true, stream_options: { include_usage: true, include_obfuscation: true } },
      { stream: true, stream_options: options },
      ['stream_options.include_obfuscation=dropped'],
    ],
    [
      'no padding',
      { stream: true, stream_options: { include_usage: true, include_obfuscation: false } },
      { stream: true, stream_options: options },
      [],
    ],
    ['thinking', { stream: false }, { stream: true, stream_options: options }, ['stream=emulated'], LIVELY],
    ['a model that only streams', {}, { stream: true, stream_options: options }, ['stream=emulated'], { model: 'qwen3-omni-flash' }],
    [
      'a model that the catalogue says only streams',
      {},
      { stream: true, stream_options: options },
      ['stream=emulated'],
      { facts: { thinking: 'stream-only' } },
    ],
  ])('%s', (_name, asked, sent, noted, situation) => {
    const { body, stream, changes } = ask(asked, situation);
    expect({ stream: body['stream'], ...(body['stream_options'] === undefined ? {} : { stream_options: body['stream_options'] }) }).toEqual(
      sent,
    );
    expect(stream).toBe(body['stream']);
    expect(changes.filter((change) => change.startsWith('stream'))).toEqual(noted);
  });
});

describe('tools', () => {
  const named = { type: 'function', function: { name: 'jump' } };
  test.each<Row>([
    ['parallel unless said', { tools: TOOLS }, { tools: TOOLS, parallel_tool_calls: true }, ['parallel_tool_calls=defaulted']],
    ['not parallel', { tools: TOOLS, parallel_tool_calls: false }, { tools: TOOLS, parallel_tool_calls: false }, []],
    ['an empty list', { tools: [] }, {}, ['tools=dropped']],
    [
      'none',
      { tools: TOOLS, tool_choice: 'none', parallel_tool_calls: true },
      { tools: TOOLS, tool_choice: 'none', parallel_tool_calls: true },
      [],
    ],
    [
      'required',
      { tools: TOOLS, tool_choice: 'required', parallel_tool_calls: true },
      { tools: TOOLS, tool_choice: 'required', parallel_tool_calls: true },
      [],
    ],
    [
      'named',
      { tools: TOOLS, tool_choice: named, parallel_tool_calls: true },
      { tools: TOOLS, tool_choice: named, parallel_tool_calls: true },
      [],
    ],
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
  ])('%s', (_name, asked, body, noted, situation) => {
    expect(extras(asked, situation)).toEqual({ body, changes: noted });
  });

  test.each(['required', named])('a forced call switches thinking off: %j', (choice) => {
    const { body, emulation, changes, stream } = ask({ tools: TOOLS, tool_choice: choice }, LIVELY);
    expect(body).toMatchObject({ enable_thinking: false, tool_choice: choice });
    expect(emulation.mustCall).toEqual({ name: choice === 'required' ? null : 'jump' });
    expect(changes).toContain('enable_thinking=defaulted');
    expect(stream).toBe(false);
  });

  test('auto and none leave thinking on', () => {
    for (const choice of ['auto', 'none'])
      expect(ask({ tools: TOOLS, tool_choice: choice }, LIVELY).body).toMatchObject({ enable_thinking: true, tool_choice: choice });
  });

  test.each([
    ['required', TOOLS, 'You must call at least one of the provided functions. Do not answer with text.'],
    [named, [TOOLS[1]], 'You must call the function "jump". Do not answer with text.'],
  ])('a model that always thinks is told: %j', (choice, tools, sentence) => {
    const { body, emulation, changes } = ask({ tools: TOOLS, tool_choice: choice }, { model: 'qwq-plus' });
    expect(body).toMatchObject({ tool_choice: 'auto', tools, messages: [{ role: 'system', content: sentence }, ...HI] });
    expect(emulation.mustCall).toBeDefined();
    expect(changes).toContain('tool_choice=emulated!');
  });

  test('a model without tools refuses them by name', () => {
    expect(refusal({ tools: TOOLS }, { model: 'qwen-long' }).details.param).toBe('tools');
  });
});
