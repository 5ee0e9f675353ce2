import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  AFTER_HEADERS,
  beforeHeaders,
  brokenAfter,
  errorName,
  FAULT_CASES,
  type FaultCase,
  isSilence,
  orderOf,
  type Row,
  saidAfter,
} from './fault-rows.ts';
import type { RefusalName } from './refusals.ts';
import { type Rig, startRig, user } from './rig.ts';

/** The breakers after each fault at each position: which cause has opened, and who is asked no more. */
type Cause = 'failure' | 'overload' | 'rate' | 'key' | 'credit' | 'model';

/** Absent: it says nothing against the backend. */
const CAUSES: Partial<Record<RefusalName, Cause>> = {
  upstream_timeout: 'failure',
  upstream_invalid_response: 'failure',
  upstream_truncated: 'failure',
  upstream_overloaded: 'overload',
  limit_requests: 'rate',
  limit_tokens: 'rate',
  upstream_auth: 'key',
  upstream_out_of_credit: 'credit',
  upstream_model_unavailable: 'model',
};
/** These end soon by themselves: what is asked meanwhile is a race with the clock, and has tables of its own where the clock stands. */
const SHORT: readonly (Cause | undefined)[] = ['overload', 'rate'];
/** These keep every model of the backend from being asked; the others the one that failed. */
const WHOLE: readonly (Cause | undefined)[] = ['failure', 'key'];

/** Each row has a backend of its own: no breaker stands in another's way. */
const rowsOf = (entry: FaultCase): (Row & { readonly stream: boolean; readonly backend: string })[] => {
  const streams = [false, true];
  return [
    ...[...beforeHeaders(entry), ...AFTER_HEADERS].flatMap((row) => streams.map((stream) => ({ ...row, stream }))),
    ...[...brokenAfter(0), ...saidAfter(0, entry), ...brokenAfter(2), ...saidAfter(2, entry)].map((row) => ({ ...row, stream: true })),
    ...brokenAfter(0).map((row) => ({ ...row, stream: false })),
  ].map((row, index) => ({ ...row, backend: `b${index}` }));
};

describe.each(FAULT_CASES)('$name', (entry) => {
  const { vendor, model, thinker, protocol } = entry;
  const rows = rowsOf(entry);
  let rig: Rig;
  beforeAll(async () => {
    const off = (to: string) => [{ to, thinking: 'off' }];
    const settings = (row: Row) => ({
      simulated: vendor,
      protocol,
      retries: 0,
      breaker: { failures: 1, windowMs: 3_600_000, openMs: 3_600_000 },
      ...(isSilence(row) ? { timeouts: { firstByteMs: 500, wholeMs: 500, idleMs: 400 } } : {}),
    });
    rig = await startRig({
      configExtra: {
        server: { metrics: { token: 'env:SIMULATED_QWEN' } },
        backends: Object.fromEntries(rows.map((row) => [row.backend, settings(row)])),
        models: Object.fromEntries(
          rows.flatMap(({ backend }) => [
            [`${backend}-same`, off(`${backend}/${model}`)],
            [`${backend}-other`, off(`${backend}/${thinker}`)],
          ]),
        ),
      },
    });
  });
  afterAll(() => rig.close());

  const ask = (asked: string, stream: boolean) => rig.raw({ model: asked, messages: [user('[[sim:tokens n=8]]')], stream });
  const opened = async (backend: string): Promise<string[]> => {
    const headers = { authorization: `Bearer ${rig.simulator.vendors.qwen?.key}` };
    const { text } = await rig.raw(undefined, { method: 'GET', path: '/metrics', headers });
    const lines = text.matchAll(/^estafet_breaker_changes_total\{backend="(\w+)",cause="(\w+)",state="(\w+)"\} (\d+)$/gm);
    return [...lines].filter(([, name]) => name === backend).map(([, , cause, state, count]) => `${cause} ${state} ${count}`);
  };

  test.each(rows)('$fault, streamed: $stream', async ({ fault, kind, whole, stream, backend }) => {
    rig.reset();
    rig.simulator.setFault({ vendor, ...orderOf(fault) });
    const told = stream ? kind : whole;
    const first = await ask(`${backend}-same`, stream);
    expect(first.record().attempts).toMatchObject([{ backend, error: errorName(told) }]);
    const cause = CAUSES[told];
    expect(await opened(backend)).toEqual(cause === undefined ? [] : [`${cause} open 1`]);
    if (SHORT.includes(cause)) return;

    rig.reset();
    const again = await ask(`${backend}-same`, stream);
    const barred = [{ backend, error: errorName(told), unsent: true }];
    expect(again.record().attempts).toMatchObject(cause === undefined ? [{ error: null }] : barred);
    expect(rig.seen()).toHaveLength(cause === undefined ? 1 : 0);
    const other = await ask(`${backend}-other`, stream);
    expect(other.record().attempts).toMatchObject(WHOLE.includes(cause) ? barred : [{ error: null }]);
  });
});
