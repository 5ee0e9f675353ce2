import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { countTokens } from '../../simulator/kernel/tokens.ts';
import { choiceOf, type Desk, KEY, openDesk, says, user } from './qwen-desk.ts';

let desk: Desk;
const nowMs = 1_790_000_000_000;
beforeAll(async () => {
  desk = await openDesk(() => nowMs);
});
afterAll(() => desk.close());
beforeEach(() => desk.simulator.reset());

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-9[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/;

describe('row 1: plain completion', () => {
  test('body, ids and headers', async () => {
    const { status, json, headers } = await desk.chat(says('Hangzhou is in Zhejiang.'));
    const id = headers.get('x-request-id') ?? '';
    expect(status).toBe(200);
    expect(id).toMatch(UUID);
    const prompt = countTokens('[[sim:say text="Hangzhou is in Zhejiang."]]') + 4;
    const completion = countTokens('Hangzhou is in Zhejiang.');
    expect(json).toEqual({
      choices: [{ message: { content: 'Hangzhou is in Zhejiang.', role: 'assistant' }, finish_reason: 'stop', index: 0, logprobs: null }],
      object: 'chat.completion',
      usage: {
        prompt_tokens: prompt,
        completion_tokens: completion,
        total_tokens: prompt + completion,
        prompt_tokens_details: { cached_tokens: 0 },
      },
      created: nowMs / 1000,
      system_fingerprint: null,
      model: 'qwen-plus',
      id: `chatcmpl-${id}`,
    });
    expect(headers.get('content-type')).toBe('application/json');
    const names = [...headers.keys()];
    expect(names.filter((name) => name.startsWith('x-ratelimit') || name === 'retry-after')).toEqual([]);
  });

  test('row 28: headers that must not leak further are there', async () => {
    const { headers } = await desk.chat({});
    expect(headers.get('set-cookie')).toMatch(/^acw_tc=[0-9a-f]{32};.*Max-Age=1800/);
    expect(JSON.parse(headers.get('x-dashscope-inner-flow-control-meta') ?? '')).toMatchObject({ requestLimit: 60 });
  });

  test('same request, same text; its usage sums up in the counters', async () => {
    const [one, two] = [await desk.chat({ seed: 1 }), await desk.chat({ seed: 1 })];
    expect(one.json.choices).toEqual(two.json.choices);
    expect(one.json.id).not.toBe(two.json.id);
    const [row] = desk.simulator.usage();
    expect(row).toMatchObject({
      key: 'good-beijing',
      model: 'qwen-plus',
      requests: 2,
      promptTokens: one.json.usage.prompt_tokens * 2,
      completionTokens: one.json.usage.completion_tokens * 2,
    });
  });

  test('several choices', async () => {
    const { json } = await desk.chat({ n: 3 });
    const texts = json.choices.map((choice) => choice.message.content);
    expect(new Set(texts).size).toBe(3);
    expect(json.usage.completion_tokens).toBe(texts.reduce((total, text) => total + countTokens(text), 0));
  });
});

describe('row 2: stream', () => {
  test('order of the frames; usage only when asked', async () => {
    const plain = await desk.chat({ ...says('Good day'), stream: true });
    expect(plain.headers.get('content-type')).toBe('text/event-stream;charset=UTF-8');
    expect(plain.done).toBe(true);
    expect(plain.frames.map((frame) => choiceOf(frame))).toEqual([
      { delta: { content: '', role: 'assistant' }, finish_reason: null, index: 0, logprobs: null },
      { delta: { content: 'Good' }, finish_reason: null, index: 0, logprobs: null },
      { delta: { content: ' day' }, finish_reason: null, index: 0, logprobs: null },
      { delta: { content: '' }, finish_reason: 'stop', index: 0, logprobs: null },
    ]);
    expect(plain.frames.every((frame) => !Object.hasOwn(frame, 'usage') && frame.object === 'chat.completion.chunk')).toBe(true);
    expect(new Set(plain.frames.map((frame) => frame.id)).size).toBe(1);

    const counted = await desk.chat({ ...says('Good day'), stream: true, stream_options: { include_usage: true } });
    expect(counted.frames.slice(0, -1).every((frame) => frame.usage === null)).toBe(true);
    expect(counted.frames.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 2 } });
    const unasked = await desk.chat({ ...user('[[sim:usage-always]] hi'), stream: true });
    expect(unasked.frames.at(-1)?.usage.total_tokens).toBeGreaterThan(0);
  });

  test('without [DONE] by fault', async () => {
    const { done, frames } = await desk.chat({ ...user('[[sim:no-done]] hi'), stream: true });
    expect(done).toBe(false);
    expect(choiceOf(frames.at(-1)).finish_reason).toBe('stop');
  });

  test('streamed and whole answers say the same', async () => {
    for (const body of [user('Tell me about 西湖 🙂'), { ...user('think'), enable_thinking: true }]) {
      const whole = choiceOf((await desk.chat(body)).json).message;
      const { frames } = await desk.chat({ ...body, stream: true });
      const join = (field: 'content' | 'reasoning_content'): string => frames.map((frame) => choiceOf(frame).delta[field] ?? '').join('');
      expect(join('content')).toBe(whole.content);
      expect(join('reasoning_content')).toBe(whole.reasoning_content ?? '');
    }
  });
});

