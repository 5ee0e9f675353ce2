/** What only Qwen's own protocol has: two paths, a header for streams, errors inside HTTP 200. The rest of the tables run in native.test.ts. */
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { foldStream } from '../contract/openai-schema.ts';
import { expectBrokenStream, expectRefusal } from './refusals.ts';
import { type Rig, startRig, user } from './rig.ts';
import { WEATHER } from './tools.ts';
import { onlyNativeQwen } from './vendors.ts';

onlyNativeQwen();

let rig: Rig;
beforeAll(async () => {
  const pair = [
    { to: 'qwen/qwen-plus', thinking: 'off' },
    { to: 'glm/glm-4.6', thinking: 'off' },
  ];
  rig = await startRig({ configExtra: { models: { pair } }, keyOptions: { strict: { strict: true } } });
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

const TEXT = '/api/v1/services/aigc/text-generation/generation';
const MULTIMODAL = '/api/v1/services/aigc/multimodal-generation/generation';
const SAY = '[[sim:say text="灯塔在海边 and all of them here."]]';
const PICTURE = 'data:image/png;base64,iVBORw0KGgo=';

const last = () => {
  const entry = rig.seen().at(-1);
  return { path: entry?.path, sse: entry?.headers['x-dashscope-sse'], body: entry?.body as { parameters: Record<string, unknown> } };
};

test('the SDK chats: whole on the text path, streamed by a header', async () => {
  const ask = { model: 'qwen-chat', messages: [user(SAY)] };
  const whole = await rig.client().chat.completions.create(ask);
  expect(whole.choices[0]?.message.content).toBe('灯塔在海边 and all of them here.');
  expect(last()).toMatchObject({ path: TEXT, body: { parameters: { result_format: 'message' } } });
  expect(last().sse).toBeUndefined();
  const streamed = await rig.client().chat.completions.stream(ask).finalChatCompletion();
  expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content);
  expect(last()).toMatchObject({ path: TEXT, sse: 'enable', body: { parameters: { result_format: 'message', incremental_output: true } } });
});

test('a model that sees is called on the multimodal path, with and without a picture', async () => {
  for (const content of [
    SAY,
    [
      { type: 'text' as const, text: SAY },
      { type: 'image_url' as const, image_url: { url: PICTURE } },
    ],
  ]) {
    const answer = await rig.client().chat.completions.create({ model: 'qwen/qwen3-vl-plus', messages: [{ role: 'user', content }] });
    expect(answer.choices[0]?.message.content).toBe('灯塔在海边 and all of them here.');
    expect(last().path).toBe(MULTIMODAL);
  }
  const { messages } = rig.lastBody() as { messages: { content: unknown }[] };
  expect(messages[0]?.content).toEqual([{ text: SAY }, { image: PICTURE }]);
});

test('a web search: the pages come as annotations, whole and in a stream', async () => {
  const ask = {
    model: 'qwen-chat',
    messages: [user('[[sim:say text="It rains"]]')],
    web_search_options: { search_context_size: 'high' as const },
  };
  const annotations = [
    { type: 'url_citation', url_citation: { start_index: 8, end_index: 15, url: 'https://pages.example/1', title: 'Simulated page 1' } },
    { type: 'url_citation', url_citation: { start_index: 15, end_index: 15, url: 'https://pages.example/2', title: 'Simulated page 2' } },
  ];
  const whole = await rig.client().chat.completions.create(ask);
  expect(whole.choices[0]?.message).toMatchObject({ content: 'It rains[ref_1]', annotations });
  expect(last().body.parameters['search_options']).toMatchObject({ forced_search: true, search_strategy: 'max', enable_source: true });
  const deltas: unknown[] = [];
  for await (const { choices } of await rig.client().chat.completions.create({ ...ask, stream: true })) {
    const delta = choices[0]?.delta as { annotations?: unknown[] } | undefined;
    deltas.push(...(delta?.annotations ?? []));
  }
  expect(deltas).toEqual(annotations);
  const raw = await rig.raw({ ...ask, stream: true, stop: ['ains'] });
  expect(raw.stream().problems).toEqual([]);
  expect((await rig.raw(ask, { key: 'strict' })).status).toBe(200);
});

test('a tool loop on both paths', async () => {
  for (const model of ['qwen-chat', 'qwen/qwen3.7-plus']) {
    const messages: OpenAI.ChatCompletionMessageParam[] = [user('get weather please')];
    const client = rig.client();
    const first = await client.chat.completions.create({ model, messages, tools: [WEATHER] });
    const call = first.choices[0]?.message.tool_calls?.[0];
    expect([model, first.choices[0]?.finish_reason, call?.type === 'function' && call.function.name]).toEqual([
      model,
      'tool_calls',
      'get_weather',
    ]);
    messages.push(first.choices[0]?.message as OpenAI.ChatCompletionMessage, {
      role: 'tool',
      tool_call_id: call?.id ?? '',
      content: 'sunny-42',
    });
    const runner = client.chat.completions.stream({ model, messages, tools: [WEATHER] });
    const second = await runner.finalChatCompletion();
    expect(second.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: expect.stringContaining('sunny-42') } });
  }
});

