import { expect, test } from 'vitest';
import { HELLO } from '../../../http/desk.ts';
import { FAILED } from './collector.ts';
import { tracingRig } from './tracing-rig.ts';

const rig = tracingRig();

test('one answered request: its span, and that of the call, in the words of the conventions', async () => {
  await rig.open({
    env: {
      OTEL_SERVICE_NAME: 'our-relay',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=ours',
    },
  });
  const asked = { ...HELLO, temperature: 0.5, top_p: 0.9, max_tokens: 50, seed: 7 };
  const answer = await rig.ask(asked);
  expect(answer.status).toBe(200);
  const { usage } = (await answer.json()) as { usage: { prompt_tokens: number; completion_tokens: number } };
  const { root, calls } = await rig.spans();
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
  expect(rig.collector.resources[0]).toMatchObject({
    'service.name': 'our-relay',
    'deployment.environment.name': 'test',
    'service.version': expect.any(String),
  });
  expect(rig.collector.posts[0]).toMatchObject({ path: '/v1/traces', headers: { 'x-tenant': 'ours' } });
});

test('a stream that goes to the second candidate: both calls under one request', async () => {
  const { simulator } = await rig.open();
  simulator.setFault({ name: 'overload', vendor: 'qwen', args: {} });
  const answer = await rig.ask({ ...HELLO, model: 'pair', stream: true });
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  const { root, calls } = await rig.spans();
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
