import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadCatalog } from '../../../catalog/catalog.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import type { Attempt, RequestRecord } from '../../../relay/records/request-record.ts';
import { ModelNames } from '../../../server/model-names.ts';
import { Metrics } from '../../../server/telemetry/metrics.ts';
import { listedMetrics } from '../../../tools/docs-metrics.ts';
import { page, rows } from '../../docs/pages.ts';
import { configOf } from '../../http/desk.ts';
import { samplesOf, totalOf } from './exposition.ts';

const config = configOf(
  `backends: { q: { vendor: qwen, apiKey: 'env:Q' } }
models: { gpt-4o: [q/qwen-plus], 'o*': [q/qwen-plus] }`,
  { Q: 'sk-secret' },
);
const names = new ModelNames(config, loadCatalog());
const sources = {
  books: () => ({ waiting: 3, lost: 2, down: true }),
  quota: () => ({ unsent: 4, open: 5 }),
  breakers: () => [],
  queues: () => [{ backend: 'q', waiting: 9 }],
  learned: () => [{ backend: 'q', most: 11 }],
  backendRunning: () => [{ backend: 'q', running: 12 }],
  running: () => ({ streams: 6, whole: 7 }),
};
const fresh = () => new Metrics(names, sources);
const samples = async (metrics: Metrics) => samplesOf(await metrics.text());

const attempt = (more: Partial<Attempt> = {}): Attempt => ({
  backend: 'q',
  vendor: 'qwen',
  region: 'cn-beijing',
  model: 'qwen-plus',
  error: null,
  upstreamCode: null,
  ms: 5,
  ...more,
});
const cost = { amountNano: 2_500_000, currency: 'CNY' as const, priceSource: 's', priceDate: 'd', priceConfidence: 'official' as const };
const record = (more: Partial<RequestRecord> = {}): RequestRecord => ({
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
  attempts: [attempt()],
  receipt: null,
  usage: { promptTokens: 10, paidPromptTokens: 20, completionTokens: 30, cachedTokens: 5, reasoningTokens: 0, source: 'vendor' },
  estimate: { promptTokens: 20, completionTokens: 60, costNano: null, currency: null },
  cost,
  firstByteMs: 200,
  totalMs: 1500,
  ...more,
});

test('one answered request, counted everywhere', async () => {
  const metrics = fresh();
  metrics.settled(record());
  const all = await samples(metrics);
  const labels = { surface: 'chat.completions', backend: 'q' };
  expect(totalOf(all, 'estafet_requests_total', { ...labels, model: 'gpt-4o', status: '200', cause: 'none' })).toBe(1);
  expect(totalOf(all, 'estafet_first_byte_seconds_sum', labels)).toBe(0.2);
  expect(totalOf(all, 'estafet_request_duration_seconds_sum', { ...labels, stream: 'true' })).toBe(1.5);
  expect(totalOf(all, 'estafet_upstream_attempts_total', { backend: 'q', model: 'qwen-plus', cause: 'none' })).toBe(1);
  const tokens = (kind: string) => totalOf(all, 'estafet_tokens_total', { backend: 'q', model: 'qwen-plus', kind });
  // As billed: parallel calls pay the prompt each time.
  expect(['prompt', 'completion', 'cached', 'reasoning'].map(tokens)).toEqual([20, 30, 5, 0]);
  expect(totalOf(all, 'estafet_cost_total', { currency: 'CNY' })).toBe(0.0025);
  expect(totalOf(all, 'estafet_unpriced_requests_total')).toBe(0);
  for (const kind of ['prompt', 'completion']) {
    expect(totalOf(all, 'estafet_estimate_ratio_sum', { vendor: 'qwen', kind })).toBe(0.5);
    expect(totalOf(all, 'estafet_estimate_ratio_count', { vendor: 'qwen', kind })).toBe(1);
  }
});

