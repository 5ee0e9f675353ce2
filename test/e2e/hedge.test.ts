import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RequestRecord } from '../../relay/records/request-record.ts';
import { type Rig, startRig, user } from './rig.ts';
import { VENDOR_CASES, type VendorCase } from './vendors.ts';

type Vendor = VendorCase['vendor'];

const ORDER = VENDOR_CASES.map(({ vendor }) => vendor);
/** Each vendor beside each other one. */
const PAIRS = VENDOR_CASES.flatMap((first) =>
  VENDOR_CASES.filter(({ vendor }) => vendor !== first.vendor).map((second) => ({ first: first.vendor, second: second.vendor })),
);
/** Each vendor first, once. */
const RING = PAIRS.filter(({ first, second }) => ORDER[(ORDER.indexOf(first) + 1) % ORDER.length] === second);
const name = (first: Vendor, second: Vendor): string => `${first}-or-${second}`;
const place = (wanted: Vendor): unknown => ({
  to: `${wanted}/${VENDOR_CASES.find(({ vendor }) => vendor === wanted)?.model}`,
  thinking: 'off',
});

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({
    configExtra: {
      server: { metrics: { token: 'env:SIMULATED_QWEN' } },
      // One slot each: what is not given back is missed by the next request.
      backend: { concurrency: 1, timeouts: { firstByteMs: 20_000 } },
      team: { limits: { concurrency: 1, tpm: 10_000_000 } },
      models: Object.fromEntries(
        PAIRS.map(({ first, second }) => [
          name(first, second),
          { hedge: { after: 100, mostPercent: 100 }, to: [place(first), place(second)] },
        ]),
      ),
    },
  });
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

const ask = (model: string, stream: boolean) => rig.raw({ model, stream, messages: [user('Hello there')] });
const fault = (vendor: Vendor, what: string, args: Record<string, string> = {}) => rig.simulator.setFault({ name: what, vendor, args });
const calls = () => rig.seen().map(({ vendor, aborted }) => [vendor, aborted]);
const counted = (vendor: Vendor) => rig.simulator.usage().filter((row) => row.vendor === vendor);
const shown = ({ attempts }: RequestRecord) => attempts.map(({ vendor, hedge, error }) => [vendor, hedge === true, error]);

interface Sums {
  readonly paid_prompt_tokens: number;
  readonly completion_tokens: number;
  readonly requests: number;
}
const booked = async (): Promise<Sums> => (await rig.raw(undefined, { method: 'GET', path: '/v1/estafet/usage' })).json()['all'] as Sums;

/** Every slot, of the team and of each backend, is there for the next one. */
async function expectFree(): Promise<void> {
  rig.simulator.clearFaults();
  for (const { chat } of VENDOR_CASES) await expect.poll(async () => (await ask(chat, false)).status).toBe(200);
}

describe.each([false, true])('streamed: %s', (stream) => {
  test.each(PAIRS)('$first is silent: $second answers, and the other call is closed and booked', async ({ first, second }) => {
    const before = await booked();
    fault(first, 'silent');
    const answer = await ask(name(first, second), stream);
    expect(answer.status, answer.text).toBe(200);
    if (stream) expect(answer.stream()).toMatchObject({ error: null, done: true });
    expect(answer.headers.get('x-estafet-backend')).toBe(second);
    await expect.poll(calls, { timeout: 2_000 }).toEqual([
      [first, true],
      [second, false],
    ]);
    const record = answer.record();
    expect(record).toMatchObject({ hedge: 'won', reason: 'done', status: 200, usage: { source: 'vendor' } });
    expect(shown(record)).toEqual([
      [first, false, 'hedged'],
      [second, true, null],
    ]);
    // The caller is told what the winner counted, and the winner counted once.
    const [row, ...others] = counted(second);
    expect(others).toEqual([]);
    expect(record.usage).toMatchObject({ promptTokens: row?.promptTokens, completionTokens: row?.completionTokens });
    // The books have both, each on its own line of the sums; the request once.
    const loser = record.attempts[0]?.discarded;
    expect(loser).toMatchObject({ promptTokens: expect.any(Number), completionTokens: 0, estimated: true });
    expect(loser?.promptTokens).toBeGreaterThan(0);
    const after = await booked();
    expect(after.requests - before.requests).toBe(1);
    expect(after.completion_tokens - before.completion_tokens).toBe(row?.completionTokens);
    expect(after.paid_prompt_tokens - before.paid_prompt_tokens).toBe((row?.promptTokens ?? 0) + (loser?.promptTokens ?? 0));
    await expectFree();
  });

  test.each(RING)('$first is late, but before $second', async ({ first, second }) => {
    fault(first, 'slow', { firstByteMs: '1500' });
    fault(second, 'silent');
    const answer = await ask(name(first, second), stream);
    expect(answer.status, answer.text).toBe(200);
    if (stream) expect(answer.stream()).toMatchObject({ error: null, done: true });
    expect(answer.headers.get('x-estafet-backend')).toBe(first);
    await expect.poll(calls, { timeout: 2_000 }).toEqual([
      [first, false],
      [second, true],
    ]);
    expect(answer.record()).toMatchObject({ hedge: 'lost', reason: 'done' });
    expect(shown(answer.record())).toEqual([
      [second, true, 'hedged'],
      [first, false, null],
    ]);
    await expectFree();
  });

  test.each(stream ? [] : RING)('$first is late, and $second fails at once', async ({ first, second }) => {
    fault(first, 'slow', { firstByteMs: '1500' });
    fault(second, 'overload');
    const answer = await ask(name(first, second), stream);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers.get('x-estafet-backend')).toBe(first);
    expect(calls()).toEqual([
      [first, false],
      [second, false],
    ]);
    expect(shown(answer.record())).toEqual([
      [second, true, 'upstream_overloaded'],
      [first, false, null],
    ]);
    await expectFree();
  });

  test('both are silent and the app leaves: both calls are closed, and one line is in the books', async () => {
    const [{ first, second }] = PAIRS as [(typeof PAIRS)[number]];
    fault(first, 'silent');
    fault(second, 'silent');
    const leaving = new AbortController();
    const gone = fetch(`${rig.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${rig.keyOf('main')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: name(first, second), stream, messages: [user('hello')] }),
      signal: leaving.signal,
    });
    await expect.poll(() => rig.seen().length).toBe(2);
    leaving.abort();
    await expect(gone).rejects.toThrow();
    await expect.poll(calls, { timeout: 2_000 }).toEqual([
      [first, true],
      [second, true],
    ]);
    await expect.poll(() => rig.records).toMatchObject([{ reason: 'client_gone', hedge: 'lost' }]);
    await expectFree();
  });
});

test('the metrics count it: one hedge that was won, and one call that was given up', async () => {
  const [{ first, second }] = PAIRS as [(typeof PAIRS)[number]];
  const counts = async (): Promise<number[]> => {
    const headers = { authorization: `Bearer ${rig.simulator.vendors.qwen?.key}` };
    const { text } = await rig.raw(undefined, { path: '/metrics', method: 'GET', headers });
    const count = (metric: string): number => Number(new RegExp(`^${metric} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
    const model = VENDOR_CASES.find(({ vendor }) => vendor === first)?.model;
    return [
      count(`estafet_hedges_total\\{model="${name(first, second)}",outcome="won"\\}`),
      count(`estafet_upstream_attempts_total\\{backend="${first}",model="${model}",cause="hedged"\\}`),
    ];
  };
  const before = await counts();
  fault(first, 'silent');
  await ask(name(first, second), false);
  expect(await counts()).toEqual(before.map((count) => count + 1));
});
