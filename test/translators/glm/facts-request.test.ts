/** Facts of the vendor's API reference about requests that no other table of this folder holds; the rest: `facts-held.test.ts`. */
import { describe, expect, test } from 'vitest';
import { loadCatalog } from '../../../catalog/catalog.ts';
import { ask, HI, refusal, type Situation, TOOLS } from './ask.ts';

const SEARCHES: Situation = { known: { webSearch: true } };
const PLACE = { type: 'approximate', approximate: { city: 'Gdynia' } };
const search = (more: object, engine = 'search_std') => ({
  type: 'web_search',
  web_search: { enable: true, search_engine: engine, search_result: true, ...more },
});

describe('web search: a tool of the vendor’s', () => {
  /** [fact, request, situation, tools sent, receipt] */
  test.each<[string, Record<string, unknown>, Situation, unknown, string[]]>([
    ['bigmodel, engine named', { web_search_options: {} }, SEARCHES, [search({})], ['web_search_options=renamed']],
    [
      'z.ai, its engine, before every answer',
      { web_search_options: {} },
      { ...SEARCHES, region: 'intl' },
      [search({ require_search: true }, 'search_pro_jina')],
      ['web_search_options=renamed'],
    ],
    [
      'z.ai, coding plan',
      { web_search_options: {} },
      { ...SEARCHES, region: 'intl-coding-plan' },
      [search({ require_search: true }, 'search_pro_jina')],
      ['web_search_options=renamed'],
    ],
    [
      'content_size high',
      { web_search_options: { search_context_size: 'high' } },
      SEARCHES,
      [search({ content_size: 'high' })],
      ['web_search_options=renamed'],
    ],
    [
      'content_size begins at medium',
      { web_search_options: { search_context_size: 'low' } },
      SEARCHES,
      [search({ content_size: 'medium' })],
      ['web_search_options=renamed', 'web_search_options.search_context_size=clamped'],
    ],
    [
      'no place',
      { web_search_options: { user_location: PLACE } },
      SEARCHES,
      [search({})],
      ['web_search_options=renamed', 'web_search_options.user_location=dropped!'],
    ],
    ['beside functions', { tools: TOOLS, web_search_options: {} }, SEARCHES, [...TOOLS, search({})], ['web_search_options=renamed']],
    [
      'functions that may not be called',
      { tools: TOOLS, tool_choice: 'none', web_search_options: {} },
      SEARCHES,
      [search({})],
      ['tool_choice=emulated', 'tools=dropped', 'web_search_options=renamed'],
    ],
    ['a model not known to search', { web_search_options: {} }, {}, undefined, ['web_search_options=dropped!']],
    [
      'vision models have functions only',
      { web_search_options: {} },
      { ...SEARCHES, model: 'glm-4.6v' },
      undefined,
      ['web_search_options=dropped!'],
    ],
  ])('%s', (_fact, request, situation, tools, changes) => {
    const asked = ask(request, situation);
    expect(asked.body['tools']).toEqual(tools);
    expect(asked.changes).toEqual(changes);
    expect(asked.body['tool_stream']).toBeUndefined();
  });
});

test('Accept-Language: refusals in English, also at bigmodel', () => {
  expect(ask({}).headers).toEqual({ 'accept-language': 'en-US,en' });
});

/** Most tokens of an answer, and whether 0 and 1 are outside of the sampling ranges. */
describe('sampling ranges and caps by family', () => {
  test.each([
    ['glm-5.3 glm-5.3-flash glm-5.3-flashx glm-5.2 glm-5.1 glm-5 glm-5-turbo glm-5-code glm-5v-turbo', 131_072, false],
    ['glm-4.7 glm-4.7-flash glm-4.7-flashx glm-4.6', 131_072, false],
    ['glm-4.5 glm-4.5-x glm-4.5-air glm-4.5-airx glm-4.5-flash', 98_304, false],
    ['glm-4.6v glm-4.6v-flash glm-4.6v-flashx', 32_768, false],
    ['glm-4.5v glm-4.1v-thinking-flash', 16_384, false],
    ['glm-z1-air glm-z1-airx glm-z1-flash', 32_768, true],
    ['glm-4-plus glm-4-air glm-4-airx glm-4-long glm-4-0520 glm-4-assistant glm-4v-plus glm-4v-plus-0111 glm-3-turbo', 4_095, true],
    ['glm-4-air-250414 glm-4-flash-250414 glm-4-flashx-250414 glm-4-32b-0414-128k', 16_384, true],
    ['glm-4v-flash glm-4v', 1_024, true],
    ['glm-4-voice charglm-4 emohaa', 4_096, true],
    ['autoglm-phone autoglm-phone-multilingual', 2_048, false],
  ])('%s', (models, cap, open) => {
    for (const model of models.split(' ')) {
      const { body } = ask({ max_tokens: 999_999, temperature: 1, top_p: 1 }, { model });
      expect([model, body['max_tokens']]).toEqual([model, cap]);
      expect([model, body['temperature'], body['top_p']]).toEqual([model, ...(open ? [0.99, 0.99] : [1, 1])]);
    }
  });

  test('nothing is sent that was not asked for: the vendor’s defaults hold', () => {
    expect(Object.keys(ask({}).body).sort()).toEqual(['messages', 'model', 'request_id', 'stream']);
  });
});