test.each<[string, Partial<RequestRecord>, Record<string, string>]>([
  [
    'refused by a limit',
    { status: 429, reason: 'refused', attempts: [], error: { code: 'rate_limit_exceeded', message: '' } },
    { backend: 'none', cause: 'rate_limit_exceeded' },
  ],
  [
    'failed at the vendor',
    { status: 503, reason: 'vendor_error', attempts: [attempt({ error: 'upstream_overloaded' })], error: { code: 'x', message: '' } },
    { backend: 'q', cause: 'upstream_overloaded' },
  ],
  ['the caller left', { reason: 'client_gone' }, { cause: 'client_gone', status: '200' }],
  [
    'an error that nobody knows',
    { status: 500, reason: 'refused', attempts: [], error: { code: 'made-up', message: '' } },
    { cause: 'other' },
  ],
])('the cause: %s', async (_name, more, labels) => {
  const metrics = fresh();
  metrics.settled(record({ usage: null, cost: null, ...more }));
  expect(totalOf(await samples(metrics), 'estafet_requests_total', labels)).toBe(1);
});

test('an answer that was thrown away is billed to its backend; one without a price is in no sum', async () => {
  const metrics = fresh();
  const discarded = { promptTokens: 7, completionTokens: 8, cachedTokens: 0, reasoningTokens: 0, cost };
  metrics.settled(record({ attempts: [attempt({ backend: 'first', error: 'upstream_unmet', discarded }), attempt()], cost: null }));
  const all = await samples(metrics);
  expect(totalOf(all, 'estafet_tokens_total', { backend: 'first' })).toBe(15);
  expect(totalOf(all, 'estafet_cost_total', { backend: 'first' })).toBe(0.0025);
  expect(totalOf(all, 'estafet_unpriced_requests_total', { backend: 'q' })).toBe(1);
  expect(totalOf(all, 'estafet_upstream_attempts_total')).toBe(2);
});

test.each([null, 'upstream_auth'])('a probe that ended with %s is a call to a backend, and no request', async (error) => {
  const metrics = fresh();
  metrics.probed(record({ surface: 'probe', attempts: [attempt({ error })], ...(error === null ? {} : { usage: null, cost: null }) }));
  const all = await samples(metrics);
  expect(totalOf(all, 'estafet_probes_total', { backend: 'q', outcome: error ?? 'answered' })).toBe(1);
  expect(totalOf(all, 'estafet_upstream_attempts_total', { backend: 'q', cause: error ?? 'none' })).toBe(1);
  expect(totalOf(all, 'estafet_requests_total')).toBe(0);
  expect(totalOf(all, 'estafet_cost_total', { currency: 'CNY' })).toBe(error === null ? 0.0025 : 0);
});

test.each(['won', 'lost', 'failed', 'over-budget', 'no-room'] as const)('a call beside a slow one: %s', async (hedge) => {
  const metrics = fresh();
  metrics.settled(record({ hedge }));
  metrics.settled(record());
  const all = await samples(metrics);
  expect(totalOf(all, 'estafet_hedges_total', { model: 'gpt-4o', outcome: hedge })).toBe(1);
  expect(totalOf(all, 'estafet_hedges_total')).toBe(1);
});

