import { describe, expect, test } from 'vitest';
import { type RequestRecord, receiptRecord, usageRecord } from '../../relay/records/request-record.ts';
import { RequestRecords } from '../../relay/records/request-records.ts';
import { Receipt } from '../../translators/receipt.ts';

const record = (id: string, key = 'app'): RequestRecord => ({ id, key }) as unknown as RequestRecord;

describe('kept records', () => {
  test('by id, for the key that made them', () => {
    const records = new RequestRecords(10, 1000);
    records.add(record('a'), '{"id":"a"}', 0);
    expect(records.find('a', 'app', 0)).toBe('{"id":"a"}');
    expect(records.find('a', 'other', 0)).toBeNull();
    expect(records.find('b', 'app', 0)).toBeNull();
    expect(records.find('__proto__', 'app', 0)).toBeNull();
  });

  test.each([
    [999, true],
    [1000, false],
    [5000, false],
  ])('after %d ms of 1000: %s', (nowMs, there) => {
    const records = new RequestRecords(10, 1000);
    records.add(record('a'), '{"id":"a"}', 0);
    expect(records.find('a', 'app', nowMs) !== null).toBe(there);
  });

  test('asking with another key does not throw an old record away, nor keep it', () => {
    const records = new RequestRecords(10, 1000);
    records.add(record('a'), '{"id":"a"}', 0);
    expect(records.find('a', 'other', 500)).toBeNull();
    expect(records.find('a', 'app', 500)).not.toBeNull();
  });

  test('the oldest go first when there are too many', () => {
    const records = new RequestRecords(3, 1000);
    for (const id of ['a', 'b', 'c', 'd', 'e']) records.add(record(id), '{}', 0);
    expect(['a', 'b', 'c', 'd', 'e'].filter((id) => records.find(id, 'app', 0) !== null)).toEqual(['c', 'd', 'e']);
  });

  test('none are kept when none may be', () => {
    const records = new RequestRecords(0, 1000);
    records.add(record('a'), '{"id":"a"}', 0);
    expect(records.find('a', 'app', 0)).toBeNull();
  });
});

describe('what a record says', () => {
  test('a field that was changed anywhere inside is not kept', () => {
    const receipt = new Receipt(false);
    const changes = [
      { field: 'messages[0].content', fate: 'renamed' },
      { field: 'response_format.json_schema', fate: 'emulated' },
      { field: 'user', fate: 'dropped' },
    ];
    (receipt.changes as unknown[]).push(...changes);
    const request = { model: 'm', messages: [], user: 'u', temperature: 1, response_format: {} };
    const made = receiptRecord(request as never, receipt);
    expect(made.kept).toEqual(['model', 'temperature']);
    expect(made.changes.map(({ fate }) => fate).sort()).toEqual(['dropped', 'emulated', 'renamed']);
  });

  test('a name with a dot in it was not kept when it was dropped', () => {
    const receipt = new Receipt(false);
    receipt.note('a.b', 'dropped', 'unknown');
    expect(receiptRecord({ model: 'm', messages: [], 'a.b': 1 } as never, receipt).kept).toEqual(['model', 'messages']);
  });

  test('long lists are cut, and the rest is counted', () => {
    const receipt = new Receipt(false);
    for (let index = 0; index < 1000; index++) receipt.note(`unknown${index}`, 'dropped', 'unknown');
    const request = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`field${index}`, 1]));
    const made = receiptRecord(request as never, receipt);
    expect([made.kept.length, made.changes.length, made.more]).toEqual([100, 100, 1100]);
  });

  test('usage, and where it is from', () => {
    const usage = { prompt: 5, completion: 3, cached: 2, reasoning: 1 };
    const wanted = { promptTokens: 5, paidPromptTokens: 10, completionTokens: 3, cachedTokens: 2, reasoningTokens: 1 };
    expect(usageRecord(usage, [usage, usage])).toEqual({ ...wanted, source: 'vendor' });
    expect(usageRecord({ ...usage, estimated: true }, [usage, usage])).toEqual({ ...wanted, source: 'estimated' });
  });
});
