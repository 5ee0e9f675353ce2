import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { keyOf } from '../e2e/redis-rig.ts';
import { type Place, place, once as send } from '../e2e/workers-rig.ts';
import { cleanUp, estafet, folder, type Run } from '../server/process.ts';
import { type Collector, startCollector } from '../server/telemetry/tracing/collector.ts';
import { type PrometheusServer, startPrometheus } from './prometheus-server.ts';
import { queries, RULES, rules } from './queries.ts';

/**
 * Two relays, one of them of two workers, scraped by a real Prometheus with the configuration of the compose project, and the traffic that
 * each query is for: every query that we hand out finds series.
 */
interface Relay {
  readonly url: string;
  readonly metrics: string;
  readonly run: Run;
  readonly home: string;
}
let here: Place;
let collector: Collector;
let server: PrometheusServer;
const relays: Relay[] = [];
const begin = Date.now();

const TEAMS = {
  apps: { limits: { tpm: 10_000_000, budget: { amount: 1000, currency: 'CNY', per: 'month' } } },
  few: { limits: { rpm: 1 } },
  debtors: { limits: { tpm: 10_000_000, outputReserve: 10 } },
};

/** A key for each backend that fails: the simulator's faults are told by it. */
const KEYS = {
  GOOD: 'sk-good-beijing-5f3a9c2e7d1b4068',
  BROKEN: 'sk-good-beijing-2-81c4e6a09b3d5f72',
  FULL: 'sk-other-beijing-92d7b1f04c6e8a35',
  WRONG: 'sk-wrong-2903d7e15f6b84a2',
};

function fileOf(workers: number): string {
  const qwen = { vendor: 'qwen', baseUrl: here.simulator.vendors['qwen']?.baseUrl, apiKey: 'env:GOOD', retries: 0 };
  const queue = { max: 10, waitMs: 10_000 };
  const backends = {
    good: qwen,
    broken: { ...qwen, apiKey: 'env:BROKEN', retries: 1, breaker: { failures: 2, openMs: 300 }, probe: {} },
    keyless: { ...qwen, apiKey: 'env:WRONG' },
    full: { ...qwen, apiKey: 'env:FULL', concurrency: 8, queue },
    narrow: { ...qwen, concurrency: 1, queue },
    unpriced: { ...qwen, region: 'elsewhere' },
  };
  const after = (...names: readonly string[]) => names.map((name) => `${name}/qwen-plus`);
  return stringify({
    server: { host: '127.0.0.1', port: 0, workers, metrics: { port: 0 }, watchFiles: false },
    redis: `redis://127.0.0.1:${here.redis.port}`,
    backends,
    models: {
      ...Object.fromEntries(Object.keys(backends).map((name) => [name, after(name)])),
      next: after('broken', 'good'),
      hedged: { to: after('broken', 'good'), hedge: 100 },
      admin: after('keyless', 'good'),
    },
    teams: Object.fromEntries(
      Object.entries(TEAMS).map(([name, team]) => [name, { permit: { vendors: ['qwen'], regions: ['*'] }, ...team }]),
    ),
    keys: Object.keys(TEAMS).map((name) => ({ name, team: name, key: `env:KEY_${name}` })),
  });
}

