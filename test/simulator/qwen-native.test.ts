import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { WEATHER } from './qwen-desk.ts';

/** DashScope's own protocol over real HTTP, read by a client written for these tests. */

const TEXT = '/services/aigc/text-generation/generation';
const MULTIMODAL = '/services/aigc/multimodal-generation/generation';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ vendors: ['qwen'], now: () => 1_790_000_000_000 });
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.close());

interface Message {
  readonly content: string | readonly { readonly text: string }[];
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly { readonly id: string; readonly function: { readonly name?: string; readonly arguments: string } }[];
}

interface Body {
  readonly output: {
    readonly text?: string;
    readonly finish_reason?: string;
    readonly choices?: readonly { readonly finish_reason: string; readonly index?: number; readonly message: Message }[];
  };
  readonly usage: Readonly<Record<string, number>>;
  readonly code?: string;
  readonly message?: string;
  readonly request_id: string;
}

interface Event {
  readonly id: string;
  readonly event: string;
  readonly status: number;
  readonly data: Body;
}

interface Options {
  readonly path?: string;
  readonly key?: string | null;
  readonly region?: string;
  readonly headers?: Record<string, string>;
}

const STREAM = { headers: { 'x-dashscope-sse': 'enable' } };

async function call(body: unknown, { path = TEXT, key, region, headers = {} }: Options = {}) {
  const { url, protocolUrls, key: good } = simulator.vendors.qwen ?? {};
  const base = region === undefined ? protocolUrls?.['native'] : `${url}/~${region}/api/v1`;
  const auth: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key ?? good}` };
  const response = await fetch(`${base}${path}`, {
    method: 'POST',
    headers: { ...auth, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: (isStream ? {} : JSON.parse(text)) as Body,
    events: isStream ? eventsOf(text) : [],
  };
}

/** Exactly four lines an event, no space behind the colons. */
function eventsOf(text: string): Event[] {
  return text
    .split(/(?=^id:)/m)
    .filter((part) => part !== '')
    .map((part) => {
      const match = /^id:(\d+)\nevent:(\w+)\n:HTTP_STATUS\/(\d{3})\ndata:(\{.*\})\n\n?$/.exec(part);
      if (match === null) throw new Error(`no event of DashScope's: ${JSON.stringify(part)}`);
      return { id: match[1] ?? '', event: match[2] ?? '', status: Number(match[3]), data: JSON.parse(match[4] ?? '') as Body };
    });
}

const hello = (text = 'Hello', more: Record<string, unknown> = {}, model = 'qwen-plus') => ({
  model,
  input: { messages: [{ role: 'user', content: text }] },
  parameters: { result_format: 'message', ...more },
});
const seen = (content: unknown, more: Record<string, unknown> = {}, model = 'qwen3-vl-plus') => ({
  model,
  input: { messages: [{ role: 'user', content }] },
  parameters: more,
});
const SAYS = '[[sim:say text="Zhejiang, 浙江 it is"]]';

