import { describe, expect, test } from 'vitest';
import { type Ask, BOX_TOOL, chatBody, type Json, openDesk, saying } from './glm-desk.ts';

const ask = (body: unknown, more: Partial<Ask> = {}) => openDesk().ask({ body, ...more });
const TWO_CALLS = '[[sim:call name=count_boxes args={"hall":"B"}]] [[sim:call name=count_boxes args={"hall":"C"}]]';
const calls = (told: { json: Json }) =>
  told.json['choices']!['0']!['message']!['tool_calls'] as unknown as { id: string; function: { arguments: unknown } }[];

function expectSorted(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const keys = Object.keys(value);
  if (!Array.isArray(value)) expect(keys).toEqual([...keys].sort());
  Object.values(value).forEach(expectSorted);
}

describe('whole answers', () => {
  test('hold exactly the recorded keys, in alphabetical order', () => {
    const told = ask(saying('[[sim:say text="The Loire."]]', { request_id: 'relay-000001' }));
    expect(told.type).toBe('application/json; charset=UTF-8');
    expectSorted(JSON.parse(told.text));
    expect(told.json).toEqual({
      choices: [
        { finish_reason: 'stop', index: 0, message: { content: 'The Loire.', reasoning_content: expect.any(String), role: 'assistant' } },
      ],
      created: 1788228930,
      id: expect.stringMatching(/^20260901101530[0-9a-f]{16}$/),
      model: 'glm-4.7',
      object: 'chat.completion',
      request_id: 'relay-000001',
      usage: {
        completion_tokens: told.accounting.completionTokens,
        completion_tokens_details: { reasoning_tokens: told.accounting.reasoningTokens },
        prompt_tokens: told.accounting.promptTokens,
        prompt_tokens_details: { cached_tokens: 0 },
        total_tokens: told.accounting.promptTokens + told.accounting.completionTokens,
      },
    });
    expect(told.accounting.completionTokens).toBe(told.accounting.reasoningTokens + 4);
  });

  test('make a request_id equal to the id when none was sent', () => {
    const { json } = ask(chatBody());
    expect(json['request_id']).toBe(json['id']);
  });

  test('an id carries Beijing’s date, also when UTC is a day behind', () => {
    expect(ask(chatBody(), { nowMs: Date.UTC(2026, 11, 31, 16, 0, 1) }).json['id']).toMatch(/^20270101000001/);
  });

  test('tool ids are negative 64-bit integers that count upward', () => {
    const told = ask(saying(TWO_CALLS, { tools: [BOX_TOOL] }));
    const ids = calls(told).map((call) => BigInt(call.id.replace(/^call_/, '')));
    expect(ids[1]! - ids[0]!).toBe(1n);
    expect(ids[0]).toBeLessThan(0n);
    expect(ids[0]).toBeGreaterThan(-(2n ** 63n));
    expect(told.json['choices']!['0']!['message']).toMatchObject({
      content: '',
      tool_calls: [{ index: 0, type: 'function' }, { index: 1 }],
    });
    expectSorted(JSON.parse(told.text));
  });

  test('old models print no reasoning details', () => {
    expect(ask(chatBody({ model: 'glm-4-plus' })).json['usage']).not.toHaveProperty('completion_tokens_details');
  });

  test.each([
    ['2025', { model: 'glm-4.5' }, /^\n\S/],
    ['old', {}, /^\S/],
  ])('profile %s has no object', (value, difference, content) => {
    const { json } = ask(chatBody(difference), { faults: [{ name: 'profile', args: { value } }] });
    expect(json).not.toHaveProperty('object');
    expect(json['choices']!['0']!['message']!['content']).toMatch(content);
  });

  test('a long prompt seen twice is read from the cache', () => {
    const desk = openDesk();
    const body = chatBody({ messages: [{ role: 'user', content: '字'.repeat(300) }] });
    expect(desk.ask({ body }).accounting.cachedTokens).toBe(0);
    const { accounting, json } = desk.ask({ body });
    expect(accounting.cachedTokens).toBe(256);
    expect(json['usage']!['prompt_tokens_details']).toEqual({ cached_tokens: 256 });
  });

  test('web_search adds its results, up to three', () => {
    const search = { enable: true, search_engine: 'search_pro', search_query: 'harbour', count: 2 };
    const { json } = ask(chatBody({ tools: [{ type: 'web_search', web_search: search }] }));
    expect(json['web_search']).toHaveLength(2);
    expect(json['web_search']!['0']).toMatchObject({
      refer: 'ref_1',
      title: 'Result 1 for harbour',
      link: expect.stringMatching(/^https:/),
    });
    const off = { ...search, enable: false };
    expect(ask(chatBody({ tools: [{ type: 'web_search', web_search: off }] })).json).not.toHaveProperty('web_search');
  });

  test('JSON mode answers JSON', () => {
    const { json } = ask(chatBody({ response_format: { type: 'json_object' } }));
    expect(JSON.parse(String(json['choices']!['0']!['message']!['content']))).toBeTypeOf('object');
  });
});

