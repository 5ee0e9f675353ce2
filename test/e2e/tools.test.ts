import type { ChatCompletionTool } from 'openai/resources/chat/completions';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkCompletion, type Folded, foldCompletion, foldStream } from '../contract/openai-schema.ts';
import { type Rig, startRig, user } from './rig.ts';
import { BOTH, BOTH_ARGS, SEARCH, TIME, WEATHER } from './tools.ts';
import { VENDOR_CASES } from './vendors.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

/** Asks twice, whole and streamed: both must keep the contract and say the same. */
async function ask(body: Record<string, unknown>): Promise<Folded> {
  const whole = await rig.raw(body);
  expect(whole.status, whole.text).toBe(200);
  expect(checkCompletion(whole.json())).toEqual([]);
  const seen = (await rig.raw({ ...body, stream: true })).stream();
  expect(seen.problems).toEqual([]);
  const folded = foldCompletion(whole.json());
  const ids = (choices: Folded['choices']) =>
    choices.map((choice) => ({ ...choice, tool_calls: choice.tool_calls?.map((call) => ({ ...call, id: typeof call.id })) }));
  expect(ids(foldStream(seen.chunks).choices)).toEqual(ids(folded.choices));
  return folded;
}

const called = (folded: Folded) => folded.choices.flatMap(({ tool_calls: calls }) => (calls ?? []).map((call) => call.function));

