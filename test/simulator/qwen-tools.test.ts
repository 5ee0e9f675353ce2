import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { callWeather, choiceOf, type Desk, openDesk, user, WEATHER } from './qwen-desk.ts';

let desk: Desk;
const nowMs = 1_790_000_000_000;
beforeAll(async () => {
  desk = await openDesk(() => nowMs);
});
afterAll(() => desk.close());
beforeEach(() => desk.simulator.reset());

describe('rows 6 and 7: tool calls', () => {
  const tools = [WEATHER];

  test('whole answer', async () => {
    const { json } = await desk.chat({ ...callWeather, tools });
    expect(choiceOf(json)).toEqual({
      message: {
        content: '',
        role: 'assistant',
        tool_calls: [
          {
            function: { name: 'get_weather', arguments: '{"city":"Paris today"}' },
            id: expect.stringMatching(/^call_[0-9a-f]{24}$/),
            index: 0,
            type: 'function',
          },
        ],
      },
      finish_reason: 'tool_calls',
      index: 0,
      logprobs: null,
    });
  });

  test('a named head, nameless fragments with id "", a bare tail, the finish', async () => {
    const { frames } = await desk.chat({ ...callWeather, tools, stream: true });
    const choices = frames.map((frame) => choiceOf(frame));
    const head = choices[0]?.delta;
    expect(head).toMatchObject({
      content: null,
      role: 'assistant',
      tool_calls: [{ index: 0, type: 'function', function: { name: 'get_weather', arguments: '' } }],
    });
    const fragments = choices.slice(1, -2);
    expect(fragments.length).toBeGreaterThan(1);
    for (const { delta } of fragments) {
      expect(delta.tool_calls[0]).toMatchObject({ id: '', index: 0 });
      expect(delta.tool_calls[0].function).not.toHaveProperty('name');
    }
    expect(fragments.map(({ delta }) => delta.tool_calls[0].function.arguments).join('')).toBe('{"city":"Paris today"}');
    expect(choices.at(-2)).toEqual({
      delta: { tool_calls: [{ index: 0, id: '', type: 'function', function: { arguments: '' } }] },
      index: 0,
    });
    expect(choices.at(-1)).toEqual({ delta: {}, finish_reason: 'tool_calls', index: 0, logprobs: null });
  });

  test.each([
    ['repeat-id', { id: expect.stringMatching(/^call_/), function: { name: '' } }],
    ['null-name', { id: expect.stringMatching(/^call_/), function: { name: null } }],
    ['null-arguments', { id: '', function: { name: null, arguments: null } }],
    ['trailing', { id: expect.stringMatching(/^call_/), function: { arguments: '{"city":"Paris today"}' } }],
  ])('variant %s', async (variant, second) => {
    const content = `[[sim:fragments variant=${variant}]] [[sim:call name=get_weather args={"city":"Paris today"}]]`;
    const { frames } = await desk.chat({ ...user(content), tools, stream: true });
    const choices = frames.map((frame) => choiceOf(frame));
    expect(choices[1]?.delta.tool_calls[0]).toMatchObject(second);
    expect('finish_reason' in (choices[1] ?? {})).toBe(variant !== 'trailing');
    expect(choices.map(({ delta }) => delta.tool_calls?.[0].function.arguments ?? '').join('')).toBe('{"city":"Paris today"}');
  });

  test('one call unless parallel_tool_calls is true', async () => {
    const content = '[[sim:call name=get_weather args={"city":"A"}]] [[sim:call name=get_weather args={"city":"B"}]]';
    const calls = async (change: object): Promise<number> =>
      choiceOf((await desk.chat({ ...user(content), tools, ...change })).json).message.tool_calls.length;
    expect(await calls({})).toBe(1);
    expect(await calls({ parallel_tool_calls: true })).toBe(2);
    const { frames } = await desk.chat({ ...user(content), tools, parallel_tool_calls: true, stream: true });
    const indexes = frames.flatMap((frame) => choiceOf(frame).delta.tool_calls ?? []).map((call) => call.index);
    expect(new Set(indexes)).toEqual(new Set([0, 1]));
  });

  test('nested arguments come in one piece unless tool_stream', async () => {
    const content = '[[sim:call name=get_weather args={"places":[{"city":"Paris"},{"city":"Oslo"}]}]]';
    const pieces = async (change: object): Promise<number> =>
      (await desk.chat({ ...user(content), model: 'qwen3.7-max', enable_thinking: false, tools, stream: true, ...change })).frames.filter(
        (frame) => choiceOf(frame).delta.tool_calls?.[0].function.arguments,
      ).length;
    expect(await pieces({})).toBe(1);
    expect(await pieces({ tool_stream: true })).toBeGreaterThan(3);
  });

  test('a tool loop ends in text that quotes the result', async () => {
    const messages = [
      ...callWeather.messages,
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Paris"}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: '21 degrees' },
    ];
    const { json } = await desk.chat({ messages, tools });
    expect(choiceOf(json)).toMatchObject({ finish_reason: 'stop', message: { content: expect.stringContaining('21 degrees') } });
  });

  test('forced calls without thinking', async () => {
    for (const tool_choice of ['required', { type: 'function', function: { name: 'get_weather' } }]) {
      const { json } = await desk.chat({ tools, tool_choice });
      expect(choiceOf(json).finish_reason).toBe('tool_calls');
    }
    expect(choiceOf((await desk.chat({ ...callWeather, tools, tool_choice: 'none' })).json).finish_reason).toBe('stop');
  });
});
