import { describe, expect, test } from 'vitest';
import type { Backend } from '../../../config/config.ts';
import type { Usage } from '../../../openai/chat/events.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import { type AttemptAsked, BackendGate } from '../../../relay/quota/backend-gate.ts';
import { GuardedQuota } from '../../../relay/quota/guarded-quota.ts';
import { LearnedLimits } from '../../../relay/quota/learned-limits.ts';
import { MemoryStore } from '../../../relay/quota/memory-store.ts';
import { StoreGone } from '../../../relay/quota/store-breaker.ts';
import type { Settled } from '../../../relay/records/record-of.ts';
import { ask, OWNER, rpm, used } from './limits.ts';

const BACKEND = 'backend/b';
const BASE: Backend = {
  name: 'b',
  vendor: 'v',
  protocol: 'compatible',
  region: 'r',
  baseUrl: 'http://b',
  auth: 'bearer',
  timeouts: { connectMs: 1, firstByteMs: 1, wholeMs: 1, idleMs: 1, totalMs: 1 },
  connections: 1,
  retries: 0,
  breaker: 'off',
  probe: 'off',
  traceparent: false,
};

class Store extends MemoryStore {
  down = false;
  released = 0;
  renewed: [owner: string, ids: readonly string[]][] = [];
  override async reserve(request: Parameters<MemoryStore['reserve']>[0]) {
    if (this.down) throw new StoreGone(10, new Error('down'));
    return super.reserve(request);
  }
  override async release(owner: string, id: string) {
    this.released++;
    return super.release(owner, id);
  }
  override async renew(owner: string, ids: readonly string[], leaseMs: number) {
    this.renewed.push([owner, ids]);
    return super.renew(owner, ids, leaseMs);
  }
}

function desk(limits: Partial<Backend>, nodes = 1) {
  const options = { keepLines: true, spent: null } as const;
  const store = new Store(options);
  const quota = new GuardedQuota({ store, local: new MemoryStore(options), nodes: () => nodes, retryMs: 5, onFailure: () => {} });
  const learned = new LearnedLimits(
    () => 0,
    () => {},
  );
  const gate = new BackendGate(quota, { learned, leaseMs: 60_000, onFault: () => {} });
  const backend: Backend = { ...BASE, ...limits };
  let sent = 0;
  const within = (more: Partial<AttemptAsked> = {}, send: () => Promise<Settled> = async () => answer(), told: Usage[] = []) => {
    const asked = {
      id: `req_${++sent}`,
      backend,
      model: 'gpt-4o',
      calls: 1,
      atOnce: 1,
      expected: () => ({ prompt: 10, completion: 20 }),
      ...more,
    };
    return gate.within(gate.limitsOf(backend), asked, told, send);
  };
  const levels = async () => {
    await quota.flush();
    const { buckets, open } = await store.levels(BACKEND);
    return { open: open.length, left: (name: string) => left(buckets.get(`backend/b/${name}`)) };
  };
  return { gate, quota, store, backend, within, levels };
}

const left = (bucket: { kind: string } | undefined): number => {
  const state = bucket as { kind: 'rate'; level: number } | { kind: 'slots'; used: number } | undefined;
  if (state === undefined) return Number.NaN;
  return state.kind === 'rate' ? Math.floor(state.level / 1e6) : -state.used;
};

/** All that needs no waiting is done by then. */
const turn = () => new Promise((resolve) => setImmediate(resolve));
const usage = (prompt: number, completion: number): Usage => ({ prompt, completion, cached: 0, reasoning: 0 });
const answer = (paid: readonly Usage[] = [usage(1, 2)]): Settled => ({
  error: null,
  usage: usage(1, 2),
  paid,
  firstByteAtMs: null,
  gone: false,
});
const failing =
  (kind: 'upstream_unreachable' | 'upstream_timeout' | 'upstream_overloaded' | 'internal_error' | 'draining', upstreamCode?: string) =>
  () =>
    Promise.reject(new OpenAIError(kind, 'x', { upstreamCode }));

