/** The Vercel AI SDK with its OpenAI provider, told to use chat completions, on every backend. */
import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, embed, embedMany, generateText, Output, RetryError, stepCountIs, streamText, tool } from 'ai';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { BOTH, BOTH_ARGS } from '../e2e/tools.ts';
import { aborted, CLIENT_CASES, FAILURES, impatientFetch, LONG, rigOfClients, WITHIN } from './cases.ts';

const rig = rigOfClients();
const provider = (request: typeof fetch = impatientFetch()) =>
  createOpenAI({ baseURL: `${rig().url}/v1`, apiKey: rig().keyOf('main'), fetch: request });

const Book = z.object({
  title: z.string(),
  pages: z.number().int(),
  tags: z.array(z.enum(['new', 'old'])),
  author: z.object({ name: z.string() }),
});

/** Tools that note what they were called with. */
function tools() {
  const heard: unknown[] = [];
  const noting = (said: string) => async (args: unknown) => {
    heard.push(args);
    return { said };
  };
  return {
    heard,
    tools: {
      get_weather: tool({
        description: 'The weather in a city',
        inputSchema: z.object({ city: z.string(), days: z.number().int() }),
        execute: noting('rain of 7 degrees'),
      }),
      get_time: tool({ description: 'The time in a city', inputSchema: z.object({ city: z.string() }), execute: noting('half past nine') }),
    },
  };
}