describe('row 3: thinking', () => {
  test('reasoning first, then content, null beside each other', async () => {
    const { frames } = await desk.chat({ ...user('[[sim:think n=2]] [[sim:say text="Yes"]]'), model: 'qwen3.7-max', stream: true });
    const deltas = frames.map((frame) => choiceOf(frame).delta);
    expect(deltas[0]).toEqual({ content: null, role: 'assistant', reasoning_content: '' });
    expect(deltas.slice(1, 3).every((delta) => delta.content === null && delta.reasoning_content !== '')).toBe(true);
    expect(deltas.slice(3)).toEqual([
      { content: 'Yes', reasoning_content: null },
      { content: '', reasoning_content: null },
    ]);
  });

  test.each([
    ['qwen3.8-max', {}, true],
    ['qwen3.5-plus', {}, true],
    ['qwen3.5-plus', { enable_thinking: false }, false],
    ['qwen3-max', {}, false],
    ['qwen-plus', { enable_thinking: true }, true],
    ['qwen3-coder-plus', {}, false],
    ['qwen3-coder-plus', { enable_thinking: false }, false],
    ['deepseek-v4-pro', {}, false],
    ['qwen3.8-max', { reasoning_effort: 'none' }, false],
  ])('%s %j thinks: %s', async (model, change, thinks) => {
    const { json } = await desk.chat({ model, ...change });
    expect('reasoning_content' in choiceOf(json).message).toBe(thinks);
    expect((json.usage.completion_tokens_details?.reasoning_tokens ?? 0) > 0).toBe(thinks);
    if (thinks) {
      const { content, reasoning_content } = choiceOf(json).message;
      expect(json.usage.completion_tokens).toBe(countTokens(content) + countTokens(reasoning_content));
      expect(json.usage.completion_tokens_details.reasoning_tokens).toBe(countTokens(reasoning_content));
    }
  });

  test('row 18a: more effort, more reasoning; budget and limits', async () => {
    const reasoning = async (change: object): Promise<number> =>
      (await desk.chat({ model: 'qwen3.8-max', ...change })).json.usage.completion_tokens_details.reasoning_tokens;
    const [low, medium, high] = [
      await reasoning({ reasoning_effort: 'low' }),
      await reasoning({ reasoning_effort: 'medium' }),
      await reasoning({ reasoning_effort: 'high' }),
    ];
    expect(low).toBeLessThan(medium);
    expect(medium).toBeLessThan(high);
    expect(await reasoning({})).toBe(high);
    expect(await reasoning({ thinking_budget: 7 })).toBe(7);
    expect(await reasoning({ max_tokens: 3 })).toBe(high);
    const limited = await desk.chat({ model: 'qwen3.8-max', max_completion_tokens: 5 });
    expect(choiceOf(limited.json)).toMatchObject({ finish_reason: 'length', message: { content: '' } });
    expect(limited.json.usage.completion_tokens).toBe(5);
  });

  test('/no_think typed by the user stops open Qwen3', async () => {
    expect((await desk.chat({ ...user('Hello /no_think'), model: 'qwen3-32b' })).status).toBe(200);
    expect((await desk.chat({ model: 'qwen3-32b', enable_thinking: false })).status).toBe(200);
  });
});

