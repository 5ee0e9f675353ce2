/** What the environment says of traces, in OpenTelemetry's own variables. Where to send and with which headers its exporter reads itself. */
export interface TraceSettings {
  readonly sampler: { readonly kind: 'always_on' | 'always_off' | 'traceidratio'; readonly parentBased: boolean; readonly ratio: number };
  readonly queue: QueueSettings;
}

export interface QueueSettings {
  /** Spans that wait; more are dropped. */
  readonly max: number;
  /** Spans that are sent together. */
  readonly batch: number;
  /** How long spans wait for more. */
  readonly delayMs: number;
}

type Env = Readonly<Record<string, string | undefined>>;

/** A variable that cannot be obeyed. */
export class TraceSettingsFault extends Error {
  override readonly name = 'TraceSettingsFault';
}

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/**
 * Null when no traces are wanted: no endpoint is set, or they are switched off. An empty variable is one that is not set.
 * @throws TraceSettingsFault for what would be misunderstood in silence: a sampler that does not exist would send everything
 */
export function traceSettings(env: Env): TraceSettings | null {
  const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_ENDPOINT'] || null;
  const exporter = env['OTEL_TRACES_EXPORTER'] || 'otlp';
  if (endpoint === null || exporter === 'none' || env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return null;
  if (exporter !== 'otlp') throw new TraceSettingsFault('OTEL_TRACES_EXPORTER must be otlp or none.');
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new TraceSettingsFault('OTEL_EXPORTER_OTLP_ENDPOINT must be an http or https URL, such as http://127.0.0.1:4318.');
  }
  const protocol = env['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] || env['OTEL_EXPORTER_OTLP_PROTOCOL'] || 'http/json';
  // Every collector that takes protobuf over HTTP takes JSON on the same port; gRPC has another.
  if (protocol !== 'http/json' && protocol !== 'http/protobuf') {
    throw new TraceSettingsFault('OTEL_EXPORTER_OTLP_PROTOCOL must be http/json: spans are sent as JSON over HTTP, usually to port 4318.');
  }
  const max = count(env, 'OTEL_BSP_MAX_QUEUE_SIZE', 2048);
  return {
    sampler: samplerOf(env),
    queue: {
      max,
      batch: Math.min(max, count(env, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512)),
      delayMs: count(env, 'OTEL_BSP_SCHEDULE_DELAY', 5000),
    },
  };
}

function samplerOf(env: Env): TraceSettings['sampler'] {
  const wanted = env['OTEL_TRACES_SAMPLER'] || 'parentbased_always_on';
  const name = SAMPLERS.find((sampler) => sampler === wanted);
  if (name === undefined) throw new TraceSettingsFault(`OTEL_TRACES_SAMPLER must be one of ${SAMPLERS.join(', ')}.`);
  const parentBased = name.startsWith('parentbased_');
  const kind = (parentBased ? name.slice('parentbased_'.length) : name) as TraceSettings['sampler']['kind'];
  const arg = env['OTEL_TRACES_SAMPLER_ARG'] || '1';
  const ratio = kind === 'traceidratio' ? Number(arg) : 1;
  if (!(ratio >= 0 && ratio <= 1)) throw new TraceSettingsFault('OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1.');
  return { kind, parentBased, ratio };
}

function count(env: Env, name: string, otherwise: number): number {
  const text = env[name] || String(otherwise);
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new TraceSettingsFault(`${name} must be a whole number from 1 to 9999999.`);
  return Number(text);
}
