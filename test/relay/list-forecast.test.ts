import { describe, expect, test } from 'vitest';
import type { RequestRecord } from '../../relay/records/request-record.ts';
import { ListCalibration, ListForecast } from '../../relay/vectors/list-forecast.ts';

const LISTED = { vendor: 'v', model: 'listed' };
const fresh = () => new ListCalibration(({ model }) => model.startsWith('listed'));

test('begins with what the characters lead to, and is counted once, only when someone asks', () => {
  let counts = 0;
  const forecast = new ListForecast(() => {
    counts++;
    return 100;
  }, fresh());
  expect(counts).toBe(0);
  expect(forecast.expected(LISTED)).toEqual({ prompt: 100, completion: 0 });
  expect(forecast.expected({ vendor: 'v', model: 'other' })).toEqual({ prompt: 100, completion: 0 });
  expect(counts).toBe(1);
});

test('comes to cover what a vendor counts, whether more or less, within a quarter and four times', () => {
  for (const [share, least, most] of [
    [0.6, 600, 700],
    [2.5, 2_500, 2_900],
    [0.01, 250, 250],
    [40, 4_000, 4_000],
  ] as const) {
    const calibration = fresh();
    for (let request = 0; request < 500; request++) calibration.learn(LISTED, 1_000, 1_000 * share);
    expect(calibration.tokens(LISTED, 1_000)).toBeGreaterThanOrEqual(least);
    expect(calibration.tokens(LISTED, 1_000)).toBeLessThanOrEqual(most);
  }
});

test('a listed model learns for itself; one that nobody listed stands with its vendor; another vendor with none of them', () => {
  const calibration = fresh();
  for (let request = 0; request < 50; request++) calibration.learn(LISTED, 100, 200);
  const learned = calibration.tokens(LISTED, 100);
  expect(learned).toBeGreaterThanOrEqual(200);
  expect(calibration.tokens({ vendor: 'v', model: 'unknown' }, 100)).toBe(learned);
  for (let request = 0; request < 50; request++) calibration.learn({ vendor: 'v', model: 'unknown' }, 100, 50);
  expect(calibration.tokens(LISTED, 100)).toBe(learned);
  expect(calibration.tokens({ vendor: 'v', model: 'unknown' }, 100)).toBeLessThan(learned);
  expect(calibration.tokens({ vendor: 'w', model: 'listed' }, 100)).toBe(100);
});

describe('what an answer teaches', () => {
  const usage = { promptTokens: 200, completionTokens: 0, source: 'vendor' } as RequestRecord['usage'];
  const record = (more: Partial<RequestRecord>) => ({ reason: 'done', attempts: [LISTED], usage, ...more }) as unknown as RequestRecord;
  const estimated = { ...usage, source: 'estimated' } as RequestRecord['usage'];
  test.each<[string, Partial<RequestRecord>, boolean]>([
    ['a whole one', {}, true],
    ['a cut one', { reason: 'client_gone' }, false],
    ['a failed one', { reason: 'vendor_error' }, false],
    ['one without a count', { usage: null }, false],
    ['one that we counted', { usage: estimated }, false],
    ['one of nobody', { attempts: [] }, false],
  ])('%s: %j', (_, more, teaches) => {
    const calibration = fresh();
    const forecast = new ListForecast(() => 100, calibration);
    forecast.learn(record(more));
    expect(calibration.tokens(LISTED, 100)).toBe(100);
    forecast.expected(LISTED);
    forecast.learn(record(more));
    expect(calibration.tokens(LISTED, 100) > 100).toBe(teaches);
  });

  test('an empty list teaches nothing', () => {
    const calibration = fresh();
    calibration.learn(LISTED, 0, 200);
    expect(calibration.tokens(LISTED, 100)).toBe(100);
  });
});
