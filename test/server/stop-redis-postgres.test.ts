import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type RunningRelay, startRelay } from '../../server/main.ts';
import { openTracing } from '../../server/telemetry/tracing/open-tracing.ts';
import { build } from '../../server/wiring.ts';
import { booked } from '../e2e/booked.ts';
import { configOf, digestOf, KEY } from '../http/desk.ts';
import { type RedisServer, startRedis } from '../relay/quota/redis-server.ts';
import { standingBackend } from '../relay/standing-backend.ts';
import { type PostgresServer, postgresServer } from './database/postgres-server.ts';
import { cleanUp, folder } from './process.ts';
import { type Collector, KIND, startCollector } from './telemetry/tracing/collector.ts';

let redis: RedisServer;
let postgres: PostgresServer;
let collector: Collector;
beforeAll(async () => {
  [redis, postgres, collector] = await Promise.all([startRedis(), postgresServer(), startCollector()]);
  // Where OpenTelemetry's own exporter looks.
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
});
afterEach(() => void vi.useRealTimers());
afterAll(async () => {
  vi.unstubAllEnvs();
  await cleanUp();
  await collector?.close();
  await redis?.stop();
  postgres?.remove();
});

const sqlite = (): string => `sqlite:${join(folder({}), 'books.db')}`;
const PLACES: readonly (readonly [string, () => string, () => string])[] = [
  ['limits in the process, books in SQLite', () => '', sqlite],
  ['limits in Redis, books in SQLite', () => `redis: 'redis://127.0.0.1:${redis.port}'`, sqlite],
  ['limits in Redis, books in PostgreSQL', () => `redis: 'redis://127.0.0.1:${redis.port}'`, () => postgres.database()],
];

/** A stream that stands after its first piece, under limits, with traces, and with metrics on a port of their own. */
async function standing(limits: string, database: string) {
  const backend = await standingBackend();
  const config = configOf(
    `server: { port: 0, logLevel: silent, metrics: { port: 0 } }
backends: { q: { vendor: qwen, baseUrl: '${backend.url}/v1', apiKey: 'env:K' } }
models: { gpt-4o: [q/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] }, limits: { rpd: 100, concurrency: 10, budget: { amount: 5, currency: CNY, per: month } } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
database: '${database}'
${limits}
`,
    { K: 'sk-backend-secret' },
  );
  const relay: RunningRelay = await startRelay(config, build(config, { tracing: await openTracing(process.env) }));
  const answer = await fetch(`${relay.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: 'x' }] }),
  });
  expect(answer.status).toBe(200);
  return { relay, backend, answer };
}

test.each(PLACES)('%s: what follows the last stream waits for no clock', { timeout: 20_000 }, async (_, limits, database) => {
  const place = database();
  // No timer ever goes off: whatever is waited for must come by itself.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  const { relay, backend, answer } = await standing(limits(), place);
  const stopped = relay.stop();
  backend.finish();
  expect((await answer.text()).endsWith('data: [DONE]\n\n')).toBe(true);
  expect(await stopped).toBe(true);
  vi.useRealTimers();
  // All of it is where it belongs.
  expect((await booked(place)).lines).toEqual({ done: 1 });
  expect(collector.spans.splice(0).map(({ kind }) => kind)).toEqual([KIND.server, KIND.client]);
  await backend.close();
});
