import { describe, expect, test } from 'vitest';
import { requestFields } from '../../contract/openai-schema.ts';
import { ALWAYS, ask, HI, refusal, type Situation, TOOLS } from './ask.ts';

const OLD: Situation = { model: 'glm-4-plus' };
/** [what, request, body beside ALWAYS, changes, situation] */
const FIELDS: [string, Record<string, unknown>, Record<string, unknown>, string[], Situation?][] = [
  ['nothing', {}, {}, []],
  ['stream', { stream: true }, { stream: true }, []],
  ['stream_options', { stream: true, stream_options: { include_usage: true } }, { stream: true }, ['stream_options=dropped']],
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

test('emulations of n, stop and JSON', () => {
  expect(ask({ n: 3 }).emulation.choices).toBe(3);
  expect(ask({ n: 8 }).emulation.choices).toBe(8);
  expect(ask({ response_format: { type: 'json_object' } }).emulation).toEqual({ json: { schema: null } });
  expect(ask({ response_format: { type: 'json_object' }, stop: ['A'] }).emulation).toEqual({ json: { schema: null, mayEndEarly: true } });
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
