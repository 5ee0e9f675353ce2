import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { HELLO, KEY, type SimulatedDesk } from '../../../http/desk.ts';
import { FAILED, KIND } from './collector.ts';
import { POOR_KEY, tracingRig } from './tracing-rig.ts';

const rig = tracingRig();

interface Outcome {
  readonly what: string;
  readonly act: (desk: SimulatedDesk) => Promise<unknown>;
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
  readonly calls: number;
}

const POOR = { authorization: `Bearer ${POOR_KEY}` };
const OUTCOMES: readonly Outcome[] = [
  {
    what: 'embeddings',
    act: () => rig.post('/v1/embeddings', { model: 'vectors', input: ['a', 'b'], dimensions: 256, encoding_format: 'float' }),
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
    act: () => rig.post('/v1/rerank', { model: 'scores', query: 'a', documents: ['b', 'c'] }),
    name: 'rerank scores',
    attributes: { 'gen_ai.operation.name': 'rerank', 'http.route': '/v1/rerank' },
    failed: false,
    calls: 1,
  },
  {
    what: 'a vendor that fails',
    act: ({ simulator }) => {
      simulator.setFault({ name: 'dead-key', vendor: 'qwen', args: {} });
      return rig.post('/v1/chat/completions', HELLO);
    },
    name: 'chat gpt-4o',
    attributes: { 'error.type': 'upstream_auth', 'http.response.status_code': 502, 'estafet.reason': 'vendor_error' },
    failed: true,
    calls: 1,
  },
  {
    what: 'a stream that breaks off',
    act: async () =>
      (
        await rig.post('/v1/chat/completions', { ...HELLO, messages: [{ role: 'user', content: '[[sim:cut after=2]]' }], stream: true })
      ).text(),
    name: 'chat gpt-4o',
    attributes: { 'error.type': 'upstream_truncated', 'http.response.status_code': 200 },
    failed: true,
    calls: 1,
  },
  {
    what: 'a body that is refused',
    act: () => rig.post('/v1/chat/completions', { model: 'gpt-4o' }),
    name: 'POST /v1/chat/completions',
    attributes: { 'error.type': 'missing_required_parameter', 'http.response.status_code': 400, 'estafet.reason': 'refused' },
    failed: false,
    calls: 0,
  },
  {
    what: 'a model that nobody has',
    act: () => rig.post('/chat/completions', { ...HELLO, model: 'no-such' }),
    name: 'POST /v1/chat/completions',
    attributes: { 'error.type': 'model_not_found', 'http.response.status_code': 404 },
    failed: false,
    calls: 0,
  },
];

test.each(OUTCOMES)('$what', async ({ act, name, attributes, failed, calls }) => {
  await act(await rig.open());
  const seen = await rig.spans();
  expect(seen.root.name).toBe(name);
  expect(seen.root.attributes).toMatchObject(attributes);
  expect(seen.root.status.code ?? 0).toBe(failed ? FAILED : 0);
  expect(seen.root.status).not.toHaveProperty('message');
  expect(seen.calls).toHaveLength(calls);
});

test('refused by its limits: no call', async () => {
  await rig.open();
  const answers = [await rig.post('/v1/chat/completions', HELLO, POOR), await rig.post('/v1/chat/completions', HELLO, POOR)];
  expect(answers.map(({ status }) => status)).toEqual([200, 429]);
  await rig.closed();
  const refused = rig.collector.spans.find(({ attributes }) => attributes['http.response.status_code'] === 429);
  expect(refused).toMatchObject({ kind: KIND.server, status: {} });
  expect(refused?.attributes).toMatchObject({
    'error.type': 'rate_limit_exceeded',
    'estafet.refused_by': expect.stringContaining('rpm'),
    'estafet.key': 'one',
  });
  expect(rig.collector.spans.filter(({ traceId }) => traceId === refused?.traceId)).toHaveLength(1);
});

test('a caller who has left', async () => {
  const { records, simulator } = await rig.open();
  const leave = new AbortController();
  const asked = rig.ask({ ...HELLO, messages: [{ role: 'user', content: '[[sim:silent]]' }] }, {}, leave.signal);
  await expect.poll(() => simulator.journal().length, { timeout: 5000, interval: 10 }).toBe(1);
  leave.abort();
  await expect(asked).rejects.toThrow();
  await expect.poll(() => records.length, { timeout: 5000, interval: 10 }).toBe(1);
  const { root } = await rig.spans();
  expect(root.attributes).toMatchObject({ 'error.type': 'client_gone', 'estafet.reason': 'client_gone' });
  expect(root.status.code ?? 0).toBe(0);
});

test('a backend that was not called is an event, not a span', async () => {
  await rig.open({ backend: 'rpm: 1' });
  for (let index = 0; index < 2; index++) await (await rig.ask({ ...HELLO, model: 'pair' })).text();
  await rig.closed();
  const second = rig.collector.spans.findLast(({ kind }) => kind === KIND.server);
  expect(second?.events).toMatchObject([
    { name: 'backend not called', attributes: { 'estafet.backend': 'qwen', 'error.type': 'backend_limit_requests' } },
  ]);
  const calls = rig.collector.spans.filter(({ parentSpanId }) => parentSpanId === second?.spanId);
  expect(calls.map(({ name }) => name)).toEqual(['chat glm-4.6']);
});

test('nor is one whose caller had left before', async () => {
  const { url, records } = await rig.open();
  // Takes a while to unpack.
  const packed = gzipSync(JSON.stringify({ ...HELLO, padding: ' '.repeat(15_000_000) }));
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'content-encoding': 'gzip' };
  const sent = request(`${url}/v1/chat/completions`, { method: 'POST', headers });
  sent.on('error', () => undefined);
  sent.end(packed, () => sent.destroy());
  await expect.poll(() => records.length, { timeout: 5000, interval: 10 }).toBe(1);
  const { root, calls } = await rig.spans();
  expect(root.events).toMatchObject([
    { name: 'backend not called', attributes: { 'estafet.backend': 'qwen', 'error.type': 'client_gone' } },
  ]);
  expect(calls).toEqual([]);
});