describe('whole answers', () => {
  test('message: choices, usage by its own names, no id, model or time', async () => {
    const { status, headers, json } = await call(hello(SAYS));
    expect(status).toBe(200);
    expect(json).toEqual({
      output: { choices: [{ finish_reason: 'stop', message: { role: 'assistant', content: 'Zhejiang, 浙江 it is' } }] },
      usage: {
        input_tokens: expect.any(Number),
        output_tokens: expect.any(Number),
        total_tokens: expect.any(Number),
        prompt_tokens_details: { cached_tokens: 0 },
      },
      request_id: headers.get('x-request-id'),
    });
    expect(json.usage['total_tokens']).toBe((json.usage['input_tokens'] ?? 0) + (json.usage['output_tokens'] ?? 0));
    expect(headers.get('x-dashscope-finished')).toBe('true');
  });

  test.each([
    ['qwen-plus', true],
    ['qwen-flash', true],
    ['qwen3-max', false],
    ['qwen3-8b', false],
  ])('the form of %s when nothing is said', async (model, text) => {
    const { json } = await call({ ...hello(SAYS, { enable_thinking: false }, model), parameters: { enable_thinking: false } });
    if (text) expect(json.output).toEqual({ text: 'Zhejiang, 浙江 it is', finish_reason: 'stop' });
    else expect(json.output.choices?.[0]?.message.content).toBe('Zhejiang, 浙江 it is');
  });

  test('an old prompt with its history is a conversation', async () => {
    const input = { prompt: SAYS, history: [{ user: 'a', bot: 'b' }] };
    expect((await call({ model: 'qwen-plus', input })).json.output.text).toBe('Zhejiang, 浙江 it is');
  });

  test('the multimodal path answers lists, for plain text too', async () => {
    const image = { image: 'data:image/png;base64,AAAA' };
    const { json } = await call(seen([image, { text: SAYS }]), { path: MULTIMODAL });
    expect(json.output.choices?.[0]?.message.content).toEqual([{ text: 'Zhejiang, 浙江 it is' }]);
    expect(json.usage['image_tokens']).toBe(256);
    const plain = await call(seen([{ text: SAYS }], { enable_thinking: false }, 'qwen3.7-plus'), { path: MULTIMODAL });
    expect(plain.json.output.choices?.[0]?.message.content).toEqual([{ text: 'Zhejiang, 浙江 it is' }]);
  });

  test('thinking, tools and choices', async () => {
    const thought = (await call(hello(SAYS, { enable_thinking: true }))).json;
    expect(thought.output.choices?.[0]?.message.reasoning_content).not.toBe('');
    expect(thought.usage['output_tokens_details']).toEqual({ reasoning_tokens: expect.any(Number) });
    const tool = (await call(hello('[[sim:call name=get_weather args={"city":"x"}]]', { tools: [WEATHER] }))).json.output.choices?.[0];
    expect(tool).toMatchObject({
      finish_reason: 'tool_calls',
      message: { content: '', tool_calls: [{ index: 0, function: { name: 'get_weather' } }] },
    });
    const many = (await call(hello('Hello', { n: 2 }))).json.output.choices;
    expect(many?.map(({ index }) => index)).toEqual([0, 1]);
  });
});

