/** Facts of Qianfan's chat reference about requests that no other table of this folder holds; the rest: `facts-held.test.ts`. */
import { describe, expect, test } from 'vitest';
import { loadCatalog } from '../../../catalog/catalog.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import { plan } from './plan.ts';

const TURBO = 'ernie-4.5-turbo-128k';
const TOOLS = {
  tools: [{ type: 'function', function: { name: 'tide', description: 'x', parameters: { type: 'object', properties: {} } } }],
};

/** [section, fact, model, request, what the body must hold (undefined = must not), what the receipt says of these fields] */
type Row = [string, string, string, Record<string, unknown>, Record<string, unknown>, string[]];

const ROWS: Row[] = [
  ['temperature', 'ERNIE: (0, 1], nothing but 0 is excluded below', TURBO, { temperature: 0.001 }, { temperature: 0.001 }, []],
  ['temperature', 'other makers: [0, 2], greedy', 'deepseek-v3.2', { temperature: 0 }, { temperature: 0 }, []],
  ['temperature', 'other makers: [0, 2], most', 'glm-5', { temperature: 2 }, { temperature: 2 }, []],
  ['top_p', '[0, 1], and a 0 is not tried', 'glm-5', { top_p: 0 }, { top_p: 0.01 }, ['top_p=clamped!']],
  ['Sampling of other makers', 'R1 follows none', 'deepseek-r1', { top_p: 0.5 }, { top_p: undefined }, ['top_p=dropped!']],
  [
    'Sampling of other makers',
    'R1 follows no penalties',
    'deepseek-r1',
    { presence_penalty: 1, frequency_penalty: 0 },
    { presence_penalty: undefined, frequency_penalty: undefined },
    ['presence_penalty=dropped!', 'frequency_penalty=dropped'],
  ],
  ['penalty_score', "never made of OpenAI's penalties", TURBO, { frequency_penalty: 1 }, { penalty_score: undefined }, []],
  ...[
    'deepseek-v3',
    'deepseek-v3.1-250821',
    'deepseek-v3.2',
    'deepseek-r1',
    'deepseek-r1-distill-qwen-32b',
    'qwq-32b',
    'ernie-x1-turbo-32k',
  ].map(
    (model): Row => ['penalty_score', 'not taken', model, { penalty_score: 1.5 }, { penalty_score: undefined }, ['penalty_score=dropped!']],
  ),
  ...['ernie-4.5-0.3b', 'ernie-4.5-21b-a3b', 'ernie-4.5-vl-28b-a3b'].map(
    (model): Row => ['penalty_score', 'not taken', model, { penalty_score: 1 }, { penalty_score: undefined }, ['penalty_score=dropped']],
  ),
  ...[TURBO, 'ernie-5.1', 'qwen3-32b'].map(
    (model): Row => ['penalty_score', 'taken', model, { penalty_score: 2 }, { penalty_score: 2 }, []],
  ),
  [
    'stream_options',
    'usage once, in the last chunk: the relay does not ask for it in every chunk',
    TURBO,
    { stream: true, stream_options: { include_usage: true, chunk_include_usage: true } },
    { stream_options: { include_usage: true } },
    ['stream_options.chunk_include_usage=dropped'],
  ],
  ...['top_k', 'best_of', 'preemptible', 'trace_number', 'user_setting', 'min_p'].map(
    (field): Row => ['Fields that are not documented', field, TURBO, { [field]: 1 }, { [field]: undefined }, [`${field}=dropped!`]],
  ),
  [
    'Deep thinking',
    'effort of V4: high and max, and nothing between',
    'deepseek-v4-pro',
    { reasoning_effort: 'xhigh' },
    { reasoning_effort: 'max', thinking: { type: 'enabled' } },
    ['reasoning_effort=clamped'],
  ],
  ['Deep thinking', 'V3 has no switch and does not think', 'deepseek-v3', {}, { thinking: undefined, stream: false }, []],
  [
    'Deep thinking',
    'the strategy goes where a model thinks',
    'ernie-x1.1',
    { thinking_strategy: 'chain_of_draft' },
    { thinking_strategy: 'chain_of_draft' },
    [],
  ],
  [
    'Functions',
    'no function in the list: no tool_choice',
    TURBO,
    { tools: [], tool_choice: 'auto' },
    { tool_choice: undefined },
    ['tools=dropped', 'tool_choice=dropped'],
  ],
  ['Functions', 'lite-pro has them', 'ernie-lite-pro-128k', TOOLS, TOOLS, []],
  [
    'Web search',
    'the pages told, and cited in the text',
    TURBO,
    { web_search_options: {} },
    { web_search: { enable: true, enable_citation: true, enable_trace: true }, web_search_options: undefined },
    ['web_search_options=renamed'],
  ],
  [
    'Web search',
    'no marks in JSON',
    TURBO,
    { web_search_options: {}, response_format: { type: 'json_object' } },
    { web_search: { enable: true, enable_citation: false, enable_trace: true } },
    ['web_search_options=renamed'],
  ],
  [
    'Web search',
    'the usual size is no wish',
    TURBO,
    { web_search_options: { search_context_size: 'medium' } },
    {},
    ['web_search_options=renamed'],
  ],
  [
    'Web search',
    'there is no size and no place',
    TURBO,
    { web_search_options: { search_context_size: 'high', user_location: { type: 'approximate' } } },
    { web_search: { enable: true, enable_citation: true, enable_trace: true } },
    ['web_search_options=renamed', 'web_search_options.search_context_size=dropped!', 'web_search_options.user_location=dropped!'],
  ],
  ...['qianfan-70b', 'ernie-4.5-turbo-vl', 'deepseek-v3.2', 'ernie-speed-8k'].map(
    (model): Row => [
      'Web search',
      'not known of it',
      model,
      { web_search_options: {} },
      { web_search: undefined },
      ['web_search_options=dropped!'],
    ],
  ),
  [
    'Web search',
    "Qianfan's own object wins",
    TURBO,
    { web_search: { enable: false }, web_search_options: {} },
    { web_search: { enable: false } },
    ['web_search_options=dropped'],
  ],
  [
    'Web search',
    'search_mode is not on ERNIE',
    TURBO,
    { web_search: { enable: true, search_mode: 'required' } },
    { web_search: { enable: true } },
    ['web_search.search_mode=dropped!'],
  ],
  [
    'Web search',
    'search_mode of other makers',
    'deepseek-v3.2',
    { web_search: { enable: true, search_mode: 'required' } },
    { web_search: { enable: true, search_mode: 'required' } },
    [],
  ],
];

