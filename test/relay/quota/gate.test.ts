import { expect, test } from 'vitest';
import type { Price } from '../../../catalog/price.ts';
import type { Key, Limits, Team } from '../../../config/config.ts';
import type { ChatRequest } from '../../../openai/chat/request.ts';
import { ChatForecast } from '../../../relay/chat/forecast.ts';
import { Calibration } from '../../../relay/quota/calibration.ts';
import { type Asked, QuotaGate } from '../../../relay/quota/gate.ts';
import { GuardedQuota, type OnStoreLoss } from '../../../relay/quota/guarded-quota.ts';
import { MOST_RATE } from '../../../relay/quota/limits.ts';
import { MemoryStore } from '../../../relay/quota/memory-store.ts';
import { StoreBreaker } from '../../../relay/quota/store-breaker.ts';

const OWNER = 'team/t';
const asked = (more: Partial<ChatRequest> = {}): Asked => {
  const request: ChatRequest = { model: 'm', messages: [{ role: 'user', content: 'x' }], ...more };
  const forecast = new ChatForecast(request, new Calibration({ charsPerToken: () => null, known: () => true }));
  return { model: 'm', expected: (outputReserve) => forecast.expected(outputReserve, { vendor: 'v', model: 'm' }) };
};
const REQUEST = asked();
/** A millionth of a dollar for a token of input, two for one of output. */
const PRICE: Price = {
  region: 'r',
  currency: 'USD',
  unit: '1M_tokens',
  basis: 'live',
  tiers: [{ input_gt: 0, input_le: null, input: 1, output: 2, cached_input: null, output_thinking: null }],
  source: 's',
  date: '2026-01-01',
  confidence: 'official',
};
const DONE = { reason: 'done' as const };

class Failing extends MemoryStore {
  down = false;
  readonly #breaker = new StoreBreaker({ timeoutMs: 1000, pauseMs: 1 });
  readonly #asked = <T>(call: () => Promise<T>): Promise<T> =>
    this.#breaker.run(() => (this.down ? Promise.reject(new Error('down')) : call()));
  override reserve(request: Parameters<MemoryStore['reserve']>[0]) {
    return this.#asked(() => super.reserve(request));
  }
  override settle(settlement: Parameters<MemoryStore['settle']>[0]) {
    return this.#asked(() => super.settle(settlement));
  }
  override release(owner: string, id: string) {
    return this.#asked(() => super.release(owner, id));
  }
}

function desk(limits: Limits, onStoreLoss: OnStoreLoss = 'refuse') {
  const options = { keepLines: false, spent: null };
  const store = new Failing(options);
  const faults: unknown[] = [];
  const onFailure = (fault: unknown): void => void faults.push(fault);
  const quota = new GuardedQuota({ store, local: new MemoryStore(options), nodes: () => 1, retryMs: 5, onFailure });
  const gate = new QuotaGate(quota, { leaseMs: 60_000, shared: false, onFault: onFailure });
  const team: Team = { name: 't', onStoreLoss };
  const key: Key = { name: 'k', team: 't', strict: false, onDisconnect: 'cancel', reasoning: 'show', digest: '', limits };
  return { gate, store, faults, caller: { key, team, address: '127.0.0.1' } };
}

const used = (prompt: number, completion: number) => ({ expected: { prompt, completion }, cost: null, source: 'vendor' as const });

test('a request larger than the engine counts is too large, not a fault', async () => {
  const { gate, caller, faults } = desk({ tpm: 1000, outputReserve: MOST_RATE });
  await expect(gate.admit('a', caller, asked({ n: 100 }), null)).rejects.toMatchObject({ status: 429, kind: 'rate_limit_tokens' });
  expect(faults).toEqual([]);
});

test('a vendor that tells absurd counts cannot keep a reservation open', async () => {
  const { gate, caller, store } = desk({ tpm: MOST_RATE, concurrency: 1, budget: { amount: 9e6, currency: 'CNY', per: 'never' } });
  const ticket = await gate.admit('a', caller, REQUEST, null);
  if (ticket === null) throw new Error('not limited');
  gate.settle(ticket, { used: used(Number.MAX_SAFE_INTEGER, 5), ...DONE }, 'k');
  await gate.close(1000);
  expect((await store.levels(OWNER)).open).toEqual([]);
});

test.each<{ policy: OnStoreLoss; status: number }>([
  { policy: 'refuse', status: 503 },
  { policy: 'local', status: 200 },
  { policy: 'admit', status: 200 },
])('the team’s $policy holds while the store is gone', async ({ policy, status }) => {
  const { gate, caller, store } = desk({ rpm: 10 }, policy);
  store.down = true;
  const answer = await gate.admit('a', caller, REQUEST, null).then(
    () => 200,
    (error: { status: number }) => error.status,
  );
  expect(answer).toBe(status);
});

test('the end waits for a store that comes back, and tells what it could not settle', async () => {
  const { gate, caller, store, faults } = desk({ concurrency: 1 });
  const ticket = await gate.admit('a', caller, REQUEST, null);
  if (ticket === null) throw new Error('not limited');
  store.down = true;
  gate.settle(ticket, { used: used(1, 1), ...DONE }, 'k');
  await gate.close(150);
  expect(faults.at(-1)).toMatchObject({ message: expect.stringContaining('before the end') });
  const ending = gate.close(5000);
  store.down = false;
  await ending;
  expect((await store.levels(OWNER)).open).toEqual([]);
});

test('a key without limits asks no store', async () => {
  const { gate, caller, store } = desk({});
  store.down = true;
  expect(await gate.admit('a', caller, REQUEST, null)).toBeNull();
});

test.each([
  { about: 'a known price', price: PRICE, cost: { costNano: 29 * 1000 + 40 * 2000, currency: 'USD' } },
  { about: 'no known price', price: null, cost: { costNano: null, currency: null } },
])('the ticket tells what was reserved: $about', async ({ price, cost }) => {
  const { gate, caller, store } = desk({ tpm: 1000, budget: { amount: 1, currency: 'USD', per: 'never' } });
  const ticket = await gate.admit('a', caller, asked({ max_tokens: 20, n: 2 }), price);
  const promptTokens = ticket?.estimate.promptTokens ?? 0;
  expect(ticket?.estimate).toEqual({ promptTokens: 29, completionTokens: 40, ...cost });
  const [open] = (await store.levels(OWNER)).open;
  expect(open?.taken.get('key/k/tpm')).toBe(promptTokens + 40);
  expect(open?.taken.get('key/k/budget.never.usd@0')).toBe(cost.costNano ?? (promptTokens * 3 + 40 * 9) * 1000);
});