describe.each(CLIENT_CASES)('$backend', ({ backend, vendor, chat, thinker, embedder, dimensions, listLimit }) => {
  test('chat: generateText with a system text, settings and usage', async () => {
    const answer = await generateText({
      model: provider().chat(chat),
      instructions: 'Answer briefly.',
      prompt: 'Tell me about lighthouses',
      temperature: 0.2,
      maxOutputTokens: 200,
      stopSequences: ['zzz'],
      seed: 7,
      maxRetries: 0,
    });
    expect(answer).toMatchObject({ text: expect.stringContaining('lighthouses'), finishReason: 'stop', warnings: [] });
    const { inputTokens, outputTokens, totalTokens } = answer.usage;
    expect(totalTokens).toBe((inputTokens ?? Number.NaN) + (outputTokens ?? Number.NaN));
    expect(answer.response.modelId).toBe(chat);
    expect(rig().records[0]).toMatchObject({
      attempts: [{ backend }],
      usage: { promptTokens: inputTokens, completionTokens: outputTokens },
    });
  });

  test('chat: a model that thinks, as the SDK asks one: developer message and max_completion_tokens', async () => {
    const sent: unknown[] = [];
    const model = provider((input, init) => {
      sent.push(JSON.parse(String(init?.body)));
      return fetch(input, init);
    }).chat(thinker);
    const answer = await generateText({
      model,
      instructions: 'Be exact.',
      prompt: 'Why is the sea salt?',
      maxOutputTokens: 2000,
      providerOptions: { openai: { reasoningEffort: 'low' } },
      maxRetries: 0,
    });
    expect(answer).toMatchObject({ text: expect.stringMatching(/\S/), finishReason: 'stop' });
    expect(sent).toMatchObject([
      { max_completion_tokens: 2000, reasoning_effort: 'low', messages: [{ role: 'developer' }, { role: 'user' }] },
    ]);
    expect(rig().seen()).toHaveLength(1);
  });

  test('chat: a conversation in parts is carried', async () => {
    const answer = await generateText({
      model: provider().chat(chat),
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'One' },
            { type: 'text', text: 'two' },
          ],
        },
        { role: 'assistant', content: [{ type: 'text', text: 'Three.' }] },
        { role: 'user', content: '[[sim:echo]] and the last word' },
      ],
      maxRetries: 0,
    });
    expect(answer.text).toContain('the last word');
  });

  test('stream: streamText gives the text of generateText, and the usage', async () => {
    const ask = { model: provider().chat(chat), prompt: 'Tell me about harbours ⚓ [[sim:tokens n=50]]', maxRetries: 0 };
    const whole = await generateText(ask);
    const stream = streamText(ask);
    const parts: string[] = [];
    for await (const part of stream.textStream) parts.push(part);
    expect(parts.length).toBeGreaterThan(5);
    expect(parts.join('')).toBe(whole.text);
    expect(await stream.finishReason).toBe('stop');
    expect(await stream.usage).toMatchObject({ inputTokens: whole.usage.inputTokens, outputTokens: 50 });
  });

  test.each([false, true])('tools: the loop of calls and results runs to its end, streamed: %s', async (stream) => {
    const { heard, tools: offered } = tools();
    const ask = { model: provider().chat(chat), prompt: BOTH, tools: offered, stopWhen: stepCountIs(4), maxRetries: 0 };
    const result = stream ? streamText(ask) : await generateText(ask);
    const text = await result.text;
    const steps = await result.steps;
    expect(heard).toEqual(BOTH_ARGS);
    expect(text).toContain('rain of 7 degrees');
    expect(text).toContain('half past nine');
    expect(steps.map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'stop']);
    expect(steps[0]?.toolCalls.map(({ toolName, input }) => [toolName, input])).toEqual([
      ['get_weather', BOTH_ARGS[0]],
      ['get_time', BOTH_ARGS[1]],
    ]);
    expect(rig().seen()).toHaveLength(2);
  });

  test.each([
    ['required', 'required', ['get_weather']],
    ['none', 'none', []],
    ['named', { type: 'tool', toolName: 'get_time' }, ['get_time']],
  ] as const)('tools: toolChoice %s', async (_name, toolChoice, expected) => {
    const { tools: offered } = tools();
    const answer = await generateText({ model: provider().chat(chat), prompt: 'Hello', tools: offered, toolChoice, maxRetries: 0 });
    expect(answer.toolCalls.map(({ toolName }) => toolName)).toEqual(expected);
    expect(answer.finishReason).toBe(expected.length > 0 ? 'tool-calls' : 'stop');
  });

  test('structured output: an object by schema, whole and streamed; a list; a choice; plain JSON', async () => {
    const ask = { model: provider().chat(chat), prompt: 'A book about lighthouses', maxRetries: 0 };
    const object = Output.object({ schema: Book });
    const { output } = await generateText({ ...ask, output: object });
    expect(Book.parse(output)).toEqual(output);
    const stream = streamText({ ...ask, output: object });
    let parts = 0;
    for await (const _ of stream.partialOutputStream) parts += 1;
    expect(parts).toBeGreaterThan(1);
    expect(await stream.output).toEqual(output);
    const list = await generateText({ ...ask, output: Output.array({ element: Book }) });
    expect(z.array(Book).parse(list.output)).toEqual(list.output);
    const choice = await generateText({ ...ask, output: Output.choice({ options: ['sea', 'land'] }) });
    expect(['sea', 'land']).toContain(choice.output);
    const json = await generateText({ ...ask, prompt: 'A book as JSON', output: Output.json() });
    expect(json.output).toBeTypeOf('object');
  });

  test('embeddings: one, and many beyond the vendor’s own limit', async () => {
    const model = provider().embedding(embedder);
    expect((await embed({ model, value: 'a lighthouse', maxRetries: 0 })).embedding).toHaveLength(dimensions);
    const values = Array.from({ length: listLimit + 3 }, (_, index) => `text ${index}`);
    const { embeddings, usage } = await embedMany({ model, values, maxRetries: 0 });
    expect(embeddings.map((vector) => vector.length)).toEqual(values.map(() => dimensions));
    expect(usage.tokens).toBeGreaterThan(0);
    expect(rig().records).toHaveLength(2);
  });

  test.each(FAILURES)('errors: $fault is $status', async ({ fault, status, code }) => {
    const ask = { model: provider().chat(chat), prompt: `hello [[sim:${fault}]]`, maxRetries: 0 };
    const thrown: unknown = await generateText(ask).catch((error: unknown) => error);
    expect(APICallError.isInstance(thrown)).toBe(true);
    expect(thrown).toMatchObject({ statusCode: status, data: { error: { code, message: expect.stringMatching(/\S/) } } });
    const heard: unknown[] = [];
    const stream = streamText({ ...ask, onError: ({ error }) => void heard.push(error) });
    await stream.consumeStream();
    expect(heard).toMatchObject([{ statusCode: status }]);
  });

  test('errors: one in the middle of a stream is told as one, never as a finished answer', async () => {
    const heard: unknown[] = [];
    const prompt = '[[sim:tokens n=30]] [[sim:mid-error after=5]]';
    const stream = streamText({ model: provider().chat(chat), prompt, maxRetries: 0, onError: ({ error }) => void heard.push(error) });
    const parts: string[] = [];
    for await (const part of stream.fullStream) parts.push(part.type);
    expect(parts).toContain('text-delta');
    expect(parts).toContain('error');
    expect(heard).toHaveLength(1);
    expect(JSON.stringify(heard)).toContain('upstream_overloaded');
  });

  test('retries: a failure that passes is asked again, one that does not is given up', async () => {
    const model = provider().chat(chat);
    rig().simulator.setFault({ name: 'overload', vendor, times: 2 });
    expect((await generateText({ model, prompt: 'hello', maxRetries: 2 })).finishReason).toBe('stop');
    expect(rig().seen()).toHaveLength(3);
    rig().reset();
    const thrown: unknown = await generateText({ model, prompt: '[[sim:overload]]', maxRetries: 1 }).catch((error: unknown) => error);
    expect(RetryError.isInstance(thrown)).toBe(true);
    expect(rig().seen()).toHaveLength(2);
  });

  test('abort: the vendor’s call is closed, streamed and whole', async () => {
    const leave = new AbortController();
    const model = provider().chat(chat);
    const stream = streamText({ model, prompt: LONG, maxRetries: 0, abortSignal: leave.signal, onError: () => undefined });
    const whole = generateText({ model, prompt: '[[sim:silent]]', maxRetries: 0, abortSignal: leave.signal });
    const refused = expect(whole).rejects.toThrow(/abort/i);
    for await (const part of stream.fullStream) {
      if (part.type !== 'text-delta') continue;
      await expect.poll(() => rig().seen().length, WITHIN).toBe(2);
      leave.abort();
    }
    await refused;
    await expect.poll(() => aborted(rig()), WITHIN).toEqual([true, true]);
    await expect.poll(() => rig().records.map(({ reason }) => reason), WITHIN).toEqual(['client_gone', 'client_gone']);
  });
});