test.each<Row>(ROWS)('%s: %s (%s, %j)', (_section, _fact, model, request, body, changes) => {
  const made = plan(request, { model });
  for (const [field, value] of Object.entries(body)) expect([field, made.body[field]]).toEqual([field, value]);
  const asked = new Set(Object.keys(request));
  expect(made.changes.filter((change) => asked.has(change.split(/[.=]/)[0] ?? ''))).toEqual(changes);
});

describe('refused by name', () => {
  test.each<[string, string, string, Record<string, unknown>, string]>([
    ...['ernie-speed-8k', 'ernie-lite-8k', 'ernie-tiny-8k', 'ernie-char-fiction-8k', 'ernie-novel-8k'].map(
      (model): [string, string, string, Record<string, unknown>, string] => ['Functions', 'not of this model', model, TOOLS, 'tools'],
    ),
    [
      'Web search',
      'reference_number ≤ search_number',
      TURBO,
      { web_search: { search_number: 3, reference_number: 4 } },
      'web_search.reference_number',
    ],
    ['Web search', 'counts from 1', TURBO, { web_search: { reference_number: 0 } }, 'web_search.reference_number'],
    ['Web search', 'switches are booleans', TURBO, { web_search: { enable: 1 } }, 'web_search.enable'],
    ['Web search', 'modes', 'deepseek-v3.2', { web_search: { search_mode: 'on' } }, 'web_search.search_mode'],
  ])('%s: %s (%s)', (_section, _fact, model, request, param) => {
    try {
      plan(request, { model });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(OpenAIError);
      expect(error).toMatchObject({ status: 400, details: { param, fallback: true } });
    }
  });
});

/** The model list: context, most output, functions, pictures, thinking. null = the list does not say. */
describe('Model list', () => {
  const catalog = loadCatalog();
  test.each<[string, number, number | null, boolean | null, boolean, string]>([
    ['ernie-5.5-flash-preview', 1_000_000, null, true, false, 'optional'],
    ['ernie-5.1', 131_072, 65_536, true, false, 'optional'],
    ['ernie-5.0', 131_072, 65_536, true, true, 'optional'],
    ['ernie-5.0-thinking-latest', 131_072, 65_536, true, true, 'optional'],
    ['ernie-5.0-thinking-preview', 131_072, 65_536, true, true, 'optional'],
    ['ernie-4.5-turbo-128k', 131_072, 12_288, true, false, 'none'],
    ['ernie-4.5-turbo-latest', 131_072, 12_288, true, false, 'none'],
    ['ernie-4.5-turbo-20260402', 131_072, 12_288, true, false, 'none'],
    ['ernie-4.5-turbo-32k', 32_768, 12_288, true, false, 'none'],
    ['ernie-4.5-turbo-vl', 131_072, 16_384, null, true, 'optional'],
    ['ernie-4.5-turbo-vl-32k', 32_768, 12_288, null, true, 'none'],
    ['ernie-x1.1', 65_536, 65_536, true, false, 'always'],
    ['ernie-x1.1-preview', 65_536, 65_536, true, false, 'always'],
    ['ernie-4.5-8k-preview', 8_192, 2_048, null, true, 'none'],
    ['qianfan-70b', 32_768, 16_384, null, false, 'none'],
    ['qianfan-8b', 32_768, 16_384, null, false, 'none'],
    ['ernie-char-fiction-8k', 8_192, 2_048, false, false, 'none'],
  ])('%s', (id, contextTokens, maxOutputTokens, tools, vision, thinking) => {
    expect(catalog.model('ernie', id)).toMatchObject({ contextTokens, maxOutputTokens, tools, vision, thinking, state: 'current' });
  });

  test.each([
    ['ernie-4.0-8k', 2_048, true, 'ernie-5.1'],
    ['ernie-4.0-turbo-8k', 2_048, true, 'ernie-4.5-turbo-128k'],
    ['ernie-3.5-8k', 2_048, true, 'ernie-4.5-turbo-32k'],
    ['ernie-3.5-128k', 4_096, true, 'ernie-4.5-turbo-128k'],
    ['ernie-speed-8k', 2_048, false, 'ernie-4.5-turbo-32k'],
    ['ernie-speed-128k', 4_096, false, 'ernie-4.5-turbo-128k'],
    ['ernie-lite-8k', 2_048, false, 'ernie-4.5-turbo-32k'],
    ['ernie-tiny-8k', 2_048, false, 'ernie-4.5-turbo-32k'],
  ])('of June 2024, retired: %s', (id, maxOutputTokens, tools, replacement) => {
    expect(catalog.model('ernie', id)).toMatchObject({
      maxOutputTokens,
      tools,
      vision: false,
      thinking: 'none',
      state: 'retired',
      replacement,
    });
  });
});
