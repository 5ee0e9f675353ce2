import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  AFTER_HEADERS,
  beforeHeaders,
  brokenAfter,
  errorName,
  FAULT_CASES,
  isSilence,
  orderOf,
  type Row,
  saidAfter,
} from './fault-rows.ts';
import { expectBrokenStream, expectRefusal } from './refusals.ts';
import { type Rig, startRig, user } from './rig.ts';
import { VENDOR_CASES, type VendorCase } from './vendors.ts';

/** Each fault at each position, whole and streamed: what the caller sees with one candidate and with two, and what the books say. */
const second = (vendor: string): VendorCase => {
  const at = VENDOR_CASES.findIndex((entry) => entry.vendor === vendor);
  return VENDOR_CASES[(at + 1) % VENDOR_CASES.length] as VendorCase;
};

describe.each(FAULT_CASES)('$name', (entry) => {
  const { vendor, model, protocol } = entry;
  const other = second(vendor);
  let rig: Rig;
  beforeAll(async () => {
    const off = (backend: string, to: string) => ({ to: `${backend}/${to}`, thinking: 'off' });
    const next = off(other.vendor, other.model);
    rig = await startRig({
      configExtra: {
        backends: {
          patient: { simulated: vendor, protocol },
          hasty: { simulated: vendor, protocol, timeouts: { firstByteMs: 500, wholeMs: 500, idleMs: 400 } },
        },
        models: Object.fromEntries(
          ['patient', 'hasty'].flatMap((backend) => [
            [`${backend}-alone`, [off(backend, model)]],
            [`${backend}-pair`, [off(backend, model), next]],
          ]),
        ),
        team: { limits: { rpm: 100_000, tpm: 1_000_000_000, concurrency: 1 } },
      },
    });
  });
  afterAll(() => rig.close());

  const backendOf = (row: Row): string => (isSilence(row) ? 'hasty' : 'patient');
  const ask = (row: Row, candidates: 'alone' | 'pair', stream: boolean) => {
    rig.reset();
    rig.simulator.setFault({ vendor, ...orderOf(row.fault) });
    return rig.raw({ model: `${backendOf(row)}-${candidates}`, messages: [user('[[sim:tokens n=8]]')], stream });
  };

  /** Nothing was told to the caller: a real status, nothing in the books; or the other's answer, and its use alone. */
  const unseen = async (row: Row, stream: boolean): Promise<void> => {
    const kind = stream ? row.kind : row.whole;
    const failed = { backend: backendOf(row), vendor, model, error: errorName(kind) };
    const alone = await ask(row, 'alone', stream);
    expectRefusal(alone, kind);
    const { status, headers } = alone;
    expect(alone.record()).toMatchObject({
      status,
      reason: 'vendor_error',
      usage: null,
      cost: null,
      firstByteMs: null,
      attempts: [failed],
    });
    // What its fields became, and when and for how long it was asked.
    expect(alone.record().receipt).not.toBeNull();
    const [{ startMs = Number.NaN, ms } = { ms: Number.NaN }] = alone.record().attempts;
    expect(startMs).toBeGreaterThanOrEqual(0);
    expect(ms).toBeGreaterThanOrEqual(isSilence(row) ? 400 : 0);
    expect(headers.get('x-estafet-backend')).toBe(backendOf(row));
    expect(rig.seen()).toHaveLength(1);
    expect(rig.records).toHaveLength(1);
    const answer = await ask(row, 'pair', stream);
    if (!row.next) {
      expectRefusal(answer, kind);
      expect(answer.record()).toMatchObject({ usage: null, cost: null, attempts: [failed] });
      expect(rig.seen()).toHaveLength(1);
      return;
    }
    expect(answer.status, answer.text).toBe(200);
    if (stream) expect(answer.stream()).toMatchObject({ problems: [], error: null, done: true });
    expect(answer.headers.get('x-estafet-backend')).toBe(other.vendor);
    const { attempts, usage, cost, ...record } = answer.record();
    expect(attempts).toMatchObject([failed, { backend: other.vendor, error: null }]);
    expect(attempts).toHaveLength(2);
    expect(record.reason).toBe('done');
    const [before, after] = attempts;
    // Two clocks, each rounded.
    expect((after?.startMs ?? Number.NaN) - (before?.startMs ?? Number.NaN)).toBeGreaterThanOrEqual((before?.ms ?? Number.NaN) - 3);
    const counted = rig.simulator.usage().filter((line) => line.vendor === other.vendor);
    expect([usage?.promptTokens, usage?.completionTokens]).toEqual([sum(counted, 'promptTokens'), sum(counted, 'completionTokens')]);
    expect(cost?.amountNano).toBeGreaterThan(0);
    expect(rig.records).toHaveLength(1);
  };
  const both = (rows: readonly Row[]) => rows.flatMap((row) => [false, true].map((stream) => ({ ...row, stream })));

  describe('before the headers', () => {
    test.each(both(beforeHeaders(entry)))('$fault, streamed: $stream', (row) => unseen(row, row.stream));
  });

  describe('after the headers', () => {
    test.each(both(AFTER_HEADERS))('$fault, streamed: $stream', (row) => unseen(row, row.stream));
  });

  describe('after the role', () => {
    test.each([...brokenAfter(0), ...saidAfter(0, entry)])('$fault, streamed', (row) => unseen(row, true));
    test.each(brokenAfter(0))('$fault, whole', (row) => unseen(row, false));
  });

  describe('after a token', () => {
    test.each([...brokenAfter(2), ...saidAfter(2, entry)])('$fault: the stream ends with the error, and its part is paid', async (row) => {
      for (const candidates of ['alone', 'pair'] as const) {
        const answer = await ask(row, candidates, true);
        expectBrokenStream(answer, row.kind);
        const record = answer.record();
        const failed = { backend: backendOf(row), error: errorName(row.kind) };
        expect(record).toMatchObject({ status: 200, reason: 'vendor_error', attempts: [failed] });
        expect(record.attempts).toHaveLength(1);
        expect(record.usage?.completionTokens).toBeGreaterThan(0);
        expect(record.cost?.amountNano).toBeGreaterThan(0);
        expect(rig.seen()).toHaveLength(1);
        expect(rig.records).toHaveLength(1);
      }
    });
  });
});

const sum = <K extends string>(rows: readonly Readonly<Record<K, number>>[], key: K): number =>
  rows.reduce((all, entry) => all + entry[key], 0);