test('a backend without limits has none, one with limits has them under its own owner', () => {
  const { gate, backend } = desk({ rpm: 5, rpd: 6, tpm: 7, tpd: 8, concurrency: 9 });
  expect(gate.limitsOf(BASE)).toEqual([]);
  expect(gate.limitsOf(backend).map(({ name, bucket, law }) => [name, bucket, law.amount])).toEqual([
    ['backend.rpm', 'backend/b/rpm', 5],
    ['backend.rpd', 'backend/b/rpd', 6],
    ['backend.tpm', 'backend/b/tpm', 7],
    ['backend.tpd', 'backend/b/tpd', 8],
    ['backend.concurrency', 'backend/b/concurrency', 9],
  ]);
});

describe('what an attempt takes', () => {
  test('while it runs: its calls and its estimate; afterwards what the vendor counted', async () => {
    const { within, levels } = desk({ rpd: 100, tpd: 1000, concurrency: 5 });
    const { promise, resolve } = Promise.withResolvers<Settled>();
    const running = within({ calls: 3, atOnce: 2 }, () => promise);
    await turn();
    const during = await levels();
    expect([during.open, during.left('rpd'), during.left('tpd'), during.left('concurrency')]).toEqual([1, 97, 970, -2]);
    resolve(answer([usage(1, 2), usage(1, 2), usage(1, 3)]));
    await running;
    const after = await levels();
    expect([after.open, after.left('rpd'), after.left('tpd'), after.left('concurrency')]).toEqual([0, 97, 990, -0]);
  });

  test.each([
    ['no connection', failing('upstream_unreachable', 'ECONNREFUSED'), [], 100, 1000],
    ['no connection in time', failing('upstream_timeout', 'UND_ERR_CONNECT_TIMEOUT'), [], 100, 1000],
    ['a fault before anything was sent', failing('internal_error'), [], 100, 1000],
    ['silence of the vendor', failing('upstream_timeout'), [], 99, 1000],
    ['a refusal of the vendor', failing('upstream_overloaded', '503'), [], 99, 1000],
    ['an answer that was thrown away', failing('upstream_overloaded'), [usage(3, 4)], 99, 993],
    ['no connection for one of several calls', failing('upstream_unreachable', 'ECONNREFUSED'), [usage(3, 4)], 99, 993],
    ['the end of the process, with calls under way', failing('draining'), [usage(3, 4)], 99, 993],
    ['a caller who had left before', async () => ({ ...answer([]), gone: true }), [], 100, 1000],
    [
      'a failure of the vendor after the caller had left',
      async () => ({ ...answer([]), gone: true, error: new OpenAIError('upstream_overloaded', 'x') }),
      [],
      99,
      1000,
    ],
  ])('%s', async (_, send, told, requests, tokens) => {
    const { within, levels } = desk({ rpd: 100, tpd: 1000, concurrency: 1 });
    await within({}, send, told).catch(() => {});
    const { open, left } = await levels();
    expect([open, left('rpd'), left('tpd'), left('concurrency')]).toEqual([0, requests, tokens, -0]);
  });

  test.each([
    ['that ends well', async () => answer([usage(1, 2)]), 2, 97],
    ['that fails', failing('upstream_overloaded'), 2, 97],
    ['that no call of it has left', failing('upstream_timeout'), 0, 99],
    ['that ends with one for which no connection was made', failing('upstream_timeout', 'UND_ERR_CONNECT_TIMEOUT'), 2, 97],
    ['that a shutdown ends', failing('draining'), 2, 97],
  ])('an attempt %s: of its three calls those that have left', async (_, send, sent, requests) => {
    const { within, levels } = desk({ rpd: 99 });
    await within({ calls: 3, sent: () => sent }, send).catch(() => {});
    const { open, left } = await levels();
    expect([open, left('rpd')]).toEqual([0, requests]);
  });

  test('the vendor’s absurd count keeps no slot taken', async () => {
    const { within, levels } = desk({ tpd: 1000, concurrency: 1 });
    await within({}, async () => answer([usage(Number.MAX_SAFE_INTEGER, 1)]));
    expect((await levels()).open).toBe(0);
  });
});