/** The model list: context, thinking, pictures, functions. */
describe('line-up', () => {
  const catalog = loadCatalog();
  const M = 1_048_576;
  test.each<[string, number, string, boolean, boolean]>([
    ['glm-5.3', M, 'always', false, true],
    ['glm-5.3-flash', M, 'always', true, true],
    ['glm-5.3-flashx', M, 'always', true, true],
    ['glm-5.2', M, 'optional', false, true],
    ['glm-5.1', 200_000, 'optional', false, true],
    ['glm-5', 200_000, 'optional', false, true],
    ['glm-5-turbo', 200_000, 'optional', false, true],
    ['glm-5-code', 200_000, 'optional', false, true],
    ['glm-5v-turbo', 200_000, 'optional', true, true],
    ['glm-4.7', 200_000, 'optional', false, true],
    ['glm-4.7-flash', 200_000, 'optional', false, true],
    ['glm-4.6', 200_000, 'optional', false, true],
    ['glm-4.6v', 131_072, 'optional', true, true],
    ['glm-4.5', 131_072, 'optional', false, true],
    ['glm-4.5-air', 131_072, 'optional', false, true],
    ['glm-4.5v', 65_536, 'optional', true, false],
    ['glm-4.1v-thinking-flash', 65_536, 'always', true, false],
    ['glm-4-32b-0414-128k', 131_072, 'none', false, true],
    ['glm-z1-flash', 131_072, 'always', false, false],
    ['glm-4-plus', 131_072, 'none', false, true],
    ['glm-4-air-250414', 131_072, 'none', false, true],
    ['glm-4-airx', 8_192, 'none', false, true],
    ['glm-4-long', 1_000_000, 'none', false, true],
    ['glm-4v-plus-0111', 16_384, 'none', true, false],
    ['glm-4v-flash', 16_384, 'none', true, false],
    ['glm-4-voice', 8_192, 'none', false, false],
    ['autoglm-phone', 20_480, 'none', true, true],
  ])('%s', (id, contextTokens, thinking, vision, tools) => {
    expect(catalog.model('glm', id)).toMatchObject({ contextTokens, thinking, vision, tools });
  });
});

const picture = { type: 'image_url', image_url: { url: 'https://a.example/b.png' } };
const pictures = (count: number) => ({ messages: [{ role: 'user', content: Array.from({ length: count }, () => picture) }] });

describe('parts', () => {
  test.each([
    ['glm-4v-plus-0111', 5],
    ['glm-4v-flash', 1],
  ])('%s: %i pictures a request', (model, most) => {
    expect(ask(pictures(most), { model }).body['messages']).toEqual(pictures(most).messages);
    expect(refusal(pictures(most + 1), { model })).toMatchObject({ status: 400, details: { param: 'messages' } });
  });

  test.each(['glm-4.6v', 'glm-5v-turbo', 'glm-5.3-flash'])('%s: many', (model) => {
    expect(ask(pictures(50), { model }).changes).toEqual([]);
  });

  test.each(['glm-4.6', 'glm-4.7-flash', 'glm-5.3', 'glm-4-plus', 'glm-z1-flash'])('%s: none', (model) => {
    expect(refusal(pictures(1), { model }).details.param).toBe('messages[0].content[0]');
  });

  test('sound on any model but glm-4-voice, and files at bigmodel, are refused by name', () => {
    const part = (content: unknown) => ({ messages: [...HI, { role: 'user', content: [content] }] });
    const sound = part({ type: 'input_audio', input_audio: { data: 'AAAA', format: 'mp3' } });
    const file = part({ type: 'file', file: { file_id: 'f' } });
    for (const model of ['glm-4.6v', 'glm-5.3-flash', 'glm-4.6'])
      expect(refusal(sound, { model }).details.param).toBe('messages[1].content[0]');
    for (const region of ['cn', 'cn-coding-plan'])
      expect(refusal(file, { model: 'glm-4.5v', region }).details.param).toBe('messages[1].content[0]');
  });
});
