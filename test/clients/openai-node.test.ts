/** The official OpenAI SDK for Node, with its helpers, on every backend. */
import OpenAI from 'openai';
import { LengthFinishReasonError } from 'openai/core/error';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { user } from '../e2e/rig.ts';
import { BOTH, BOTH_ARGS } from '../e2e/tools.ts';
import { aborted, CLIENT_CASES, FAILURES, impatientFetch, LONG, rigOfClients, WITHIN } from './cases.ts';

const rig = rigOfClients();

const Book = z.object({
  title: z.string(),
  pages: z.number().int().describe('How many'),
  tags: z.array(z.enum(['new', 'old'])),
  publisher: z.string().nullable(),
  author: z.object({ name: z.string() }),
});

describe.each(CLIENT_CASES)('$backend', ({ backend, vendor, chat, thinker, embedder, dimensions, listLimit }) => {
  test('chat: answer, response and request id together', async () => {
    const asked = rig()
      .client()
      .chat.completions.create({ model: chat, messages: [user('Tell me about lighthouses')] });
    const { data, response, request_id } = await asked.withResponse();
    expect(data.choices[0]).toMatchObject({ index: 0, finish_reason: 'stop', message: { role: 'assistant', refusal: null } });
    expect(data.choices[0]?.message.content).toContain('lighthouses');
    expect(data.usage?.total_tokens).toBe((data.usage?.prompt_tokens ?? 0) + (data.usage?.completion_tokens ?? 0));
    expect(request_id).toMatch(/^req_[0-9a-f]{32}$/);
    expect([(data as { _request_id?: string })._request_id, response.headers.get('x-estafet-backend'), rig().records[0]?.id]).toEqual([
      request_id,
      backend,
      request_id,
    ]);
  });

  test('chat: a thinking model and several choices', async () => {
    const { completions } = rig().client().chat;
    const thought = await completions.create({ model: thinker, messages: [user('Why is the sea salt?')] });
    expect(thought.choices[0]?.message).toMatchObject({
      reasoning_content: expect.stringMatching(/\S/),
      content: expect.stringMatching(/\S/),
    });
    const several = await completions.create({ model: chat, messages: [user('A name for a boat')], n: 3 });
    expect(several.choices.map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  test('stream: the helper’s events tell the answer once, and its usage', async () => {
    const runner = rig()
      .client()
      .chat.completions.stream({ model: chat, messages: [user('[[sim:tokens n=40]]')], stream_options: { include_usage: true } });
    const heard: string[] = [];
    let written = '';
    let done = '';
    runner.on('connect', () => heard.push('connect'));
    runner.on('content.delta', ({ delta, snapshot }) => {
      written += delta;
      expect(snapshot).toBe(written);
    });
    runner.on('content.done', ({ content }) => {
      heard.push('content.done');
      done += content;
    });
    runner.on('finalMessage', () => heard.push('finalMessage'));
    runner.on('totalUsage', () => heard.push('totalUsage'));
    runner.on('end', () => heard.push('end'));
    const answer = await runner.finalChatCompletion();
    expect(answer.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: written } });
    expect(done).toBe(written);
    expect(heard).toEqual(['connect', 'content.done', 'finalMessage', 'totalUsage', 'end']);
    expect((await runner.totalUsage()).completion_tokens).toBe(40);
  });

  test('stream: forwarded to a browser as the SDK does it, and rebuilt there', async () => {
    const { completions } = rig().client().chat;
    const ask = { model: chat, messages: [user('Tell me about tides 🌊')] };
    const whole = await completions.create(ask);
    const sent = completions.stream(ask).toReadableStream();
    const rebuilt = await ChatCompletionStream.fromReadableStream(sent).finalChatCompletion();
    expect(rebuilt.choices[0]?.message.content).toBe(whole.choices[0]?.message.content);
  });

  test.each([false, true])('tools: runTools checks the arguments by zod and goes on to the answer, streamed: %s', async (stream) => {
    const heard: unknown[] = [];
    const note = (said: string) => (args: unknown) => {
      heard.push(args);
      return said;
    };
    const params = {
      model: chat,
      messages: [user(BOTH)],
      tools: [
        zodFunction({
          name: 'get_weather',
          parameters: z.object({ city: z.string(), days: z.number().int() }),
          function: note('rain of 7 degrees'),
        }),
        zodFunction({ name: 'get_time', parameters: z.object({ city: z.string() }), function: note('half past nine') }),
      ],
    };
    const { completions } = rig().client().chat;
    const runner = stream ? completions.runTools({ ...params, stream: true }) : completions.runTools(params);
    const text = await runner.finalContent();
    expect(heard).toEqual(BOTH_ARGS);
    expect(text).toContain('rain of 7 degrees');
    expect(text).toContain('half past nine');
    expect(runner.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'tool', 'assistant']);
  });

  test('tools: a named function is called once, and that is the end of runTools', async () => {
    const function_ = (args: { city: string }) => `no clock in ${args.city}`;
    const tool = zodFunction({ name: 'get_time', parameters: z.object({ city: z.string() }), function: function_ });
    const tool_choice = { type: 'function', function: { name: 'get_time' } } as const;
    const runner = rig()
      .client()
      .chat.completions.runTools({ model: chat, messages: [user('Hello')], tools: [tool], tool_choice });
    expect(await runner.finalFunctionToolCallResult()).toMatch(/^no clock in \S/);
    expect(rig().records).toHaveLength(1);
  });

  test('structured output: parse by zod, whole, streamed and with strict tools', async () => {
    const ask = { model: chat, messages: [user('A book about lighthouses')], response_format: zodResponseFormat(Book, 'book') };
    const { completions } = rig().client().chat;
    const whole = await completions.parse(ask);
    expect(Book.parse(whole.choices[0]?.message.parsed)).toEqual(whole.choices[0]?.message.parsed);
    const partial: unknown[] = [];
    const runner = completions.stream(ask);
    runner.on('content.delta', ({ parsed }) => partial.push(parsed));
    const streamed = await runner.finalChatCompletion();
    expect(streamed.choices[0]?.message.parsed).toEqual(whole.choices[0]?.message.parsed);
    expect(partial.length).toBeGreaterThan(1);
    const tool = zodFunction({ name: 'add_book', parameters: Book });
    const call = await completions.parse({ model: chat, messages: [user('add_book about boats')], tools: [tool] });
    const [made] = call.choices[0]?.message.tool_calls ?? [];
    expect(made).toMatchObject({ type: 'function', function: { name: 'add_book', parsed_arguments: { pages: expect.any(Number) } } });
  });

  test('structured output: cut by the limit is the SDK’s own error, not bad JSON', async () => {
    const ask = { model: chat, messages: [user('A book')], response_format: zodResponseFormat(Book, 'book'), max_tokens: 2 };
    await expect(rig().client().chat.completions.parse(ask)).rejects.toBeInstanceOf(LengthFinishReasonError);
  });

  test('embeddings: one, many beyond the vendor’s own limit, as numbers', async () => {
    const { embeddings } = rig().client();
    const one = await embeddings.create({ model: embedder, input: 'a lighthouse' });
    expect(one.data.map(({ embedding }) => embedding.length)).toEqual([dimensions]);
    const input = Array.from({ length: listLimit + 3 }, (_, index) => `text ${index}`);
    const many = await embeddings.create({ model: embedder, input, encoding_format: 'float' });
    expect(many.data.map(({ index }) => index)).toEqual([...input.keys()]);
    expect(many.usage.prompt_tokens).toBeGreaterThan(0);
    expect(rig().records.map(({ attempts }) => attempts[0]?.backend)).toEqual([backend, backend]);
  });

  test('models: listed, and each found by its name', async () => {
    const { models } = rig().client();
    const names: string[] = [];
    for await (const { id } of models.list()) names.push(id);
    expect(names).toContain(chat);
    for (const model of [chat, thinker, embedder]) expect(await models.retrieve(model)).toMatchObject({ id: model, object: 'model' });
    await expect(models.retrieve('no-such')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  test.each(FAILURES)('errors: $fault is $status, asked $asks times', async ({ fault, status, code, asks }) => {
    for (const stream of [false, true]) {
      rig().reset();
      const told: Headers[] = [];
      const client = rig().client({ maxRetries: 2, fetch: impatientFetch(told) });
      const ask = client.chat.completions.create({ model: chat, messages: [user(`hello [[sim:${fault}]]`)], stream });
      const thrown: unknown = await ask.catch((error: unknown) => error);
      const type = status === 400 ? OpenAI.BadRequestError : status === 429 ? OpenAI.RateLimitError : OpenAI.InternalServerError;
      expect(thrown).toBeInstanceOf(type);
      expect(thrown).toMatchObject({ status, code, requestID: rig().records.at(-1)?.id });
      expect(rig().seen()).toHaveLength(asks);
      for (const headers of told) {
        expect(headers.get('x-should-retry')).toBe(asks === 1 && status !== 400 ? 'false' : null);
        if (asks > 1) expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      }
    }
  });

  test.each(['overload', 'rate-limit'])('retries: %s twice, then the answer, whole and streamed', async (fault) => {
    const client = rig().client({ maxRetries: 2, fetch: impatientFetch() });
    for (const stream of [false, true]) {
      rig().reset();
      rig().simulator.setFault({ name: fault, vendor, times: 2 });
      const ask = { model: chat, messages: [user('hello')] };
      const answer = stream ? await client.chat.completions.stream(ask).finalChatCompletion() : await client.chat.completions.create(ask);
      expect(answer.choices[0]?.finish_reason).toBe('stop');
      expect(rig().seen()).toHaveLength(3);
    }
  });

  test('errors: one in the middle of a stream is thrown, and what came before it was given', async () => {
    const stream = await rig()
      .client()
      .chat.completions.create({ model: chat, messages: [user('[[sim:tokens n=30]] [[sim:mid-error after=5]]')], stream: true });
    let text = '';
    const read = async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    };
    await expect(read()).rejects.toMatchObject({ code: 'upstream_overloaded', type: 'server_error' });
    expect(text).not.toBe('');
  });

  test('abort: by break, by signal, by the helper: the vendor’s call is closed', async () => {
    const { completions } = rig().client().chat;
    const ask = { model: chat, messages: [user(LONG)] };
    for await (const _ of await completions.create({ ...ask, stream: true })) break;
    const leave = new AbortController();
    const whole = completions.create({ model: chat, messages: [user('[[sim:silent]]')] }, { signal: leave.signal });
    const refused = expect(whole).rejects.toBeInstanceOf(OpenAI.APIUserAbortError);
    await expect.poll(() => rig().seen().length, WITHIN).toBe(2);
    leave.abort();
    await refused;
    const helper = completions.stream(ask);
    helper.once('content', () => helper.abort());
    await expect(helper.done()).rejects.toBeInstanceOf(OpenAI.APIUserAbortError);
    await expect.poll(() => aborted(rig()), WITHIN).toEqual([true, true, true]);
    await expect.poll(() => rig().records.map(({ reason }) => reason), WITHIN).toEqual(Array(3).fill('client_gone'));
  });
});

describe('the relay’s own refusals', () => {
  test('a limit of the relay: told when to come back, and asked again by the SDK', async () => {
    const client = rig().client({ key: 'slow', maxRetries: 1, fetch: impatientFetch() });
    const ask = { model: 'gpt-4o-qwen', messages: [user('hello')] };
    await client.chat.completions.create(ask);
    const thrown: unknown = await client.chat.completions.create(ask).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(OpenAI.RateLimitError);
    expect(thrown).toMatchObject({ code: 'rate_limit_exceeded', type: 'requests' });
    expect(rig().seen()).toHaveLength(1);
    expect(rig().records).toHaveLength(3);
  });

  test.each([
    ['an unknown key', { apiKey: 'sk-nobody' }, {}, OpenAI.AuthenticationError, { status: 401, code: 'invalid_api_key' }],
    ['an unknown model', {}, { model: 'no-such' }, OpenAI.NotFoundError, { status: 404, code: 'model_not_found' }],
    ['a field out of range', {}, { temperature: 3 }, OpenAI.BadRequestError, { status: 400, param: 'temperature' }],
  ] as const)('%s', async (_name, options, more, type, shape) => {
    const told: Headers[] = [];
    const client = rig().client({ ...options, maxRetries: 2, fetch: impatientFetch(told) });
    const ask = client.chat.completions.create({ model: 'gpt-4o-qwen', messages: [user('hello')], ...more });
    const thrown: unknown = await ask.catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(type);
    expect(thrown).toMatchObject(shape);
    expect(told).toHaveLength(1);
  });
});
