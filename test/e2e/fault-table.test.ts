import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectBrokenStream, expectRefusal, type RefusalName } from './refusals.ts';
import { type Rig, startRig, user } from './rig.ts';
import { VENDOR_CASES, type VendorCase } from './vendors.ts';

/**
 * Each fault at each position, whole and streamed: what the caller sees with one candidate and with two, and what the books say. `whole` is
 * what a fault within a stream means to an answer that comes in one.
 */
interface Row {
  readonly fault: string;
  readonly kind: RefusalName;
  readonly whole?: RefusalName;
  /** The next candidate is asked. */
  readonly next: boolean;
}

const row = (fault: string, kind: RefusalName, more: Partial<Row> = {}): Row => ({ fault, kind, next: true, ...more });

const BEFORE_HEADERS: Row[] = [
  row('reset', 'upstream_truncated'),
  row('silent', 'upstream_timeout'),
  row('html status=503', 'upstream_overloaded'),
  row('html status=200', 'upstream_invalid_response'),
  row('rate-limit', 'limit_requests'),
  row('overload', 'upstream_overloaded'),
  row('internal', 'upstream_overloaded'),
  row('dead-key', 'upstream_auth'),
  row('arrears', 'upstream_out_of_credit'),
  row('retired', 'upstream_model_unavailable'),
  row('context-length', 'context_length_exceeded'),
  row('moderation', 'content_filter', { next: false }),
];
const AFTER_HEADERS: Row[] = [row('cut bytes=0', 'upstream_truncated'), row('cut bytes=20', 'upstream_truncated')];
const within = (after: number): Row[] => [
  row(`cut after=${after}`, 'upstream_truncated'),
  row(`end after=${after}`, 'upstream_truncated', { whole: 'upstream_invalid_response' }),
  row(`garbage after=${after}`, 'upstream_invalid_response'),
  row(`half-frame after=${after}`, 'upstream_truncated'),
  row(`stall after=${after}`, 'upstream_timeout'),
];

const second = (vendor: string): VendorCase => {
  const at = VENDOR_CASES.findIndex((entry) => entry.vendor === vendor);
  return VENDOR_CASES[(at + 1) % VENDOR_CASES.length] as VendorCase;
};

describe.each(VENDOR_CASES)('$vendor', ({ vendor, chat, model }) => {
  const other = second(vendor);
  let rig: Rig;
  beforeAll(async () => {
    const off = (backend: string, to: string) => ({ to: `${backend}/${to}`, thinking: 'off' });
    rig = await startRig({
      configExtra: {
        backend: { timeouts: { firstByteMs: 300, idleMs: 250 } },
        models: { pair: [off(vendor, model), off(other.vendor, other.model)] },
        team: { limits: { rpm: 100_000, tpm: 1_000_000_000, concurrency: 1 } },
      },
    });
  });
  beforeEach(() => rig.reset());
  afterAll(() => rig.close());

  const ask = (asked: string, text: string, stream: boolean) => {
    const [name = '', ...args] = text.split(' ');
    rig.reset();
    rig.simulator.setFault({ name, vendor, args: Object.fromEntries(args.map((arg) => arg.split('='))) });
    return rig.raw({ model: asked, messages: [user('[[sim:tokens n=8]]')], stream });
  };

  /** Nothing was told to the caller: a real status, nothing in the books; or the other's answer, and its use alone. */
  const unseen = async ({ fault, kind, next }: Row, stream: boolean): Promise<void> => {
    const alone = await ask(chat, fault, stream);
    expectRefusal(alone, kind);
    expect(alone.record()).toMatchObject({ usage: null, cost: null, firstByteMs: null, attempts: [{ backend: vendor }] });
    expect(rig.records).toHaveLength(1);
    const answer = await ask('pair', fault, stream);
    if (!next) {
      expectRefusal(answer, kind);
      expect(rig.seen()).toHaveLength(1);
      return;
    }
    expect(answer.status, answer.text).toBe(200);
    if (stream) expect(answer.stream()).toMatchObject({ problems: [], error: null, done: true });
    const { attempts, usage, reason } = answer.record();
    expect(attempts.map(({ backend, error }) => [backend, error === null])).toEqual([
      [vendor, false],
      [other.vendor, true],
    ]);
    expect(reason).toBe('done');
    const counted = rig.simulator.usage().filter((entry) => entry.vendor === other.vendor);
    expect([usage?.promptTokens, usage?.completionTokens]).toEqual([sum(counted, 'promptTokens'), sum(counted, 'completionTokens')]);
    expect(rig.records).toHaveLength(1);
  };

  describe('before the headers', () => {
    test.each(BEFORE_HEADERS.flatMap((entry) => [false, true].map((stream) => ({ ...entry, stream }))))(
      '$fault, streamed: $stream',
      (entry) => unseen(entry, entry.stream),
    );
  });

  describe('after the headers', () => {
    test.each(AFTER_HEADERS.flatMap((entry) => [false, true].map((stream) => ({ ...entry, stream }))))(
      '$fault, streamed: $stream',
      (entry) => unseen(entry, entry.stream),
    );
  });

  describe('after the role', () => {
    test.each([...within(0), row('mid-error after=0', 'upstream_overloaded')])('$fault, streamed', (entry) => unseen(entry, true));
    test.each(within(0))('$fault, whole', (entry) => unseen({ ...entry, kind: entry.whole ?? entry.kind }, false));
  });

  describe('after a token', () => {
    test.each([...within(2), row('mid-error after=2', 'upstream_overloaded')])(
      '$fault: the stream ends with the error, and its part is paid',
      async ({ fault, kind }) => {
        for (const asked of [chat, 'pair']) {
          const answer = await ask(asked, fault, true);
          expectBrokenStream(answer, kind);
          const record = answer.record();
          expect(record).toMatchObject({ status: 200, reason: 'vendor_error', attempts: [{ backend: vendor }] });
          expect(record.usage?.completionTokens).toBeGreaterThan(0);
          expect(record.cost?.amountNano).toBeGreaterThan(0);
          expect(rig.seen()).toHaveLength(1);
          expect(rig.records).toHaveLength(1);
        }
      },
    );
  });
});

const sum = <K extends string>(rows: readonly Readonly<Record<K, number>>[], key: K): number =>
  rows.reduce((all, entry) => all + entry[key], 0);
