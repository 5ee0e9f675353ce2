import { expect, test } from 'vitest';
import { TraceSettingsFault, traceSettings } from '../../../../server/telemetry/tracing/trace-settings.ts';

const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:4318';

test.each([
  ['nothing is set', {}],
  ['an endpoint that is empty', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
  ['a service name alone', { OTEL_SERVICE_NAME: 'x' }],
  ['the SDK is disabled', { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' }],
  ['no exporter', { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }],
])('no traces: %s', (_why, env) => {
  expect(traceSettings(env)).toBeNull();
});

test.each([
  ['by default', {}, { kind: 'always_on', parentBased: true, ratio: 1 }],
  ['always_off', { OTEL_TRACES_SAMPLER: 'always_off' }, { kind: 'always_off', parentBased: false, ratio: 1 }],
  [
    'a ratio',
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' },
    { kind: 'traceidratio', parentBased: false, ratio: 0.25 },
  ],
  [
    'a ratio without its number',
    { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio' },
    { kind: 'traceidratio', parentBased: true, ratio: 1 },
  ],
])('sampler %s', (_name, env, sampler) => {
  expect(traceSettings({ OTEL_EXPORTER_OTLP_ENDPOINT, ...env })).toMatchObject({ sampler });
});

test('either endpoint will do, and the batches are settings', () => {
  expect(traceSettings({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${OTEL_EXPORTER_OTLP_ENDPOINT}/v1/traces` })).toMatchObject({
    queue: { max: 2048, batch: 512, delayMs: 5000 },
  });
  const env = { OTEL_BSP_MAX_QUEUE_SIZE: '10', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '20', OTEL_BSP_SCHEDULE_DELAY: '7' };
  expect(traceSettings({ OTEL_EXPORTER_OTLP_ENDPOINT, ...env })).toMatchObject({ queue: { max: 10, batch: 10, delayMs: 7 } });
});

test.each([
  ['OTEL_TRACES_SAMPLER', 'allways_on'],
  ['OTEL_TRACES_EXPORTER', 'zipkin'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
  ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'grpc'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
  ['OTEL_BSP_MAX_QUEUE_SIZE', '0'],
  ['OTEL_BSP_SCHEDULE_DELAY', 'soon'],
])('%s=%s is refused by its name', (name, value) => {
  const act = () => traceSettings({ OTEL_EXPORTER_OTLP_ENDPOINT, [name]: value });
  expect(act).toThrow(TraceSettingsFault);
  expect(act).toThrow(name.replace('_TRACES_PROTOCOL', '_PROTOCOL'));
});

test.each(['2', '-1', 'half', 'NaN'])('a ratio of %s is refused', (OTEL_TRACES_SAMPLER_ARG) => {
  const act = () => traceSettings({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG });
  expect(act).toThrow('OTEL_TRACES_SAMPLER_ARG');
});
