import { afterEach, beforeEach, expect, vi } from 'vitest';
import { openTracing } from '../../../../server/telemetry/tracing/open-tracing.ts';
import type { TracingHooks } from '../../../../server/telemetry/tracing/tracing.ts';
import { chat, digestOf, HELLO, KEY, openSimulated, type SimulatedDesk } from '../../../http/desk.ts';
import { type Collector, KIND, type SeenSpan, startCollector } from './collector.ts';

export const TRACE = '0af7651916cd43dd8448eb211c80319c';
export const SPAN = 'b7ad6b7169203331';
export const PARENT = `00-${TRACE}-${SPAN}-01`;
/** Of a team with one request a minute. */
export const POOR_KEY = 'sk-test-poor-0123456789abcdef';

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
  - { name: one, team: poor, key: '${digestOf(POOR_KEY)}' }
`;

interface Options extends Pick<TracingHooks, 'now'> {
  readonly env?: Readonly<Record<string, string>>;
  /** YAML of the section's keys. */
  readonly server?: string;
  /** YAML of every backend. */
  readonly backend?: string;
  /** YAML of more entries of `models`. */
  readonly models?: string;
}

/** A relay and a collector of its spans for each test of the file that calls this. */
export function tracingRig() {
  let collector: Collector;
  let desk: SimulatedDesk | null = null;
  beforeEach(async () => {
    collector = await startCollector();
  });
  const close = async (): Promise<void> => {
    await desk?.close();
    desk = null;
  };
  afterEach(async () => {
    await close();
    await collector.close();
    vi.unstubAllEnvs();
  });
  const opened = (): SimulatedDesk => {
    if (desk === null) throw new Error('no relay is open');
    return desk;
  };
  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${opened().url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  return {
    get collector(): Collector {
      return collector;
    },
    open: async ({ env = {}, server = '', backend = '', models = '', ...hooks }: Options = {}): Promise<SimulatedDesk> => {
      // The exporter reads the environment itself.
      const all = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: '', ...env };
      for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value);
      const make = await openTracing(process.env);
      desk = await openSimulated(server, `${MODELS}${models}${ACCESS}`, {
        backend,
        tracing: make && ((given) => make({ ...given, ...hooks })),
      });
      return desk;
    },
    post,
    ask: (body: unknown = HELLO, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> =>
      chat(opened(), body, headers, signal),
    /** One sample of the metrics, whose token is the key of the backend `qwen`. */
    metric: async (sample: string): Promise<number> => {
      const { url, simulator } = opened();
      const page = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${simulator.vendors['qwen']?.key}` } })).text();
      const line = page.split('\n').find((text) => text.startsWith(`${sample} `));
      return Number(line?.slice(sample.length));
    },
    /** All spans of the relay, which sends what waits before it is closed. */
    closed: async (): Promise<readonly SeenSpan[]> => {
      await close();
      return collector.spans;
    },
    /** The same of a relay that was asked once. */
    spans: async (): Promise<{ all: readonly SeenSpan[]; root: SeenSpan; calls: SeenSpan[] }> => {
      await close();
      const all = collector.spans;
      const roots = all.filter(({ kind }) => kind === KIND.server);
      expect(roots).toHaveLength(1);
      return { all, root: roots[0] as SeenSpan, calls: all.filter(({ kind }) => kind === KIND.client) };
    },
  };
}
