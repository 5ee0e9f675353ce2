import { describe, expect, test } from 'vitest';
import { qwenNative } from '../../../translators/qwen/native.ts';
import { replay, replayWhole } from '../replay.ts';
import { extras, refusal } from './ask.ts';
import { askNative } from './native/ask.ts';

const NOTHING = { model: 'qwen3-coder-plus' };
const FORCED = { enable_search: true, search_options: { forced_search: true } };
const HIGH = { search_context_size: 'high' };
const PLACE = { user_location: { type: 'approximate', approximate: { city: 'Hangzhou' } } };

/** Compatible protocol: chat reference, `enable_search` and `search_options`; it names no sources. [request, sent, changes, situation] */
test.each<[string, object, object, string[], object?]>([
  ['options alone', { web_search_options: {} }, FORCED, ['web_search_options=emulated!']],
  ['a small context is the default', { web_search_options: { search_context_size: 'low' } }, FORCED, ['web_search_options=emulated!']],
  [
    'a large context',
    { web_search_options: HIGH },
    { enable_search: true, search_options: { forced_search: true, search_strategy: 'max' } },
    ['web_search_options=emulated!'],
  ],
  ['a place', { web_search_options: PLACE }, FORCED, ['web_search_options=emulated!', 'web_search_options.user_location=dropped!']],
  ['a model that cannot', { web_search_options: HIGH }, {}, ['web_search_options=dropped!'], { facts: { webSearch: false } }],
  ['a model of which it is not known', { web_search_options: {} }, {}, ['web_search_options=dropped!'], NOTHING],
  ['own switch', { enable_search: true }, { enable_search: true }, []],
  ['own switch, and a model of which it is not known', { enable_search: true }, { enable_search: true }, [], NOTHING],
  [
    'own switch, and a model that cannot',
    { enable_search: true, search_options: { forced_search: true } },
    {},
    ['enable_search=dropped!', 'search_options=dropped!'],
    { facts: { webSearch: false } },
  ],
  ['own switch off', { enable_search: false }, { enable_search: false }, []],
  ['own switch off, and a model that cannot', { enable_search: false }, {}, [], { facts: { webSearch: false } }],
  [
    'own switch off wins over the options',
    { enable_search: false, web_search_options: {} },
    { enable_search: false },
    ['web_search_options=dropped!'],
  ],
  ['own options without the switch', { search_options: { forced_search: true } }, {}, ['search_options=dropped']],
  [
    'own options win',
    { web_search_options: HIGH, search_options: { search_strategy: 'agent', freshness: 7 } },
    { enable_search: true, search_options: { forced_search: true, search_strategy: 'agent', freshness: 7 } },
    ['web_search_options=emulated!'],
  ],
  [
    'own options that ask for sources',
    {
      enable_search: true,
      search_options: { enable_source: true, enable_citation: true, citation_format: '[<number>]', forced_search: true },
    },
    FORCED,
    ['search_options.enable_source=dropped!', 'search_options.enable_citation=dropped!', 'search_options.citation_format=dropped!'],
  ],
])('compatible: %s', (_name, asked, body, changes, situation) => {
  expect(extras(asked as Record<string, unknown>, situation)).toEqual({ body, changes });
});

/** Native protocol: `enable_source`, `enable_citation`, `citation_format`. */
test.each<[string, Record<string, unknown>, object | undefined, string[]]>([
  [
    'options alone',
    { web_search_options: {} },
    { forced_search: true, enable_source: true, enable_citation: true, citation_format: '[ref_<number>]' },
    ['web_search_options=renamed'],
  ],
  ['own switch', { enable_search: true }, { enable_source: true }, []],
  ['own options win', { enable_search: true, search_options: { enable_source: false } }, { enable_source: false }, []],
  ['own switch off', { enable_search: false }, undefined, []],
])('native: %s', (_name, asked, options, changes) => {
  const answer = askNative(asked);
  expect(answer.body.parameters['enable_search']).toBe(asked['enable_search'] ?? true);
  expect(answer.body.parameters['search_options']).toEqual(options);
  expect(answer.changes.filter((change) => change.includes('search'))).toEqual(changes);
});

