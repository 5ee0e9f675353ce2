import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openTracing } from '../../../../server/telemetry/tracing/open-tracing.ts';
import type { TracingHooks } from '../../../../server/telemetry/tracing/tracing.ts';
import { chat, digestOf, HELLO, KEY, openSimulated, type SimulatedDesk } from '../../../http/desk.ts';
import { type Collector, FAILED, KIND, type SeenSpan, startCollector } from './collector.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const PARENT = `00-${TRACE}-${SPAN}-01`;
/** In prompts and answers only. */
const MARK = 'QUETZALCOATLUS';

let collector: Collector;
let desk: SimulatedDesk | null = null;
beforeEach(async () => {
  collector = await startCollector();
});
afterEach(async () => {
  await desk?.close();
  desk = null;
  await collector.close();
  vi.unstubAllEnvs();
});

const MODELS = `models:
  gpt-4o: [qwen/qwen-plus]
  pair: [qwen/qwen-plus, glm/glm-4.6]
  vectors: [qwen/text-embedding-v4]
  scores: [qwen/qwen3-rerank]
`;
const ACCESS = `teams:
  t: { permit: { vendors: [qwen, ernie, glm], regions: ['*'] } }
  poor: { permit: { vendors: [qwen], regions: ['*'] }, limits: { rpm: 1 } }
keys:
  - { name: app, team: t, key: '${digestOf(KEY)}' }
  - { name: one, team: poor, key: '${digestOf('sk-test-poor-0123456789abcdef')}' }
`;

async function open(
  env: Readonly<Record<string, string>> = {},
  server = '',
  backend = '',
  hooks: Pick<TracingHooks, 'now'> = {},
): Promise<SimulatedDesk> {
  // The exporter reads the environment itself.
  const all = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: '', ...env };
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value);
  const make = await openTracing(process.env);
  desk = await openSimulated(server, `${MODELS}${ACCESS}`, { backend, tracing: make && ((given) => make({ ...given, ...hooks })) });
  return desk;
}