describe('rows 11, 29, 30: JSON, cache, partial; images; embeddings and list by the official SDK', () => {
  test('JSON object and schema', async () => {
    const object = await desk.chat({ ...user('json please'), response_format: { type: 'json_object' } });
    expect(JSON.parse(choiceOf(object.json).message.content)).toBeTypeOf('object');
    const schema = { type: 'object', properties: { n: { type: 'integer', minimum: 5, maximum: 5 } }, required: ['n'] };
    const typed = await desk.chat({ response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } });
    expect(JSON.parse(choiceOf(typed.json).message.content)).toEqual({ n: 5 });
  });

  test('the second prompt of 256 tokens or more is cached', async () => {
    const cached = async (content: string): Promise<number> =>
      (await desk.chat(user(content))).json.usage.prompt_tokens_details.cached_tokens;
    const long = 'word '.repeat(256);
    expect([await cached(long), await cached(`${long} and more`), await cached('word '.repeat(255))]).toEqual([0, 256, 0]);
  });

  test('partial: only the continuation', async () => {
    const messages = [...says('Hello world').messages, { role: 'assistant', content: 'Hello', partial: true }];
    expect(choiceOf((await desk.chat({ messages })).json).message.content).toBe(' world');
  });

  test('images are seen and counted', async () => {
    const content = [
      { type: 'text', text: 'What is it?' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
    ];
    const { json } = await desk.chat({ ...user(content), model: 'qwen3-vl-plus' });
    expect(choiceOf(json).message.content).toContain('1 image');
    expect(json.usage.prompt_tokens_details).toMatchObject({ image_tokens: 256, text_tokens: countTokens('What is it?') + 4 });
  });

  test('stop and length', async () => {
    const stopped = await desk.chat({ ...says('one two three'), stop: 'two' });
    expect(choiceOf(stopped.json)).toMatchObject({ finish_reason: 'stop', message: { content: 'one ' } });
    const cut = await desk.chat({ ...says('one two three'), max_tokens: 1 });
    expect(choiceOf(cut.json)).toMatchObject({ finish_reason: 'length', message: { content: 'one' } });
  });

  test('the official SDK streams, embeds and lists', async () => {
    const client = new OpenAI({ apiKey: KEY, baseURL: desk.simulator.vendors.qwen?.baseUrl ?? '', maxRetries: 0 });
    let text = '';
    for await (const chunk of await client.chat.completions.create({
      model: 'qwen-plus',
      stream: true,
      messages: [{ role: 'user', content: '[[sim:say text="Ciao 🙂 mondo"]]' }],
    })) {
      text += chunk.choices[0]?.delta.content ?? '';
    }
    expect(text).toBe('Ciao 🙂 mondo');
    const vectors = await client.embeddings.create({
      model: 'text-embedding-v4',
      input: ['a b', 'a b', 'c'],
      encoding_format: 'float',
      dimensions: 64,
    });
    const [first, second, third] = vectors.data.map((row) => row.embedding);
    expect(first).toHaveLength(64);
    expect(first).toEqual(second);
    expect(first).not.toEqual(third);
    expect(Math.hypot(...(first ?? []))).toBeCloseTo(1, 6);
    expect(vectors.data.map((row) => row.index)).toEqual([0, 1, 2]);
    expect(vectors.usage).toEqual({ prompt_tokens: 5, total_tokens: 5 });
    expect((await client.models.list()).data.map((model) => model.id)).toContain('qwen3.8-max');
  });
});