describe('streams', () => {
  const pieces = (events: readonly Event[]) => events.map(({ data }) => data.output.choices?.[0]?.message.content as string);

  test('incremental: pieces, "null" until the end, usage on every event, no [DONE]', async () => {
    const { status, headers, text, events } = await call(hello(SAYS, { incremental_output: true }), STREAM);
    expect([status, headers.get('content-type'), headers.get('x-dashscope-finished')]).toEqual([
      200,
      'text/event-stream;charset=UTF-8',
      'false',
    ]);
    expect(text).not.toContain('[DONE]');
    expect(pieces(events).join('')).toBe('Zhejiang, 浙江 it is');
    expect(events.map(({ id }) => id)).toEqual(events.map((_, at) => String(at + 1)));
    const reasons = events.map(({ data }) => data.output.choices?.[0]?.finish_reason);
    expect(new Set(reasons.slice(0, -1))).toEqual(new Set(['null']));
    expect(reasons.at(-1)).toBe('stop');
    expect(pieces(events).at(-1)).toBe('');
    const counts = events.map(({ data }) => data.usage['output_tokens'] ?? 0);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(counts.at(-1)).toBe((await call(hello(SAYS))).json.usage['output_tokens']);
  });

  test('by default each event repeats what was said', async () => {
    const { events } = await call(hello(SAYS), STREAM);
    const texts = pieces(events);
    expect(texts.at(-1)).toBe('Zhejiang, 浙江 it is');
    for (const [at, text] of texts.entries()) expect(text.startsWith(texts[at - 1] ?? '')).toBe(true);
    const calls = await call(hello('[[sim:call name=get_weather args={"city":"Paris today"}]]', { tools: [WEATHER] }), STREAM);
    expect(calls.events.at(-1)?.data.output.choices?.[0]?.message.tool_calls).toMatchObject([
      { function: { name: 'get_weather', arguments: '{"city":"Paris today"}' } },
    ]);
  });

  test('a stream is asked for by a header, by either of two, and not by the body', async () => {
    expect((await call(hello('Hello', { incremental_output: true, stream: true }))).json.output.choices).toHaveLength(1);
    expect((await call({ ...hello(), stream: true })).events).toEqual([]);
    expect((await call(hello(), { headers: { accept: 'text/event-stream' } })).events.length).toBeGreaterThan(1);
  });

  test('thinking comes first, and needs incremental output', async () => {
    const { events } = await call(seen([{ text: SAYS }], { incremental_output: true }, 'qwen3.7-plus'), { path: MULTIMODAL, ...STREAM });
    expect(events[0]?.data.output.choices?.[0]?.message).toMatchObject({ content: [], reasoning_content: expect.stringMatching(/./) });
    expect(events.at(-2)?.data.output.choices?.[0]?.message).toMatchObject({
      content: [{ text: expect.any(String) }],
      reasoning_content: '',
    });
    const refused = await call(hello('Hello', { enable_thinking: true }), STREAM);
    expect(refused.events[0]).toMatchObject({
      event: 'error',
      status: 400,
      data: { code: 'InvalidParameter', message: expect.stringContaining('incremental_output') },
    });
  });

  test('fragments of a call: named once, then empty ids; the reason rides on the last', async () => {
    const asked = hello('[[sim:call name=get_weather args={"city":"Paris today"}]]', { tools: [WEATHER], incremental_output: true });
    const { events } = await call(asked, STREAM);
    const calls = events.map(({ data }) => data.output.choices?.[0]?.message.tool_calls?.[0]);
    expect(calls[0]).toMatchObject({ id: expect.stringMatching(/^call_[0-9a-f]{24}$/), function: { name: 'get_weather', arguments: '' } });
    for (const part of calls.slice(1)) expect([part?.id, part?.function.name]).toEqual(['', undefined]);
    expect(calls.map((part) => part?.function.arguments).join('')).toBe('{"city":"Paris today"}');
    expect(events.at(-1)?.data.output.choices?.[0]?.finish_reason).toBe('tool_calls');
  });

  test('frames without blank lines', async () => {
    const { text } = await call(hello('[[sim:no-blank-lines]] hi', { incremental_output: true }), STREAM);
    expect(text).not.toContain('\n\n');
    expect(eventsOf(text).length).toBeGreaterThan(1);
  });
});

