import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WindowLength } from '../../../relay/quota/limits.ts';
import { windowBounds } from '../../../relay/quota/window-bounds.ts';

test.each<[WindowLength, string, string, string, string]>([
  ['hour', 'UTC', '2026-03-10T12:34:56.789Z', '2026-03-10T12:00:00Z', '2026-03-10T13:00:00Z'],
  ['hour', 'Asia/Kolkata', '2026-03-10T12:34:56Z', '2026-03-10T12:30:00Z', '2026-03-10T13:30:00Z'],
  // Half an hour's summer time: the clock goes back from 02:00 to 01:30 at 15:00Z.
  ['hour', 'Australia/Lord_Howe', '2026-04-04T14:10:00Z', '2026-04-04T14:00:00Z', '2026-04-04T15:00:00Z'],
  ['hour', 'Australia/Lord_Howe', '2026-04-04T15:10:00Z', '2026-04-04T15:00:00Z', '2026-04-04T15:30:00Z'],
  ['day', 'Asia/Shanghai', '2026-03-10T15:59:59.999Z', '2026-03-09T16:00:00Z', '2026-03-10T16:00:00Z'],
  ['day', 'Asia/Shanghai', '2026-03-10T16:00:00Z', '2026-03-10T16:00:00Z', '2026-03-11T16:00:00Z'],
  ['day', 'Europe/Berlin', '2026-03-29T12:00:00Z', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z'],
  ['day', 'Europe/Berlin', '2026-10-25T12:00:00Z', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z'],
  // Midnight does not exist: the clock goes from 00:00 to 01:00.
  ['day', 'Africa/Cairo', '2026-04-24T12:00:00Z', '2026-04-23T22:00:00Z', '2026-04-24T21:00:00Z'],
  // Midnight exists twice: the clock goes back from 01:00 to 00:00.
  ['day', 'America/Havana', '2026-11-01T12:00:00Z', '2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z'],
  // The clock goes back from 00:00 to 23:00 of the day before, which is then 25 hours long.
  ['day', 'Africa/Cairo', '2026-10-29T20:30:00Z', '2026-10-28T21:00:00Z', '2026-10-29T22:00:00Z'],
  ['week', 'UTC', '2026-03-15T23:59:59Z', '2026-03-09T00:00:00Z', '2026-03-16T00:00:00Z'],
  ['week', 'Asia/Shanghai', '2026-03-15T16:00:00Z', '2026-03-15T16:00:00Z', '2026-03-22T16:00:00Z'],
  ['month', 'UTC', '2028-02-29T12:00:00Z', '2028-02-01T00:00:00Z', '2028-03-01T00:00:00Z'],
  ['month', 'America/New_York', '2026-12-31T23:00:00Z', '2026-12-01T05:00:00Z', '2027-01-01T05:00:00Z'],
  ['month', 'Europe/Berlin', '2026-03-10T12:00:00Z', '2026-02-28T23:00:00Z', '2026-03-31T22:00:00Z'],
])('%s in %s at %s', (per, zone, at, start, end) => {
  const { startMs, endMs } = windowBounds(per, zone, Date.parse(at));
  expect([new Date(startMs), new Date(endMs)]).toEqual([new Date(start), new Date(end)]);
});

test('windows cover all time without gap or overlap, whatever is asked first', () => {
  const zones = [
    'UTC',
    'Asia/Shanghai',
    'Europe/Berlin',
    'Africa/Cairo',
    'America/Havana',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
    'Asia/Beirut',
  ];
  const per = fc.constantFrom<WindowLength>('hour', 'day', 'week', 'month');
  const at = fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2030, 0, 1) });
  fc.assert(
    fc.property(per, fc.constantFrom(...zones), at, fc.double({ min: 0, max: 1, noNaN: true }), (length, zone, instant, share) => {
      const bounds = windowBounds(length, zone, instant);
      expect(bounds.startMs).toBeLessThanOrEqual(instant);
      expect(bounds.endMs).toBeGreaterThan(instant);
      // Forget the last answer, then ask from elsewhere within.
      windowBounds(length, zone, 0);
      const inside = Math.min(bounds.endMs - 1, Math.floor(bounds.startMs + share * (bounds.endMs - bounds.startMs)));
      expect(windowBounds(length, zone, inside)).toEqual(bounds);
      expect(windowBounds(length, zone, bounds.endMs).startMs).toBe(bounds.endMs);
      expect(windowBounds(length, zone, bounds.startMs - 1).endMs).toBe(bounds.startMs);
    }),
    { numRuns: 400 },
  );
});

test('never neither begins nor ends in our time', () => {
  expect(windowBounds('never', 'UTC', Date.UTC(2026, 0, 1))).toEqual({ startMs: 0, endMs: 9_007_199_254_740 });
});

test('an unknown time zone is an error', () => {
  expect(() => windowBounds('day', 'Mars/Olympus', 0)).toThrow(RangeError);
});
