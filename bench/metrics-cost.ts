import { loadCatalog } from '../catalog/catalog.ts';
import type { RequestRecord } from '../relay/records/request-record.ts';
import { ModelNames } from '../server/model-names.ts';
import { Metrics } from '../server/telemetry/metrics.ts';

/** What counting one answered request costs, in µs of CPU: `npx node bench/metrics-cost.ts`. */
const names = new ModelNames({ models: {}, backends: {} }, loadCatalog());
const metrics = new Metrics(names, {
  books: () => ({ waiting: 0, lost: 0, down: false }),
  quota: () => ({ unsent: 0, open: 0 }),
  breakers: () => [],
  queues: () => [],
  learned: () => [],
  backendRunning: () => [],
  running: () => ({ streams: 0, whole: 0 }),
});
const record: RequestRecord = {
  id: 'req_1',
  object: 'estafet.request',
  at: '2026-01-01T00:00:00.000Z',
  surface: 'chat.completions',
  key: 'k',
  team: 't',
  model: 'gpt-4o',
  stream: true,
  status: 200,
  reason: 'done',
  error: null,
  decision: { strategy: 'order', order: [{ to: 'qwen/qwen-plus' }], skipped: [] },
  attempts: [{ backend: 'q', vendor: 'qwen', region: 'r', model: 'qwen-plus', error: null, upstreamCode: null, ms: 1 }],
  receipt: null,
  usage: { promptTokens: 9, paidPromptTokens: 9, completionTokens: 9, cachedTokens: 1, reasoningTokens: 1, source: 'vendor' },
  estimate: { promptTokens: 9, completionTokens: 9, costNano: null, currency: null },
  cost: { amountNano: 1, currency: 'CNY', priceSource: 's', priceDate: 'd', priceConfidence: 'official' },
  firstByteMs: 10,
  totalMs: 100,
};
const admitted = { ok: true, heldBy: 'store', roomy: true, tightest: { requests: null, tokens: null } } as const;

const ROUNDS = 200_000;
for (let round = 0; round < 4; round++) {
  const before = process.cpuUsage();
  for (let index = 0; index < ROUNDS; index++) {
    metrics.reserved(admitted, 0.3);
    metrics.settled(record);
  }
  const { user, system } = process.cpuUsage(before);
  console.log(`${((user + system) / ROUNDS).toFixed(2)} µs a request`);
}
const before = performance.now();
const text = await metrics.text();
console.log(`${(performance.now() - before).toFixed(1)} ms for a page of ${text.length} characters`);