describe('refusals', () => {
  test.each<[string, unknown, Options, number, string, RegExp]>([
    ['a wrong key', hello(), { key: 'sk-wrong' }, 401, 'InvalidApiKey', /^Invalid API-key provided\.$/],
    ['no key', hello(), { key: null }, 401, 'InvalidApiKey', /API/],
    ['a key of another region', hello(), { region: 'ap-southeast-1' }, 401, 'InvalidApiKey', /API/],
    ['a text model on the multimodal path', hello(), { path: MULTIMODAL }, 400, 'InvalidParameter', /^url error, please check url！$/],
    ['a model that sees on the text path', hello('Hi', {}, 'qwen3.7-plus'), {}, 400, 'InvalidParameter', /^url error/],
    ['an unknown path', hello(), { path: '/services/nothing' }, 404, 'NotFound', /No such path/],
    ['no model', { input: {} }, {}, 400, 'BadRequest.EmptyModel', /model/],
    ['no input', { model: 'qwen-plus' }, {}, 400, 'BadRequest.EmptyInput', /input/],
    ['neither prompt nor messages', { model: 'qwen-plus', input: {} }, {}, 400, 'InvalidParameter', /Either "prompt" or "messages"/],
    ['an unknown model', hello('Hi', {}, 'qwen-none'), {}, 404, 'ModelNotFound', /qwen-none/],
    ['a retired model', hello('Hi', {}, 'qwen-max'), {}, 403, 'Endpoint.AccessDenied', /Workspace/],
    ['a wrong result_format', hello('Hi', { result_format: 'json' }), {}, 400, 'InvalidParameter', /parameters\.result_format$/],
    ['thinking in a text', hello('Hi', { result_format: 'text', enable_thinking: true }), {}, 400, 'InvalidParameter', /result_format/],
    ['tools in a text', hello('Hi', { result_format: 'text', tools: [WEATHER] }), {}, 400, 'InvalidParameter', /result_format/],
    ['a temperature out of range', hello('Hi', { temperature: 2 }), {}, 400, 'InvalidParameter', /Temperature should be in/],
    ['a typed part', seen([{ type: 'text', text: 'a' }]), { path: MULTIMODAL }, 400, 'InvalidParameter', /text, image, audio, video/],
    ['a string on the multimodal path', seen('Hi'), { path: MULTIMODAL }, 400, 'InvalidParameter', /valid list/],
    ['asynchronous', hello(), { headers: { 'x-dashscope-async': 'enable' } }, 403, 'AccessDenied', /asynchronous/],
    ['a limit', hello('[[sim:rate-limit kind=tpm]]'), {}, 429, 'Throttling.AllocationQuota', /Allocated quota/],
    ['arrears', hello('[[sim:arrears]]'), {}, 400, 'Arrearage', /good standing/],
    ['moderation', hello('[[sim:moderation]]'), {}, 400, 'DataInspectionFailed', /inappropriate/],
  ])('%s', async (_name, body, options, status, code, message) => {
    const whole = await call(body, options);
    expect([whole.status, Object.keys(whole.json), whole.json.code]).toEqual([status, ['code', 'message', 'request_id'], code]);
    expect(whole.json.message).toMatch(message);
    const streamed = await call(body, { ...options, headers: { ...options.headers, ...STREAM.headers } });
    // Whoever is not let in learns it at once; all else is told inside a stream that began well.
    if (status === 401) expect([streamed.status, streamed.json.code]).toEqual([401, code]);
    else
      expect([streamed.status, streamed.events.map((event) => [event.event, event.status, event.data.code])]).toEqual([
        200,
        [['error', status, code]],
      ]);
  });

  test('an event under its own status, as the client of the vendor allows for', async () => {
    const { status, events } = await call(hello('[[sim:event-status]] [[sim:overload]]'), STREAM);
    expect([status, events[0]?.status, events[0]?.data.code]).toEqual([503, 503, 'ModelServingError']);
  });

  test('an error in the middle takes the place of the rest', async () => {
    const { status, events } = await call(hello('[[sim:mid-error after=2]] a b c d', { incremental_output: true }), STREAM);
    expect([status, events.length, events.at(-1)?.event, events.at(-1)?.status, events.at(-1)?.data.code]).toEqual([
      200,
      3,
      'error',
      500,
      'InternalError',
    ]);
  });

  test('a seed of 63 bits is taken, one below zero is not', async () => {
    expect((await call(hello('Hi', { seed: Number.MAX_SAFE_INTEGER }))).status).toBe(200);
    expect((await call(hello('Hi', { seed: -1 }))).json.code).toBe('InvalidParameter');
  });
});

test('both protocols of a model say the same and count the same', async () => {
  const native = (await call(hello('Tell me about harbours'))).json;
  simulator.reset();
  const { baseUrl, key } = simulator.vendors.qwen ?? { baseUrl: '', key: '' };
  const response = await fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'qwen-plus', messages: [{ role: 'user', content: 'Tell me about harbours' }] }),
  });
  const compatible = (await response.json()) as { choices: { message: { content: string } }[]; usage: Record<string, number> };
  expect(native.output.choices?.[0]?.message.content).toBe(compatible.choices[0]?.message.content);
  expect([native.usage['input_tokens'], native.usage['output_tokens']]).toEqual([
    compatible.usage['prompt_tokens'],
    compatible.usage['completion_tokens'],
  ]);
});