async function startRelay(workers: number): Promise<Relay> {
  const home = folder({ 'estafet.yaml': fileOf(workers) });
  const run = estafet(
    ['serve'],
    {
      ...KEYS,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      ...Object.fromEntries(Object.keys(TEAMS).map((name) => [`KEY_${name}`, keyOf(name)])),
    },
    home,
  );
  const [, url = ''] = await run.seen(/listens on (http:\/\/[\d.:]+)/);
  const [, metrics = ''] = await run.seen(/Metrics are at http:\/\/([\d.:]+)\//);
  return { url, metrics, run, home };
}

const say = (content: string, more: object = {}) => ({ messages: [{ role: 'user', content }], ...more });
async function ask({ url }: Relay, model: string, expected: number, body: object = say('x'), team = 'apps'): Promise<void> {
  const { status, text } = await send(`${url}/v1/chat/completions`, team, { model, ...body });
  expect(status, text).toBe(expected);
}
const fault = (name: string, key: string, times: number) => here.simulator.setFault({ name, vendor: 'qwen', key, times });

async function traffic(relay: Relay): Promise<void> {
  await ask(relay, 'good', 200);
  await ask(relay, 'good', 200, say('x', { stream: true }));
  await ask(relay, 'good', 200, say('[[sim:tokens n=400]]'), 'debtors');
  await ask(relay, 'unpriced', 200);
  await ask(relay, 'none', 404);
  await ask(relay, 'admin', 200);
}

/** What all relays tell each other, or is there only while it lasts. */
async function trouble(relay: Relay): Promise<void> {
  await ask(relay, 'good', 200, say('x'), 'few');
  await ask(relay, 'good', 429, say('x'), 'few');
  fault('silent', KEYS.BROKEN, 1);
  await ask(relay, 'hedged', 200);
  // Connections that break: the call again, the next candidate, then the breaker, and its probe.
  fault('reset', KEYS.BROKEN, 2);
  await ask(relay, 'next', 200);
  await ask(relay, 'next', 200);
  await shows(relay, /^estafet_probes_total\{.*outcome="answered"/m);
  // By now Prometheus asks every half second.
  await scraped();
  const [full, narrow] = [await stalled(relay, 'full', 3), await stalled(relay, 'narrow', 1)];
  const waits = ask(relay, 'narrow', 200);
  fault('rate-limit', KEYS.FULL, 2);
  // The breaker opens for the second that the vendor says; then it is the second limit within a minute.
  while (!(await shown(relay)).includes('estafet_backend_learned_concurrency{')) await ask(relay, 'full', 429);
  await scraped();
  await Promise.all([full.leave(), narrow.leave()]);
  await waits;
  relay.run.child.kill('SIGHUP');
  await shows(relay, /^estafet_config_reloads_total\{.*outcome="unchanged"/m);
  const redis = here.redis.connect();
  await redis.config('SET', 'maxmemory', '1');
  await ask(relay, 'good', 503);
  await redis.config('SET', 'maxmemory', '0');
}

/** Streams that begin and stay silent. They are read: Node closes the body of an answer that nobody holds. */
async function stalled({ url }: Relay, model: string, count: number): Promise<{ leave(): Promise<void> }> {
  const leaves = new AbortController();
  const bodies: Promise<unknown>[] = [];
  const headers = { authorization: `Bearer ${keyOf('apps')}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ model, ...say('[[sim:stall after=1]]', { stream: true }) });
  for (let stream = 0; stream < count; stream++) {
    const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body, signal: leaves.signal });
    expect(answer.status).toBe(200);
    bodies.push(answer.text().catch((error: Error) => error));
  }
  return {
    leave: async () => {
      leaves.abort();
      await Promise.all(bodies);
    },
  };
}

const shown = async ({ metrics }: Relay): Promise<string> => (await fetch(`http://${metrics}/metrics`)).text();
async function shows(relay: Relay, pattern: RegExp): Promise<void> {
  while (!pattern.test(await shown(relay))) await sleep(50);
}

/** Waits until each relay has been asked, well, after now. Prometheus itself begins some five seconds after its start. */
async function scraped(): Promise<void> {
  const now = Date.now();
  for (let good = 0; good < relays.length; await sleep(100)) {
    const { activeTargets } = await server.ask<{ activeTargets: { lastScrape: string; health: string }[] }>('targets');
    good = activeTargets.filter(({ lastScrape, health }) => health === 'up' && Date.parse(lastScrape) > now).length;
  }
}

beforeAll(async () => {
  [here, collector] = await Promise.all([place(), startCollector()]);
  relays.push(...(await Promise.all([startRelay(1), startRelay(2)])));
  const config = parse(readFileSync('deploy/compose/prometheus.yml', 'utf8')) as {
    global: Record<string, string>;
    rule_files: string[];
    scrape_configs: { static_configs: { targets: string[] }[] }[];
  };
  // What the compose project names by its network and in its containers.
  config.global = { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '1s' };
  config.rule_files = [resolve(RULES)];
  config.scrape_configs[0]!.static_configs = [{ targets: relays.map(({ metrics }) => metrics) }];
  server = await startPrometheus(stringify(config));
  for (const relay of relays) await traffic(relay);
  await trouble(relays[0] as Relay);
  for (let time = 0; time < 2; time++) await scraped();
}, 60_000);
afterAll(async () => {
  await server?.stop();
  await cleanUp();
  await Promise.all([here?.close(), collector?.close()]);
});

/** As Grafana fills it in; and an alert's comparison without its filter: 0 or 1 for each series. */
const asked = (expr: string): string =>
  expr
    .replaceAll('$__rate_interval', '5m')
    .replaceAll('$job', 'estafet')
    .replace(/ (==|[<>]) ([\d.]+)\s*$/, ' $1 bool $2');

test.each(queries)('$where finds series: $expr', async ({ expr }) => {
  // Some are there only while something lasts.
  const times = { start: `${begin / 1000}`, end: `${Date.now() / 1000}`, step: '0.25' };
  const { result } = await server.ask<{ result: readonly unknown[] }>('query_range', { query: asked(expr), ...times });
  expect(result.length).toBeGreaterThan(0);
});

test('Prometheus evaluates each rule', async () => {
  const { groups } = await server.ask<{ groups: { rules: { name: string; health: string; lastError?: string }[] }[] }>('rules');
  const told = groups.flatMap((group) => group.rules).map(({ name, health, lastError }) => ({ name, health, lastError }));
  expect(told).toEqual(rules.map(({ alert }) => ({ name: alert, health: 'ok', lastError: undefined })));
});