describe('where requests could not go, and where they went in the end', () => {
  const order = [{ to: 'a/m' }, { to: 'b/m' }];
  const at = (backend: string, error: string | null, more: Partial<Attempt> = {}): Attempt =>
    attempt({ backend, model: 'm', error, ...more });
  const permit = { to: 'c/m', rule: 'region' as const };
  const need = { to: 'd/whatever/a caller says', rule: 'tools' as const };
  test.each<[string, Attempt[], Record<string, number>]>([
    ['the first answers', [at('a', null)], {}],
    [
      'again at the first, then elsewhere',
      [at('a', 'upstream_overloaded'), at('a', 'upstream_timeout'), at('b', null)],
      { 'retries a upstream_overloaded': 1, 'fallbacks b upstream_timeout': 1 },
    ],
    [
      'past a breaker',
      [at('a', 'upstream_auth', { unsent: true }), at('b', null)],
      { 'left_out a breaker': 1, 'fallbacks b upstream_auth': 1 },
    ],
    ['a caller that left before the first was called', [at('a', null, { unsent: true })], {}],
    ['or before the second was', [at('a', 'upstream_timeout'), at('b', null, { unsent: true })], {}],
    ['nobody answers', [at('a', 'upstream_timeout'), at('b', 'upstream_timeout')], {}],
    [
      'room after a wait',
      [at('a', 'backend_limit_requests'), at('b', 'backend_limit_requests', { queuedMs: 400 }), at('b', null)],
      { 'fallbacks b backend_limit_requests': 1, 'queued room': 0.4 },
    ],
    ['a wait in vain', [at('a', 'backend_limit_requests', { queuedMs: 5_000 })], { 'queued in vain': 5 }],
  ])('%s', async (_name, attempts, expected) => {
    const metrics = fresh();
    metrics.settled(record({ decision: { strategy: 'order', order, skipped: [permit, need] }, attempts, usage: null }));
    const all = await samples(metrics);
    const counted = (metric: string, short: string, ...labels: string[]) =>
      all
        .filter(({ name }) => name === metric)
        .map((sample) => [[short, ...labels.map((label) => sample.labels[label])].join(' '), sample.value] as const);
    expect(
      Object.fromEntries([
        ...counted('estafet_candidates_left_out_total', 'left_out', 'backend', 'rule'),
        ...counted('estafet_fallbacks_total', 'fallbacks', 'backend', 'cause'),
        ...counted('estafet_retries_total', 'retries', 'backend', 'cause'),
        ...counted('estafet_queue_wait_seconds_sum', 'queued', 'outcome'),
      ]),
    ).toEqual({ 'left_out c region': 1, 'left_out d tools': 1, ...expected });
  });
});

test.each<[string, Partial<RequestRecord>]>([
  ['that the relay counted itself', { usage: { ...(record().usage as NonNullable<RequestRecord['usage']>), source: 'estimated' } }],
  ['of a cut answer', { reason: 'client_gone' }],
  ['of a key without limits', { estimate: null }],
])('the estimate is not judged by a count %s', async (_name, more) => {
  const metrics = fresh();
  metrics.settled(record(more));
  expect(totalOf(await samples(metrics), 'estafet_estimate_ratio_count')).toBe(0);
});

test('limits, errors and what is read at the moment', async () => {
  const metrics = fresh();
  const limit = { name: 'key.rpm' } as never;
  const tightest = { requests: null, tokens: null };
  metrics.reserved({ ok: true, heldBy: 'store', roomy: true, tightest }, 2);
  metrics.reserved({ ok: false, kind: 'wait', limit, tightest, retryAfterMs: 5 }, 2);
  metrics.reserved({ ok: false, kind: 'unavailable', retryAfterMs: 5 }, 2);
  metrics.quotaFault();
  metrics.answered(new OpenAIError('invalid_api_key', ''));
  const all = await samples(metrics);
  for (const outcome of ['admitted', 'refused', 'unavailable'])
    expect(totalOf(all, 'estafet_quota_reservations_total', { outcome })).toBe(1);
  expect(totalOf(all, 'estafet_quota_refusals_total', { limit: 'key.rpm', kind: 'wait' })).toBe(1);
  expect(totalOf(all, 'estafet_quota_reserve_seconds_count')).toBe(3);
  expect(totalOf(all, 'estafet_quota_faults_total')).toBe(1);
  expect(totalOf(all, 'estafet_error_answers_total', { status: '401', cause: 'invalid_api_key' })).toBe(1);
  expect(totalOf(all, 'estafet_books_waiting_lines')).toBe(3);
  // Read twice, counted once.
  expect(totalOf(await samples(metrics), 'estafet_books_lost_lines_total')).toBe(2);
  expect(totalOf(all, 'estafet_books_down')).toBe(1);
  expect(totalOf(all, 'estafet_quota_unsent_settlements')).toBe(4);
  expect(totalOf(all, 'estafet_quota_open_reservations')).toBe(5);
  expect(totalOf(all, 'estafet_backend_queue', { backend: 'q' })).toBe(9);
  expect(totalOf(all, 'estafet_backend_learned_concurrency', { backend: 'q' })).toBe(11);
  expect(totalOf(all, 'estafet_backend_running', { backend: 'q' })).toBe(12);
  expect(totalOf(all, 'estafet_requests_in_flight', { kind: 'stream' })).toBe(6);
  expect(totalOf(all, 'estafet_requests_in_flight', { kind: 'whole' })).toBe(7);
});