test.each([
  ['web_search_options', { web_search_options: {} }, {}],
  ['web_search_options', { web_search_options: {} }, { ...NOTHING, translator: qwenNative }],
  ['web_search_options.user_location', { web_search_options: PLACE }, { translator: qwenNative }],
])('a strict key is refused %s where the answer would differ', (param, asked, situation) => {
  expect(refusal(asked, { ...situation, strict: true }).details.param).toBe(param);
});

test.each([
  ['enable_search', 'yes'],
  ['enable_search', null],
  ['search_options', 'turbo'],
  ['search_options', []],
])('%s: %j is refused by name', (field, value) => {
  expect(refusal({ [field]: value })).toMatchObject({ status: 400, details: { param: field } });
});

const event = (output: object, finish = 'null', content = ''): string =>
  `id:1\nevent:result\n:HTTP_STATUS/200\ndata:${JSON.stringify({
    output: { choices: [{ message: { role: 'assistant', content }, finish_reason: finish }], ...output },
    usage: { input_tokens: 18, output_tokens: 3 },
    request_id: 'r',
  })}\n\n`;
const page = (index: unknown, url: unknown, title: unknown = `Page ${String(index)}`) => ({ index, url, title, site_name: 's', icon: '' });
const citation = (start_index: number, end_index: number, url: string, title: string) => ({
  type: 'url_citation',
  url_citation: { start_index, end_index, url, title },
});

describe('the sources of a native answer', () => {
  const info = { search_info: { search_results: [page(1, 'https://a.example/x'), page(2, 'https://b.example/')] } };
  const told = [citation(10, 17, 'https://a.example/x', 'Page 1'), citation(32, 32, 'https://b.example/', 'Page 2')];

  test.each<[string, string[]]>([
    ['on the first event', [event(info), event({}, 'null', '浙江 🌊 it is[ref_1], they all say.'), event({}, 'stop')]],
    ['on every event', [event(info, 'null', '浙江 🌊 it is[re'), event(info, 'null', 'f_1], they all say.'), event(info, 'stop')]],
    ['on the last event', [event({}, 'null', '浙江 🌊 it is[ref_1], they all say.'), event(info, 'stop')]],
  ])('%s come before the finish, at their marks', (_name, events) => {
    const { out, error } = replay(qwenNative, Buffer.from(events.join('')));
    expect(error).toBeNull();
    const frames = out.split('\n\n').filter((frame) => frame.includes('"choices":[{'));
    const parsed = frames.map(
      (frame) => JSON.parse(frame.slice(6)) as { choices: [{ delta: { annotations?: unknown }; finish_reason: string }] },
    );
    expect(parsed.flatMap(({ choices }, place) => (choices[0].delta.annotations === undefined ? [] : [place]))).toEqual([
      parsed.length - 2,
    ]);
    expect(parsed.at(-2)?.choices[0].delta).toEqual({ annotations: told });
    expect(parsed.at(-1)?.choices[0].finish_reason).toBe('stop');
  });

  test('of a whole answer', () => {
    const body = event(info, 'stop', '浙江 🌊 it is[ref_1], they all say.').split('data:')[1] ?? '';
    const { choices } = JSON.parse(replayWhole(qwenNative, Buffer.from(body)).out) as { choices: [{ message: object }] };
    expect(choices[0].message).toMatchObject({ annotations: told });
  });

  test.each<[string, unknown, unknown[]]>([
    ['none', [], []],
    ['no list', 'none', []],
    ['no address', [page(1, null), page(2, ''), page(3, 'javascript:alert(1)'), null, 'x'], []],
    ['no number', [page(null, 'https://a.example/')], [citation(5, 5, 'https://a.example/', 'Page null')]],
    ['no title', [page(1, 'https://a.example/', null)], [citation(5, 5, 'https://a.example/', 'https://a.example/')]],
  ])('%s', (_name, results, annotations) => {
    const body = event({ search_info: { search_results: results } }, 'stop', 'Found').split('data:')[1] ?? '';
    const { choices } = JSON.parse(replayWhole(qwenNative, Buffer.from(body)).out) as { choices: [{ message: { annotations: unknown } }] };
    expect(choices[0].message.annotations).toEqual(annotations);
  });
});
