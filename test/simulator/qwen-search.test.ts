import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';

/** Web search (Qwen: web search, DashScope reference): both protocols search, only the native one names its pages. */

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ vendors: ['qwen'], now: () => 1_790_000_000_000 });
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.close());

const messages = [{ role: 'user', content: '[[sim:say text="It rains"]]' }];
const SOURCES = { enable_source: true, enable_citation: true, citation_format: '[ref_<number>]' };

async function call(url: string, body: object, headers: Record<string, string> = {}) {
  const authorization = `Bearer ${simulator.vendors.qwen?.key}`;
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body), headers: { authorization, ...headers } });
  return { status: answer.status, text: await answer.text() };
}

const native = (parameters: object, headers: Record<string, string> = {}, model = 'qwen-plus') =>
  call(
    `${simulator.vendors.qwen?.protocolUrls?.['native']}/services/aigc/text-generation/generation`,
    { model, input: { messages }, parameters: { result_format: 'message', incremental_output: true, ...parameters } },
    headers,
  );
const compatible = (more: object, model = 'qwen-plus') =>
  call(`${simulator.vendors.qwen?.baseUrl}/chat/completions`, { model, messages, ...more });

describe('native', () => {
  test('a whole answer names its pages, cites one and counts the search', async () => {
    const { text } = await native({ enable_search: true, search_options: { ...SOURCES, search_strategy: 'max' } });
    const { output, usage } = JSON.parse(text) as { output: Record<string, unknown>; usage: object };
    expect(output['choices']).toEqual([{ finish_reason: 'stop', message: { role: 'assistant', content: 'It rains[ref_1]' } }]);
    expect(output['search_info']).toMatchObject({ search_results: [{ index: 1, url: 'https://pages.example/1' }, { index: 2 }] });
    expect(usage).toMatchObject({ plugins: { search: { count: 1, strategy: 'max' } } });
  });

  test('a stream names them on its first event, which has no usage yet', async () => {
    const { text } = await native({ enable_search: true, search_options: SOURCES }, { 'x-dashscope-sse': 'enable' });
    const events = [...text.matchAll(/^data:(.*)$/gm)].map(([, data]) => JSON.parse(data ?? '') as { output: object; usage: object });
    expect(events.map(({ output }) => 'search_info' in output)).toEqual([true, ...events.slice(1).map(() => false)]);
    expect(events[0]?.usage).toEqual({});
    expect(events.at(-1)?.usage).toMatchObject({ plugins: { search: { count: 1, strategy: 'turbo' } } });
  });

  test.each([
    ['nothing is searched', {}, 'It rains', false],
    ['sources are not asked for', { enable_search: true, search_options: { enable_citation: true } }, 'It rains', false],
    ['citations are not asked for', { enable_search: true, search_options: { enable_source: true } }, 'It rains', true],
    [
      'the older form of citations',
      { enable_search: true, search_options: { enable_source: true, enable_citation: true } },
      'It rains[1]',
      true,
    ],
  ])('%s', async (_name, parameters, content, named) => {
    const { output } = JSON.parse((await native(parameters)).text) as {
      output: { choices: [{ message: { content: string } }]; search_info?: object };
    };
    expect([output.choices[0].message.content, output.search_info !== undefined]).toEqual([content, named]);
  });
});

test('compatible mode searches and names nothing', async () => {
  const { status, text } = await compatible({ enable_search: true, search_options: { forced_search: true, ...SOURCES } });
  expect(status).toBe(200);
  expect(text).not.toMatch(/search_info|ref_1/);
});

test.each([
  ['a model without a search', { enable_search: true }, 'qwen3-coder-plus', 'This model does not support enable_search.'],
  ['a switch that is none', { enable_search: 'yes' }, 'qwen-plus', 'enable_search'],
  ['options that are none', { search_options: 'turbo' }, 'qwen-plus', 'search_options'],
  ['a strategy nobody knows', { search_options: { search_strategy: 'wild' } }, 'qwen-plus', 'search_strategy'],
  ['a form nobody knows', { search_options: { citation_format: '(<number>)' } }, 'qwen-plus', 'citation_format'],
])('%s is refused', async (_name, more, model, told) => {
  const { status, text } = await compatible(more, model);
  expect([status, text.includes(told)]).toEqual([400, true]);
});

test('strict: compatible mode takes no options of the native protocol', async () => {
  simulator.setStrict('qwen', true);
  expect((await compatible({ enable_search: true, search_options: { enable_source: true } })).status).toBe(400);
  expect((await native({ enable_search: true, search_options: { enable_source: true } })).status).toBe(200);
});