test('what an alert watches begins at 0 with the configuration', async () => {
  const metrics = fresh();
  metrics.configured({ backends: { q: {} }, models: { 'gpt-4o': { to: [{ backend: 'q', model: 'qwen-plus' }] } } } as never);
  const all = await samples(metrics);
  const at0 = (metric: string, labels: Record<string, string>) =>
    all.filter(({ name, value, labels: own }) => name === metric && value === 0 && Object.entries(labels).every(([l, v]) => own[l] === v));
  expect(at0('estafet_unpriced_requests_total', { backend: 'q', model: 'qwen-plus' })).toHaveLength(1);
  expect(at0('estafet_needs_admin_total', { backend: 'q', cause: 'upstream_auth' })).toHaveLength(1);
});

describe('labels come from the configuration and the catalogue, whatever callers and vendors send', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc.constantFrom(
      '"} 1\nestafet_requests_total{model="x',
      'o1\\',
      'o1\n# HELP',
      '__proto__',
      'constructor',
      'qwen/qwen-plus',
      'a'.repeat(10_000),
    ),
  );

  test('a thousand made-up names make no new series, and the text stays well-formed', async () => {
    const metrics = fresh();
    const settle = (model: string, served: string, code: string): void => {
      const attempts = [attempt({ model: served, error: 'upstream_timeout' }), attempt({ model: served })];
      metrics.settled(record({ model, attempts }));
      metrics.settled(
        record({ model, attempts: [], usage: null, cost: null, error: { code, message: code }, reason: 'refused', status: 400 }),
      );
    };
    settle('gpt-4o', 'qwen-plus', 'invalid_value');
    settle('o1', 'made-up', 'made-up');
    settle('made-up', 'made-up', 'made-up');
    const before = (await samples(metrics)).filter(({ name }) => name.startsWith('estafet_')).length;
    await fc.assert(
      fc.asyncProperty(hostile, hostile, hostile, async (model, served, code) => settle(model, served, code)),
      { numRuns: 1000 },
    );
    const after = (await samples(metrics)).filter(({ name }) => name.startsWith('estafet_'));
    expect(after.length).toBeLessThanOrEqual(before + 8);
    expect(new Set(after.flatMap(({ labels }) => labels['model'] ?? []))).toEqual(new Set(['gpt-4o', 'o*', 'other', 'qwen-plus']));
  });
});

describe('the reference', () => {
  const told = rows(page('docs/generated/metrics.md').text)
    .filter(([name]) => name?.startsWith('`'))
    .map(([name = '']) => name.replaceAll('`', ''));

  test('names every metric that is exported, and no other', async () => {
    // Those of the primary, where several workers serve: `workers-redis.test.ts` reads them.
    const primary = ['estafet_worker_ends_total', 'estafet_workers_serving'];
    const exported = [...(await fresh().text()).matchAll(/^# TYPE (estafet_\w+) /gm)].map(([, name]) => name as string);
    expect(told.toSorted()).toEqual([...exported, ...primary].toSorted());
  });

  test.each(listedMetrics())('$name keeps to Prometheus’s rules', ({ name, type, help, labels }) => {
    expect(name).toMatch(/^estafet_[a-z][a-z_]*[a-z]$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(name).not.toMatch(/_(ms|milliseconds|millis)(_|$)/);
    expect(help).toMatch(/^[A-Z0-9].*\.$/);
    for (const label of labels) expect(label).toMatch(/^[a-z]+$/);
  });
});
