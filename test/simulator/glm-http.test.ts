import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { keyText } from '../../simulator/glm/keys.ts';
import { glmVendor } from '../../simulator/glm/vendor.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { BOX_TOOL, chatBody, type Json, NOW_MS, saying } from './glm-desk.ts';

let simulator: Simulator;
let base: string;

beforeAll(async () => {
  simulator = await startSimulator({ vendors: [glmVendor], now: () => NOW_MS });
  base = simulator.vendors.glm!.baseUrl;
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.close());

interface Call {
  readonly path?: string;
  readonly base?: string;
  readonly key?: string;
  readonly headers?: Record<string, string>;
}

async function post(body: unknown, call: Call = {}): Promise<{ status: number; type: string | null; text: string; json: Json }> {
  const response = await fetch(`${call.base ?? base}${call.path ?? '/chat/completions'}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${call.key ?? glmVendor.goodKey}`, ...call.headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const type = response.headers.get('content-type');
  return { status: response.status, type, text, json: (type?.startsWith('application/json') ? JSON.parse(text) : {}) as Json };
}

describe('over the wire', () => {
  test('a whole answer', async () => {
    const told = await post(saying('[[sim:say text="你好, Loire"]]'));
    expect([told.status, told.type]).toEqual([200, 'application/json; charset=UTF-8']);
    expect(told.json).toMatchObject({ id: expect.stringMatching(/^20260901101530[0-9a-f]{16}$/), object: 'chat.completion' });
    expect(told.json['choices']!['0']!['message']!['content']).toBe('你好, Loire');
  });

  test('a stream', async () => {
    const told = await post(saying('[[sim:say text="你好"]]', { stream: true }));
    expect([told.status, told.type]).toEqual([200, 'text/event-stream;charset=UTF-8']);
    expect(told.text).toMatch(
      /^data: \{"id":"20260901101530[0-9a-f]{16}","created":1788228930,"object":"chat.completion.chunk","model":"glm-4.7",/,
    );
    expect(told.text).toMatch(/\n\ndata: \[DONE\]\n\n$/);
  });

  test.each<[string, unknown, Call, number, string]>([
    ['no such key', chatBody(), { key: 'nobody.nothing' }, 401, '1000'],
    ['key of the other region', chatBody(), { key: keyText('glm-intl-good') }, 401, '1000'],
    ['unfunded', chatBody(), { key: keyText('glm-cn-unfunded') }, 429, '1113'],
    ['plan expired', chatBody(), { key: keyText('glm-cn-plan-expired') }, 429, '1309'],
    ['validation', chatBody({ temperature: 3 }), {}, 400, '1214'],
    ['metadata', chatBody({ metadata: {} }), {}, 400, '1210'],
    ['unknown model', chatBody({ model: 'gpt-4o' }), {}, 400, '1211'],
    ['65 inputs', { model: 'embedding-3', input: Array(65).fill('x') }, { path: '/embeddings' }, 400, '1214'],
    ['rerank without query', { model: 'rerank', documents: ['x'] }, { path: '/rerank' }, 400, '1213'],
    ['fault in the prompt', saying('[[sim:overload]]'), {}, 429, '1305'],
  ])('refused: %s', async (_, body, call, status, code) => {
    const told = await post(body, call);
    expect([told.status, told.json['error']?.['code']]).toEqual([status, code]);
    expect(simulator.journal().at(-1)).toMatchObject({ vendor: 'glm', status, accounting: { errorCode: code } });
  });

  test('the international region has its own keys and its own code for unknown models', async () => {
    const intl = { base: simulator.vendors.glm!.regionUrls['intl']!, key: keyText('glm-intl-good') };
    expect((await post(chatBody(), intl)).status).toBe(200);
    const told = await post(chatBody({ model: 'gpt-4o' }), intl);
    expect(told.json['error']).toEqual({ code: '1214', message: 'model does not exist' });
  });

  test('the coding base serves chat', async () => {
    expect((await post(chatBody(), { base: `${simulator.vendors.glm!.url}/api/coding/paas/v4` })).status).toBe(200);
  });

  test('GET /models is a framework’s 404', async () => {
    const response = await fetch(`${base}/models`, { headers: { authorization: `Bearer ${glmVendor.goodKey}` } });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ status: 404, error: 'Not Found', path: '/v4/models' });
  });

  test('a fault of the admin API hits as often as it is told to', async () => {
    simulator.setFault({ name: 'rate-limit', vendor: 'glm', times: 1 });
    expect((await post(chatBody())).json['error']?.['code']).toBe('1302');
    expect((await post(chatBody())).status).toBe(200);
  });

  test.each(['form', 'finish', 'tool-args', 'tool-choice', 'shape', 'profile', 'limits', 'models'])(
    'the admin API knows the fault %s',
    (name) => {
      expect(simulator.setFault({ name, vendor: 'glm', args: {} })).toMatch(/^fault-/);
    },
  );

  test('the strict profile refuses what the lenient one takes', async () => {
    const body = chatBody({ tools: [BOX_TOOL], tool_choice: 'required' });
    expect((await post(body)).status).toBe(200);
    simulator.setStrict('glm', true);
    expect((await post(body)).json['error']?.['message']).toBe('Tool choice must be auto');
  });
});

/** Answers of other keys while a stream of `key` hangs. */
async function whileOneIsOpen(key: string, others: readonly string[]): Promise<unknown[]> {
  const gone = new AbortController();
  const held = await fetch(`${base}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(saying('[[sim:stall after=1]] hold the line', { stream: true })),
    signal: gone.signal,
  });
  expect(held.status).toBe(200);
  const codes: unknown[] = [];
  for (const other of others) codes.push((await post(chatBody(), { key: other })).json['error']?.['code'] ?? null);
  gone.abort();
  return codes;
}

describe('requests at the same time', () => {
  test('the busy key refuses the second with 1302, other accounts are not touched', async () => {
    const busy = keyText('glm-cn-busy');
    expect(await whileOneIsOpen(busy, [busy, glmVendor.goodKey])).toEqual(['1302', null]);
  });

  test('the admin API’s limit counts per account', async () => {
    simulator.setLimits('glm', { concurrency: 1 });
    expect(await whileOneIsOpen(glmVendor.goodKey, [glmVendor.goodKey, keyText('glm-cn-second')])).toEqual(['1302', null]);
  });
});

describe('the official OpenAI client', () => {
  const client = (): OpenAI => new OpenAI({ baseURL: base, apiKey: glmVendor.goodKey, maxRetries: 0 });

  test('reads a streamed tool call in fragments', async () => {
    const stream = client().chat.completions.stream({
      model: 'glm-4.7',
      messages: [{ role: 'user', content: '[[sim:call name=count_boxes args={"hall":"B"}]]' }],
      tools: [BOX_TOOL as OpenAI.Chat.Completions.ChatCompletionTool],
      ...{ tool_stream: true },
    });
    const done = await stream.finalChatCompletion();
    expect(done.choices[0]!.message.tool_calls![0]).toMatchObject({ function: { name: 'count_boxes', arguments: '{"hall":"B"}' } });
  });

  test('raises on an error frame inside a stream', async () => {
    const stream = await client().chat.completions.create({
      model: 'glm-4.7',
      messages: [{ role: 'user', content: '[[sim:mid-error after=2 code=1302]] hi' }],
      stream: true,
    });
    const read = async (): Promise<void> => {
      for await (const _ of stream);
    };
    await expect(read()).rejects.toThrow();
  });

  test('sees 429 for arrears', async () => {
    const asked = client().chat.completions.create({ model: 'glm-4.7', messages: [{ role: 'user', content: '[[sim:arrears]]' }] });
    await expect(asked).rejects.toMatchObject({ status: 429, code: '1113' });
  });
});