describe('finish reasons', () => {
  const choice = (body: unknown, more: Partial<Ask> = {}) => ask(body, more).json['choices']!['0']! as Json;

  test('reasoning eats a small max_tokens: length with empty content', () => {
    const found = choice(saying('[[sim:think n=50]] why', { max_tokens: 10 }));
    expect(found).toMatchObject({ finish_reason: 'length', message: { content: '' } });
    expect(found['message']!['reasoning_content']).toMatch(/\S/);
  });

  test('length on demand', () => {
    expect(choice(saying('[[sim:finish value=length]]'))).toMatchObject({ finish_reason: 'length', message: { content: '' } });
  });

  test('a stop word ends the text before it', () => {
    const found = choice(saying('[[sim:say text="one END two"]]', { stop: ['END'] }));
    expect(found).toMatchObject({ finish_reason: 'stop', message: { content: expect.stringMatching(/^one/) } });
    expect(found['message']!['content']).not.toContain('two');
  });

  test('sensitive withdraws the text and adds content_filter', () => {
    for (const directive of ['finish value=sensitive', 'moderation where=output']) {
      const { json } = ask(saying(`[[sim:${directive}]] [[sim:say text="secret"]]`));
      expect(json['choices']!['0']).toMatchObject({ finish_reason: 'sensitive', message: { content: '' } });
      expect(json['content_filter']).toEqual([{ role: 'assistant', level: 1 }]);
      expect(JSON.stringify(json)).not.toContain('secret');
    }
  });

  test.each(['network_error', 'model_context_window_exceeded', 'something_new'])('%s', (value) => {
    expect(choice(saying(`[[sim:finish value=${value}]]`))['finish_reason']).toBe(value);
  });

  test('none at all', () => {
    expect(choice(saying('[[sim:finish value=null]]'))).not.toHaveProperty('finish_reason');
  });

  test.each([
    ['glm-4.5v', 65_536, 'model_context_window_exceeded'],
    ['glm-4-airx', 8192, 'length'],
  ])('a full context of %s ends the answer with its own reason', (model, context, reason) => {
    // Four tokens of every message are overhead; the last ten are left for the answer.
    const user = `[[sim:tokens n=500]]${'字'.repeat(context)}`;
    const cost = ask(saying('[[sim:tokens n=500]]', { model })).accounting.promptTokens;
    const body = saying(user.slice(0, user.length - cost - 10), { model, thinking: { type: 'disabled' } });
    expect(choice(body)['finish_reason']).toBe(reason);
  });

  test('tool_calls without a call', () => {
    const found = choice(saying('[[sim:tool-args value=no-call]] hi', { tools: [BOX_TOOL] }));
    expect(found['finish_reason']).toBe('tool_calls');
    expect(found['message']).not.toHaveProperty('tool_calls');
  });
});

describe('odd shapes on demand', () => {
  const tools = { tools: [BOX_TOOL] };
  test('another model answers', () => {
    expect(ask(saying('[[sim:shape value=model]]', { model: 'glm-5.2' })).json['model']).toBe('glm-5.3');
    expect(ask(saying('[[sim:shape value=model to=glm-4.6]]')).json['model']).toBe('glm-4.6');
  });

  test('arguments as an object', () => {
    const told = ask(saying(`[[sim:tool-args value=object]] ${TWO_CALLS}`, tools));
    expect(calls(told).map((call) => call.function.arguments)).toEqual([{ hall: 'B' }, { hall: 'C' }]);
  });

  test('arguments cut short', () => {
    const [first] = calls(ask(saying(`[[sim:tool-args value=cut]] ${TWO_CALLS}`, tools)));
    expect(first!.function.arguments).toBe('{"hall":"B');
  });
});