/** One sample of the metrics, whose token is the key of the backend `qwen`. */
async function metric(sample: string): Promise<number> {
  const { url, simulator } = desk as SimulatedDesk;
  const page = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${simulator.vendors['qwen']?.key}` } })).text();
  const line = page.split('\n').find((text) => text.startsWith(`${sample} `));
  return Number(line?.slice(sample.length));
}

/** All spans of the relay, which sends what waits before it is closed. */
async function spans(): Promise<{ all: SeenSpan[]; root: SeenSpan; calls: SeenSpan[] }> {
  await desk?.close();
  desk = null;
  const all = collector.spans;
  const roots = all.filter(({ kind }) => kind === KIND.server);
  expect(roots).toHaveLength(1);
  return { all, root: roots[0] as SeenSpan, calls: all.filter(({ kind }) => kind === KIND.client) };
}

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${(desk as SimulatedDesk).url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

test('one answered request: its span, and that of the call, in the words of the conventions', async () => {
  await open({
    OTEL_SERVICE_NAME: 'our-relay',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=ours',
  });
  const asked = { ...HELLO, temperature: 0.5, top_p: 0.9, max_tokens: 50, seed: 7 };
  const answer = await chat(desk as SimulatedDesk, asked);
  expect(answer.status).toBe(200);
  const { usage } = (await answer.json()) as { usage: { prompt_tokens: number; completion_tokens: number } };
  const { root, calls } = await spans();
  expect(root).toMatchObject({ name: 'chat gpt-4o', status: {} });
  expect(root.attributes).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': 'gpt-4o',
    'gen_ai.response.model': 'qwen-plus',
    'gen_ai.request.temperature': 0.5,
    'gen_ai.request.top_p': 0.9,
    'gen_ai.request.max_tokens': 50,
    'gen_ai.request.seed': 7,
    'gen_ai.response.finish_reasons': ['stop'],
    'http.request.method': 'POST',
    'http.route': '/v1/chat/completions',
    'http.response.status_code': 200,
    'estafet.request.id': answer.headers.get('x-request-id'),
    'estafet.key': 'app',
    'estafet.team': 't',
    'estafet.backend': 'qwen',
    'estafet.strategy': 'order',
    'estafet.reason': 'done',
  });
  expect(root.attributes).not.toHaveProperty('error.type');
  expect(calls).toHaveLength(1);
  expect(calls[0]).toMatchObject({ name: 'chat qwen-plus', traceId: root.traceId, parentSpanId: root.spanId });
  expect(calls[0]?.attributes).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'alibaba.dashscope',
    'gen_ai.request.model': 'qwen-plus',
    'gen_ai.usage.input_tokens': usage.prompt_tokens,
    'gen_ai.usage.output_tokens': usage.completion_tokens,
    'server.address': '127.0.0.1',
    'estafet.attempt': 0,
  });
  // Within the span of the request, and neither is of another year.
  const [began, ended] = [BigInt(root.startTimeUnixNano), BigInt(root.endTimeUnixNano)];
  expect(BigInt(calls[0]?.startTimeUnixNano ?? 0) >= began && BigInt(calls[0]?.endTimeUnixNano ?? 0) <= ended).toBe(true);
  expect(Math.abs(Number(began / 1_000_000n) - Date.now())).toBeLessThan(60_000);
  expect(collector.resources[0]).toMatchObject({
    'service.name': 'our-relay',
    'deployment.environment.name': 'test',
    'service.version': expect.any(String),
  });
  expect(collector.posts[0]).toMatchObject({ path: '/v1/traces', headers: { 'x-tenant': 'ours' } });
});

test('a stream that goes to the second candidate: both calls under one request', async () => {
  const { simulator } = await open();
  simulator.setFault({ name: 'overload', vendor: 'qwen', args: {} });
  const answer = await chat(desk as SimulatedDesk, { ...HELLO, model: 'pair', stream: true });
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  const { root, calls } = await spans();
  expect(root).toMatchObject({ status: {} });
  const chunks = text.split('data: {').length - 1;
  expect(root.attributes).toMatchObject({
    'gen_ai.request.stream': true,
    'gen_ai.response.model': 'glm-4.6',
    'gen_ai.response.time_to_first_chunk': expect.any(Number),
    'estafet.chunks': chunks,
  });
  expect(calls.map(({ name, parentSpanId, status }) => ({ name, parentSpanId, code: status.code ?? 0 }))).toEqual([
    { name: 'chat qwen-plus', parentSpanId: root.spanId, code: FAILED },
    { name: 'chat glm-4.6', parentSpanId: root.spanId, code: 0 },
  ]);
  expect(calls[0]?.attributes).toMatchObject({ 'error.type': 'upstream_overloaded', 'gen_ai.provider.name': 'alibaba.dashscope' });
  expect(calls[1]?.attributes).toMatchObject({ 'gen_ai.provider.name': 'zhipu.bigmodel', 'estafet.attempt': 1 });
  expect(calls[0]?.attributes).not.toHaveProperty('gen_ai.usage.input_tokens');
});

interface Outcome {
  readonly what: string;
  readonly act: (desk: SimulatedDesk) => Promise<unknown>;
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
  readonly calls: number;
}

const POOR = { authorization: 'Bearer sk-test-poor-0123456789abcdef' };
const OUTCOMES: readonly Outcome[] = [
  {
    what: 'embeddings',
    act: () => post('/v1/embeddings', { model: 'vectors', input: ['a', 'b'], dimensions: 256, encoding_format: 'float' }),
    name: 'embeddings vectors',
    attributes: {
      'gen_ai.operation.name': 'embeddings',
      'gen_ai.embeddings.dimension.count': 256,
      'gen_ai.request.encoding_formats': ['float'],
      'http.route': '/v1/embeddings',
    },
    failed: false,
    calls: 1,
  },
  {
    what: 'rerank',
    act: () => post('/v1/rerank', { model: 'scores', query: 'a', documents: ['b', 'c'] }),
    name: 'rerank scores',
    attributes: { 'gen_ai.operation.name': 'rerank', 'http.route': '/v1/rerank' },
    failed: false,
    calls: 1,
  },
  {
    what: 'a vendor that fails',
    act: ({ simulator }) => {
      simulator.setFault({ name: 'dead-key', vendor: 'qwen', args: {} });
      return post('/v1/chat/completions', HELLO);
    },
    name: 'chat gpt-4o',
    attributes: { 'error.type': 'upstream_auth', 'http.response.status_code': 502, 'estafet.reason': 'vendor_error' },
    failed: true,
    calls: 1,
  },
  {
    what: 'a stream that breaks off',
    act: async () =>
      (await post('/v1/chat/completions', { ...HELLO, messages: [{ role: 'user', content: '[[sim:cut after=2]]' }], stream: true })).text(),
    name: 'chat gpt-4o',
    attributes: { 'error.type': 'upstream_truncated', 'http.response.status_code': 200 },
    failed: true,
    calls: 1,
  },
  {
    what: 'a body that is refused',
    act: () => post('/v1/chat/completions', { model: 'gpt-4o' }),
    name: 'POST /v1/chat/completions',
    attributes: { 'error.type': 'missing_required_parameter', 'http.response.status_code': 400, 'estafet.reason': 'refused' },
    failed: false,
    calls: 0,
  },
  {
    what: 'a model that nobody has',
    act: () => post('/chat/completions', { ...HELLO, model: 'no-such' }),
    name: 'POST /v1/chat/completions',
    attributes: { 'error.type': 'model_not_found', 'http.response.status_code': 404 },
    failed: false,
    calls: 0,
  },
];

test.each(OUTCOMES)('$what', async ({ act, name, attributes, failed, calls }) => {
  await act(await open());
  const seen = await spans();
  expect(seen.root.name).toBe(name);
  expect(seen.root.attributes).toMatchObject(attributes);
  expect(seen.root.status.code ?? 0).toBe(failed ? FAILED : 0);
  expect(seen.root.status).not.toHaveProperty('message');
  expect(seen.calls).toHaveLength(calls);
});

test('refused by its limits: no call', async () => {
  await open();
  const answers = [await post('/v1/chat/completions', HELLO, POOR), await post('/v1/chat/completions', HELLO, POOR)];
  expect(answers.map(({ status }) => status)).toEqual([200, 429]);
  await desk?.close();
  desk = null;
  const refused = collector.spans.find(({ attributes }) => attributes['http.response.status_code'] === 429);
  expect(refused).toMatchObject({ kind: KIND.server, status: {} });
  expect(refused?.attributes).toMatchObject({
    'error.type': 'rate_limit_exceeded',
    'estafet.refused_by': expect.stringContaining('rpm'),
    'estafet.key': 'one',
  });
  expect(collector.spans.filter(({ traceId }) => traceId === refused?.traceId)).toHaveLength(1);
});

test('a caller who has left', async () => {
  const { records, simulator } = await open();
  const leave = new AbortController();
  const asked = chat(desk as SimulatedDesk, { ...HELLO, messages: [{ role: 'user', content: '[[sim:silent]]' }] }, {}, leave.signal);
  await expect.poll(() => simulator.journal().length, { timeout: 5000, interval: 10 }).toBe(1);
  leave.abort();
  await expect(asked).rejects.toThrow();
  await expect.poll(() => records.length, { timeout: 5000, interval: 10 }).toBe(1);
  const { root } = await spans();
  expect(root.attributes).toMatchObject({ 'error.type': 'client_gone', 'estafet.reason': 'client_gone' });
  expect(root.status.code ?? 0).toBe(0);
});

test('a backend that was not called is an event, not a span', async () => {
  await open({}, '', 'rpm: 1');
  for (let index = 0; index < 2; index++) await (await chat(desk as SimulatedDesk, { ...HELLO, model: 'pair' })).text();
  await desk?.close();
  desk = null;
  const second = collector.spans.findLast(({ kind }) => kind === KIND.server);
  expect(second?.events).toMatchObject([
    { name: 'backend not called', attributes: { 'estafet.backend': 'qwen', 'error.type': 'backend_limit_requests' } },
  ]);
  const calls = collector.spans.filter(({ parentSpanId }) => parentSpanId === second?.spanId);
  expect(calls.map(({ name }) => name)).toEqual(['chat glm-4.6']);
});

describe('context of the caller', () => {
  const ids = ({ traceId, parentSpanId = '' }: SeenSpan) => ({ traceId, parentSpanId });

  test('joined: the same trace, its span the parent, and its state kept', async () => {
    await open();
    await chat(desk as SimulatedDesk, HELLO, { traceparent: PARENT, tracestate: 'vendor=abc,other=1' });
    const { root } = await spans();
    expect(ids(root)).toEqual({ traceId: TRACE, parentSpanId: SPAN });
    expect(root.traceState).toBe('vendor=abc,other=1');
  });

  test.each([
    ['broken', 'x'],
    ['of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['twice', `${PARENT}, ${PARENT}`],
  ])('%s: none, and no error', async (_name, traceparent) => {
    await open();
    expect((await chat(desk as SimulatedDesk, HELLO, { traceparent, tracestate: ',,=' })).status).toBe(200);
    const { root } = await spans();
    expect(root.parentSpanId ?? '').toBe('');
    expect(root.traceId).not.toBe(TRACE);
  });

  test('linked: a trace of its own that names it', async () => {
    await open({}, 'tracing: { callerContext: link }');
    await chat(desk as SimulatedDesk, HELLO, { traceparent: PARENT });
    const { root } = await spans();
    expect(root.traceId).not.toBe(TRACE);
    expect(root.links).toMatchObject([{ traceId: TRACE, spanId: SPAN }]);
  });

  test('ignored', async () => {
    await open({}, 'tracing: { callerContext: ignore }');
    await chat(desk as SimulatedDesk, HELLO, { traceparent: PARENT });
    const { root } = await spans();
    expect(root).toMatchObject({ links: [] });
    expect(root.traceId).not.toBe(TRACE);
  });
});

describe('sampling', () => {
  const UNSAMPLED = PARENT.replace(/01$/, '00');
  test.each([
    ['parentbased_always_on', '', undefined, 2],
    ['parentbased_always_on', '', UNSAMPLED, 0],
    ['parentbased_always_off', '', undefined, 0],
    ['parentbased_always_off', '', PARENT, 2],
    ['always_on', '', UNSAMPLED, 2],
    ['always_off', '', PARENT, 0],
    ['traceidratio', '0', PARENT, 0],
    ['traceidratio', '1', UNSAMPLED, 2],
    ['parentbased_traceidratio', '0', PARENT, 2],
    ['parentbased_traceidratio', '0', undefined, 0],
  ])('%s %s, parent %s: %i spans', async (OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG, traceparent, count) => {
    await open({ OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG });
    await (await chat(desk as SimulatedDesk, HELLO, traceparent === undefined ? {} : { traceparent })).text();
    await desk?.close();
    desk = null;
    expect(collector.spans).toHaveLength(count);
  });

  test('callers who mark every request get no more than the rate, and it is counted', async () => {
    let nowMs = 0;
    await open({}, "tracing: { maxPerSecond: 2 }, metrics: { token: 'env:QWEN' }", '', { now: () => nowMs });
    const ask = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) await (await chat(desk as SimulatedDesk, HELLO, { traceparent: PARENT })).text();
    };
    await ask(4);
    nowMs = 500;
    await ask(3);
    expect(await metric('estafet_traces_beyond_rate_total')).toBe(4);
    await desk?.close();
    desk = null;
    expect(collector.spans.filter(({ kind }) => kind === KIND.server)).toHaveLength(3);
  });

  test('strangers make no span', async () => {
    await open();
    const answers = await Promise.all([
      post('/v1/chat/completions', HELLO, { authorization: 'Bearer sk-nobody', traceparent: PARENT }),
      post('/v1/chat/completions', HELLO, { authorization: '' }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
    await desk?.close();
    desk = null;
    expect(collector.spans).toEqual([]);
  });
});

test('log lines name the trace; answers do not', async () => {
  await open();
  const { log } = desk as SimulatedDesk;
  const answer = await chat(desk as SimulatedDesk, HELLO, { traceparent: PARENT });
  expect(JSON.stringify([...answer.headers]) + (await answer.text())).not.toContain(TRACE);
  await chat(desk as SimulatedDesk, { model: 'gpt-4o' }, { traceparent: PARENT });
  await spans().catch(() => {});
  expect(log.filter(({ msg }) => msg === 'request')).toMatchObject([{ traceId: TRACE }]);
  expect(log.filter(({ msg }) => msg === 'refused')).toMatchObject([{ traceId: TRACE }]);
});

test('no prompt, answer or secret in any span, and the relay’s own export makes none', async () => {
  await open();
  const { simulator } = desk as SimulatedDesk;
  const marked = {
    ...HELLO,
    messages: [{ role: 'user', content: `${MARK} [[sim:echo]]` }],
    stop: [MARK],
    user: MARK,
    metadata: { m: MARK },
  };
  await (await chat(desk as SimulatedDesk, marked)).text();
  await (await chat(desk as SimulatedDesk, { ...marked, stream: true })).text();
  await post('/v1/embeddings', { model: 'vectors', input: MARK });
  await post('/v1/rerank', { model: 'scores', query: MARK, documents: [MARK] });
  simulator.setFault({ name: 'dead-key', vendor: 'qwen', args: {} });
  await post('/v1/chat/completions', marked);
  await post('/v1/chat/completions', { ...HELLO, messages: MARK });
  const secrets = Object.values(simulator.vendors).map(({ key }) => key);
  await desk?.close();
  desk = null;
  const sent = collector.posts.map(({ text }) => text).join('\n');
  expect(collector.spans.filter(({ kind }) => kind === KIND.server)).toHaveLength(6);
  expect(sent).not.toContain(MARK);
  for (const secret of [...secrets, KEY]) expect(sent).not.toContain(secret);
});

describe('a collector in trouble', () => {
  const METRICS = "metrics: { token: 'env:QWEN' }";
  const ask = async (): Promise<number> => (await chat(desk as SimulatedDesk, HELLO)).status;

  test('it refuses: requests are served, spans are counted as lost, the log says so once, and once that it is over', async () => {
    collector.answer = 400;
    await open({ OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2' }, METRICS);
    const { log } = desk as SimulatedDesk;
    expect([await ask(), await ask()]).toEqual([200, 200]);
    await expect.poll(() => metric('estafet_trace_spans_total{outcome="lost"}'), { timeout: 5000, interval: 10 }).toBe(4);
    collector.answer = 200;
    expect(await ask()).toBe(200);
    await expect.poll(() => metric('estafet_trace_spans_total{outcome="sent"}'), { timeout: 5000, interval: 10 }).toBe(2);
    const told = log.filter(({ msg }) => String(msg).startsWith('traces:'));
    expect(told).toMatchObject([
      { level: 'warn', error: expect.any(String) },
      { level: 'warn', lost: 4 },
    ]);
  });

  test('it is silent: what waits is bounded, and the end does not wait for it', async () => {
    collector.answer = null;
    await open({ OTEL_BSP_MAX_QUEUE_SIZE: '4', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2' }, METRICS);
    for (let index = 0; index < 5; index++) expect(await ask()).toBe(200);
    // Two are on their way, four wait.
    expect(await metric('estafet_trace_spans_total{outcome="lost"}')).toBe(4);
    // A test that waited for it would run into its own time limit.
    await desk?.close();
    desk = null;
    expect(collector.posts).toHaveLength(1);
  });
});

describe('traceparent for vendors', () => {
  const sentTo = (vendor: string) =>
    (desk as SimulatedDesk).simulator
      .journal()
      .filter((entry) => entry.vendor === vendor)
      .map(({ headers }) => headers);

  test('none unless a backend says so: nothing of the caller’s either', async () => {
    await open();
    await chat(desk as SimulatedDesk, HELLO, { traceparent: PARENT, tracestate: 'a=1' });
    const [headers] = sentTo('qwen');
    expect(headers).toBeDefined();
    expect(headers).not.toHaveProperty('traceparent');
    expect(headers).not.toHaveProperty('tracestate');
  });

  test('where it says so: the span of the call is named, also when the trace is not sampled; the caller’s state stays here', async () => {
    await open({}, '', 'traceparent: true');
    const { simulator } = desk as SimulatedDesk;
    simulator.setFault({ name: 'overload', vendor: 'qwen', args: {} });
    await (await chat(desk as SimulatedDesk, { ...HELLO, model: 'pair' }, { traceparent: PARENT, tracestate: 'a=1' })).text();
    await post('/v1/embeddings', { model: 'vectors', input: 'a' }, { traceparent: PARENT.replace(/01$/, '00') });
    const sent = [...sentTo('qwen'), ...sentTo('glm')];
    expect(sent.map(({ tracestate }) => tracestate)).toEqual([undefined, undefined, undefined]);
    const { calls } = await spans();
    const [first, , second] = sent.map(({ traceparent }) => traceparent);
    expect([first, second]).toEqual(calls.map(({ spanId }) => `00-${TRACE}-${spanId}-01`));
    expect(sent[1]?.['traceparent']).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
  });
});
