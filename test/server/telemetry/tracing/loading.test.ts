import { afterAll, afterEach, expect, test } from 'vitest';
import { cleanUp, estafet, folder } from '../../process.ts';
import { type Collector, startCollector } from './collector.ts';

afterAll(cleanUp);
let collector: Collector | null = null;
afterEach(async () => {
  await collector?.close();
  collector = null;
});

/** Names every package of OpenTelemetry that is loaded, however it is. */
const WATCH = `
import { registerHooks } from 'node:module';
const seen = new Set();
registerHooks({
  load(url, context, next) {
    const name = /@opentelemetry\\/([a-z-]+)/.exec(url)?.[1];
    if (name !== undefined && !seen.has(name)) process.stderr.write('LOADED ' + name + '\\n');
    seen.add(name);
    return next(url, context);
  },
});
`;
const KEY = 'sk-test-key-0123456789abcdef';
const CONFIG = `
server: { port: 0 }
database: 'memory:'
backends: { q: { vendor: qwen, baseUrl: 'http://127.0.0.1:9/v1', apiKey: 'env:Q' } }
models: { gpt-4o: [q/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: k, team: t, key: 'env:K' }]
`;

/** The packages that a relay has loaded by the time it has answered and stopped. */
async function loaded(env: Record<string, string>): Promise<string[]> {
  const cwd = folder({ 'estafet.yaml': CONFIG, 'watch.mjs': WATCH });
  const run = estafet(['serve'], { Q: 'sk-q', K: KEY, NODE_OPTIONS: `--import=${cwd}/watch.mjs`, ...env }, cwd);
  const [, url] = await run.seen(/listens on (\S+)/);
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] }),
  });
  expect(answer.status).toBe(502);
  run.child.kill('SIGTERM');
  expect(await run.exit).toBe(0);
  return [...run.stderr.matchAll(/^LOADED (.*)$/gm)].map((match) => match[1] as string);
}

test('without an endpoint nothing of it is loaded; metrics bring the bare interface', async () => {
  const packages = await loaded({ OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'always_on' });
  expect(packages.filter((name) => name !== 'api')).toEqual([]);
});

test('with one it is loaded, spans arrive before the process ends, and the end is clean', async () => {
  collector = await startCollector();
  expect(await loaded({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })).toContain('exporter-trace-otlp-http');
  expect(collector.spans.map(({ name }) => name)).toContain('chat gpt-4o');
});

test.each([
  ['a sampler that does not exist', { OTEL_TRACES_SAMPLER: 'always' }, 'OTEL_TRACES_SAMPLER'],
  ['gRPC', { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'OTEL_EXPORTER_OTLP_PROTOCOL'],
])('%s: one line, and no start', async (_what, env, name) => {
  const cwd = folder({ 'estafet.yaml': CONFIG });
  const run = estafet(['serve'], { Q: 'sk-q', K: KEY, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', ...env }, cwd);
  expect(await run.exit).toBe(1);
  expect(run.stderr.trim().split('\n')).toEqual([expect.stringMatching(new RegExp(`^estafet: cannot start: ${name} must be `))]);
});