describe('refusals', () => {
  test.each([
    ['a full one', { concurrency: 1 }, { calls: 1 }, 'backend_limit_requests', 'backend.concurrency'],
    ['too few requests', { rpm: 1 }, { calls: 1 }, 'backend_limit_requests', 'backend.rpm'],
    ['too few tokens', { tpm: 31 }, { calls: 1 }, 'backend_limit_tokens', 'backend.tpm'],
  ])('%s: another may be asked; nothing is sent and nothing taken', async (_, limits, more, kind, name) => {
    const { within, levels } = desk(limits);
    const { promise, resolve } = Promise.withResolvers<Settled>();
    const first = within({}, () => promise);
    let sent = false;
    const refused = await within(more, async () => {
      sent = true;
      return answer();
    }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ kind, status: 429, code: 'rate_limit_exceeded', details: { limit: name, fallback: true } });
    expect((refused as OpenAIError).details.retryAfterMs).toBeGreaterThan(0);
    expect(sent).toBe(false);
    expect((await levels()).open).toBe(1);
    resolve(answer());
    await first;
  });

  test('more calls than there are slots: no waiting helps, another may be asked', async () => {
    const refused = await desk({ concurrency: 2 })
      .within({ atOnce: 3 })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ kind: 'backend_limit_requests', retry: false, details: { fallback: true } });
    expect((refused as OpenAIError).details.retryAfterMs).toBeUndefined();
  });

  test('a wait beyond a minute is told, but not worth a retry', async () => {
    const { within } = desk({ rpd: 1 });
    await within();
    await expect(within()).rejects.toMatchObject({ retry: false, details: { retryAfterMs: expect.any(Number) } });
  });
});

describe('beside a team’s reservation under the same id', () => {
  test('each is settled by itself, and both leases are renewed', async () => {
    const { within, quota, store, levels } = desk({ concurrency: 1 });
    await quota.reserve(ask('req_1', [rpm(10), 1]), 'refuse');
    const { promise, resolve } = Promise.withResolvers<Settled>();
    const running = within({ id: 'req_1' }, () => promise);
    await turn();
    await quota.renewAll(60_000);
    expect(store.renewed).toEqual([
      [OWNER, ['req_1']],
      [BACKEND, ['req_1']],
    ]);
    resolve(answer());
    await running;
    expect((await levels()).open).toBe(0);
    expect((await store.levels(OWNER)).open).toHaveLength(1);
    quota.settle({ id: 'req_1', owner: OWNER, actual: used(), source: 'vendor', reason: 'done', about: '' });
    await quota.flush();
    expect((await store.levels(OWNER)).open).toEqual([]);
    const lines = await store.lines(BACKEND, 10);
    expect(lines.filter(({ kind }) => kind === 'close')).toHaveLength(1);
  });

  test('an attempt that never left is released once', async () => {
    const { within, store, levels } = desk({ concurrency: 1 });
    await within({}, failing('upstream_unreachable')).catch(() => {});
    await levels();
    await turn();
    await levels();
    expect(store.released).toBe(1);
  });
});

describe('while the store is gone', () => {
  test.each([
    [2, 4, 2],
    [4, 4, 1],
    [5, 4, 0],
  ])('of %i processes each has its share of %i slots: %i', async (nodes, concurrency, share) => {
    const { within, store } = desk({ concurrency }, nodes);
    store.down = true;
    const { promise, resolve } = Promise.withResolvers<Settled>();
    const outcomes: unknown[] = [];
    for (let count = 0; count <= share; count++) {
      within({}, () => promise).then(
        () => outcomes.push('sent'),
        (error: unknown) => outcomes.push(error),
      );
    }
    await expect.poll(() => outcomes).toHaveLength(1);
    const status = share === 0 ? 503 : 429;
    expect(outcomes).toEqual([expect.objectContaining({ status, details: expect.objectContaining({ fallback: true }) })]);
    resolve(answer());
    await expect.poll(() => outcomes.filter((outcome) => outcome === 'sent')).toHaveLength(share);
  });
});