describe('errors inside HTTP 200', () => {
  test.each([
    ['rate-limit', 'limit_requests'],
    ['rate-limit kind=tpm', 'limit_tokens'],
    ['moderation', 'content_filter'],
    ['arrears', 'upstream_out_of_credit'],
    ['overload', 'upstream_overloaded'],
    ['context-length', 'context_length_exceeded'],
    ['mid-error after=0 code=limit_requests', 'limit_requests'],
    ['event-status]] [[sim:overload', 'upstream_overloaded'],
  ] as const)('%s as the first event is a status of its own: %s', async (fault, name) => {
    for (const stream of [false, true]) {
      if (!stream && fault.startsWith('mid-error')) continue;
      expectRefusal(await rig.raw({ model: 'qwen-chat', messages: [user(`hello [[sim:${fault}]]`)], stream }), name);
    }
  });

  test.each([
    ['mid-error after=3 code=limit_requests', 'limit_requests'],
    ['mid-error after=3 code=Arrearage', 'upstream_out_of_credit'],
    ['mid-error after=3 code=InternalError.Algo.client', 'invalid_request'],
    ['moderation where=output after=3', 'content_filter'],
  ] as const)('%s in the middle is one error event: %s', async (fault, name) => {
    const answer = await rig.raw({ model: 'qwen-chat', messages: [user(`[[sim:tokens n=20]] [[sim:${fault}]]`)], stream: true });
    expectBrokenStream(answer, name);
  });

  test('a refusal in the first event lets the next backend answer', async () => {
    rig.simulator.setFault({ name: 'overload', vendor: 'qwen' });
    const answer = await rig.raw({ model: 'pair', messages: [user(SAY)], stream: true });
    expect(answer.stream()).toMatchObject({ problems: [], done: true });
    expect(answer.headers.get('x-estafet-backend')).toBe('glm');
  });

  test('the SDK raises what it raises for OpenAI', async () => {
    const asked = rig.client().chat.completions.create({ model: 'qwen-chat', messages: [user('hi [[sim:rate-limit]]')], stream: true });
    await expect(asked).rejects.toBeInstanceOf(OpenAI.RateLimitError);
  });
});

test.each([
  'no-blank-lines',
  'fragments variant=repeat-id',
  'fragments variant=null-name',
  'fragments variant=null-arguments',
  'fragments variant=trailing',
])('%s changes nothing for the caller', async (fault) => {
  const fields = [{ messages: [user(`${SAY} [[sim:${fault}]]`)] }, { messages: [user(`get weather [[sim:${fault}]]`)], tools: [WEATHER] }];
  for (const more of fields) {
    const plain = await rig.raw({
      model: 'qwen-chat',
      stream: true,
      ...more,
      messages: more.messages.map(({ content }) => user(content.replace(/ \[\[sim:(?!say).*$/, ''))),
    });
    const answer = await rig.raw({ model: 'qwen-chat', stream: true, ...more });
    expect(answer.stream()).toMatchObject({ problems: [], done: true });
    const [choice] = foldStream(answer.stream().chunks).choices;
    expect(choice?.finish_reason).toBe(foldStream(plain.stream().chunks).choices[0]?.finish_reason);
    for (const call of choice?.tool_calls ?? []) expect(JSON.parse(call.function.arguments)).toHaveProperty('city');
    if ('tools' in more) expect(choice?.tool_calls).toHaveLength(1);
    else expect(choice?.content).toBe('灯塔在海边 and all of them here.');
  }
});

test('five choices take five calls, each with a seed of its own', async () => {
  const answer = await rig.raw({ model: 'qwen-chat', messages: [user('hello')], n: 5, seed: 7 });
  expect(answer.status, answer.text).toBe(200);
  expect((answer.json() as { choices: unknown[] }).choices).toHaveLength(5);
  const seeds = rig.seen().map(({ body }) => (body as { parameters: { seed: number } }).parameters.seed);
  expect(new Set(seeds).size).toBe(5);
});
