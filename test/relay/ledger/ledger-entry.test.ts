import { describe, expect, test } from 'vitest';
import { ledgerEntry } from '../../../relay/ledger/ledger-entry.ts';
import { decimal } from '../../../relay/ledger/money.ts';
import { addUsage, NO_USAGE } from '../../../relay/ledger/usage.ts';
import { attempt, entry, record } from './entries.ts';

describe('a line', () => {
  test('says what the record says; served by the last attempt', () => {
    const { attempts, decision, ...line } = ledgerEntry(record);
    const {
      attempts: _,
      decision: __,
      ...rest
    } = entry('req_1', { stream: 1, backend: 'glm', vendor: 'glm', region: 'cn', servedModel: 'glm-4.6' });
    expect(line).toEqual({ ...rest, paidPromptTokens: 30, costNano: 12_345, priceSource: 'https://x' });
    expect(JSON.parse(attempts)).toEqual(record.attempts);
    expect(JSON.parse(decision ?? '')).toEqual(record.decision);
  });

  test('of a request that no backend answered has no tokens and no cost', () => {
    const error = { code: 'upstream_timeout', message: 'slow' };
    const line = ledgerEntry({
      ...record,
      attempts: [],
      usage: null,
      cost: null,
      receipt: null,
      error,
      status: 504,
      reason: 'vendor_error',
    });
    expect(line).toMatchObject({ servedModel: '', backend: '', promptTokens: 0, usageSource: null, costNano: null, currency: null });
    expect(line).toMatchObject({ errorCode: 'upstream_timeout', receipt: null, status: 504 });
  });

  test('is bounded, and says so where something is left out', () => {
    const long = 'm'.repeat(100_000);
    const receipt = { kept: [long], changes: [], more: 0 };
    const line = ledgerEntry({ ...record, model: long, attempts: [{ ...attempt, model: long }], receipt });
    expect(JSON.stringify(line).length).toBeLessThan(3_000);
    expect([line.askedModel, line.servedModel]).toEqual([`${'m'.repeat(200)}…`, `${'m'.repeat(200)}…`]);
    expect(line.receipt).toBe('{"omitted":"the receipt is 100035 characters long"}');
  });
});

test.each([
  [0n, '0.00'],
  [1n, '0.000000001'],
  [1_234_567_890n, '1.23456789'],
  [2_500_000_000n, '2.50'],
  [-70_000_000n, '-0.07'],
  [27_021_597_764_222_973n, '27021597.764222973'],
  [100_000_000_000n, '100.00'],
])('%d billionths are %s', (nano, text) => expect(decimal(nano)).toBe(text));

test('sums keep currencies apart', () => {
  const one = { ...NO_USAGE, requests: 1, costNano: { CNY: 5n } };
  const two = { ...NO_USAGE, requests: 2, costNano: { CNY: 1n, USD: 2n } };
  expect(addUsage(one, two)).toEqual({ ...NO_USAGE, requests: 3, costNano: { CNY: 6n, USD: 2n } });
});