describe.each(VENDOR_CASES)('$vendor', ({ chat, thinker }) => {
  const both = [WEATHER, TIME];

  test('parallel calls come whole, in order, with ids of their own', async () => {
    const folded = await ask({ model: chat, messages: [user(BOTH)], tools: both });
    expect(folded.choices[0]?.finish_reason).toBe('tool_calls');
    expect(called(folded).map(({ name }) => name)).toEqual(['get_weather', 'get_time']);
    expect(called(folded).map((call) => JSON.parse(call.arguments) as unknown)).toEqual(BOTH_ARGS);
    expect(new Set(folded.choices[0]?.tool_calls?.map(({ id }) => id)).size).toBe(2);
  });

  test('a thinking model calls as well', async () => {
    const folded = await ask({ model: thinker, messages: [user(BOTH)], tools: both });
    expect(called(folded)).toHaveLength(2);
    expect(folded.choices[0]?.reasoning_content).toBeTruthy();
  });

  test('parallel_tool_calls false: one call', async () => {
    const folded = await ask({ model: chat, messages: [user(BOTH)], tools: both, parallel_tool_calls: false });
    expect(called(folded).map(({ name }) => name)).toEqual(['get_weather']);
  });

  test.each([
    ['none', 'none', []],
    ['auto, nothing to call for', 'auto', []],
    ['required', 'required', ['get_weather']],
    ['named', { type: 'function', function: { name: 'get_time' } }, ['get_time']],
    [
      'allowed, required',
      { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'get_time' } }] } },
      ['get_time'],
    ],
    [
      'allowed, auto',
      { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'get_time' } }] } },
      [],
    ],
  ])('tool_choice %s', async (name, choice, expected) => {
    for (const model of [chat, thinker]) {
      const prompt = name === 'none' ? 'Please get_weather of Paris' : 'Tell me about lighthouses';
      const folded = await ask({ model, messages: [user(prompt)], tools: both, tool_choice: choice });
      expect(called(folded).map((call) => call.name)).toEqual(expected);
      expect(folded.choices[0]?.finish_reason).toBe(expected.length === 0 ? 'stop' : 'tool_calls');
      for (const call of called(folded)) expect(JSON.parse(call.arguments)).toMatchObject({ city: expect.any(String) });
    }
  });

  test('a function that is not allowed is not offered', async () => {
    const choice = {
      type: 'allowed_tools',
      allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'get_time' } }] },
    };
    await rig.raw({ model: chat, messages: [user('get_weather and get_time')], tools: both, tool_choice: choice });
    expect((rig.lastBody()['tools'] as ChatCompletionTool[]).map((tool) => tool.type === 'function' && tool.function.name)).toEqual([
      'get_time',
    ]);
  });

  test('a reserved function name comes back as it was sent', async () => {
    const folded = await ask({ model: chat, messages: [user('search for boats')], tools: [SEARCH] });
    expect(called(folded).map(({ name }) => name)).toEqual(['search']);
  });

  test('a function without description or parameters can be called', async () => {
    const folded = await ask({ model: chat, messages: [user('now ping')], tools: [{ type: 'function', function: { name: 'ping' } }] });
    expect(called(folded)).toEqual([{ name: 'ping', arguments: '{}' }]);
  });

  test('deprecated functions and function_call', async () => {
    const functions = both.map((tool) => (tool as { function: unknown }).function);
    for (const choice of ['auto', { name: 'get_weather' }]) {
      const body = { model: chat, messages: [user('get_weather of Paris')], functions, function_call: choice };
      const whole = await rig.raw(body);
      expect(checkCompletion(whole.json())).toEqual([]);
      const { choices } = whole.json() as { choices: [{ finish_reason: string; message: Record<string, unknown> }] };
      const { arguments: args } = choices[0].message['function_call'] as { arguments: string };
      expect(choices[0]).toMatchObject({
        finish_reason: choice === 'auto' ? 'function_call' : expect.stringMatching(/^(function_call|stop)$/),
        message: { content: null, function_call: { name: 'get_weather' } },
      });
      expect(JSON.parse(args)).toHaveProperty('city');
      const stream = await rig.raw({ ...body, stream: true });
      const deltas = stream.stream().chunks as { choices: { delta: { function_call?: { name?: string; arguments?: string } } }[] }[];
      expect(stream.stream().problems).toEqual([]);
      const pieces = deltas.flatMap((chunk) =>
        chunk.choices.flatMap(({ delta }) => (delta.function_call === undefined ? [] : [delta.function_call])),
      );
      expect(pieces.map(({ name }) => name ?? '').join('')).toBe('get_weather');
      expect(pieces.map((piece) => piece.arguments ?? '').join('')).toBe(args);
    }
    const answered = await rig.raw({
      model: chat,
      functions,
      messages: [
        user('get_weather'),
        { role: 'assistant', content: null, function_call: { name: 'get_weather', arguments: '{"city":"Paris"}' } },
        { role: 'function', name: 'get_weather', content: 'sunny and warm' },
      ],
    });
    expect(answered.status, answered.text).toBe(200);
    expect(answered.text).toContain('sunny and warm');
  });

  test.each([false, true])('the SDK runs the loop of calls and results to its end, streamed: %s', async (stream) => {
    const heard: unknown[] = [];
    const tool = (name: string, answer: string) => ({
      type: 'function' as const,
      function: {
        name,
        description: name,
        parameters: { type: 'object', properties: { city: { type: 'string' } } },
        parse: JSON.parse as (text: string) => { city: string },
        function: (args: { city: string }) => {
          heard.push(args);
          return answer;
        },
      },
    });
    const params = {
      model: chat,
      messages: [user(BOTH)],
      tools: [tool('get_weather', 'rain of 7 degrees'), tool('get_time', 'half past nine')],
    };
    const { completions } = rig.client().chat;
    const runner = stream ? completions.runTools({ ...params, stream: true }) : completions.runTools(params);
    const text = await runner.finalContent();
    expect(heard).toEqual(BOTH_ARGS);
    expect(text).toContain('rain of 7 degrees');
    expect(text).toContain('half past nine');
    expect(rig.seen()).toHaveLength(2);
  });

  test('the SDK’s stream helper puts the calls together', async () => {
    const runner = rig.client().chat.completions.stream({ model: chat, messages: [user(BOTH)], tools: both });
    const done: unknown[] = [];
    runner.on('tool_calls.function.arguments.done', ({ name, arguments: args }) => done.push([name, JSON.parse(args)]));
    const { choices } = await runner.finalChatCompletion();
    expect(choices[0]?.finish_reason).toBe('tool_calls');
    expect(choices[0]?.message.content).toBeNull();
    const calls = (choices[0]?.message.tool_calls ?? []).flatMap((call) => (call.type === 'function' ? [call.function] : []));
    expect(calls.map((call) => [call.name, JSON.parse(call.arguments) as unknown])).toEqual([
      ['get_weather', BOTH_ARGS[0]],
      ['get_time', BOTH_ARGS[1]],
    ]);
    expect(done).toEqual(calls.map((call) => [call.name, JSON.parse(call.arguments) as unknown]));
  });

  test('calls and results of earlier turns are carried with content null, parts and empty arguments', async () => {
    const answer = await rig.raw({
      model: chat,
      tools: both,
      messages: [
        user('go'),
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'call_a', type: 'function', function: { name: 'get_weather', arguments: '' } },
            { id: 'call_b', type: 'function', function: { name: 'get_time', arguments: '{"city":"Rome"}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_b', content: [{ type: 'text', text: 'noon' }] },
        { role: 'tool', tool_call_id: 'call_a', content: '' },
      ],
    });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.text).toContain('noon');
  });

  test('a call cut by max_tokens ends in length', async () => {
    const folded = await ask({
      model: chat,
      messages: [user('[[sim:call name=get_time args={"city":"a very long name of a city indeed, longer than the limit"}]]')],
      tools: both,
      max_tokens: 8,
    });
    expect(folded.choices[0]?.finish_reason).toBe('length');
  });
});

test('a model that will not call although it must is asked again, then told as upstream_unmet', async () => {
  for (const stream of [false, true]) {
    rig.reset();
    // The model writes its call into the text instead.
    const body = { model: 'glm-chat', messages: [user('[[sim:leak-call]]')], tools: [WEATHER], tool_choice: 'required', stream };
    const answer = await rig.raw(body);
    expect(answer.status).toBe(502);
    expect(answer.json()).toMatchObject({ error: { type: 'server_error', code: 'upstream_unmet' } });
    expect(answer.headers.get('x-should-retry')).toBe('false');
    expect(rig.seen()).toHaveLength(2);
  }
});
