import type { WindowLength } from './limits.ts';

/** A window in milliseconds since the epoch: `startMs` belongs to it, `endMs` does not. */
export interface WindowBounds {
  readonly startMs: number;
  readonly endMs: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** End of the window that never starts anew: the last whole millisecond whose microseconds are a safe integer (year 2255). */
const NEVER: WindowBounds = { startMs: 0, endMs: Math.floor(Number.MAX_SAFE_INTEGER / 1000) };

/** Windows repeat for every request until they end: the last one of each kind and zone is kept. */
const latest = new Map<string, WindowBounds>();
const formatters = new Map<string, Intl.DateTimeFormat>();

/**
 * The calendar window that contains an instant. Days begin at local midnight, or at the first instant after it where a clock change skips
 * midnight; weeks on Monday; the two passes of a repeated local hour are two windows. Pure but for its memory of the last answer.
 * @throws RangeError for a time zone the platform does not know.
 */
export function windowBounds(per: WindowLength, timeZone: string, atMs: number): WindowBounds {
  if (per === 'never') return NEVER;
  const name = `${per} ${timeZone}`;
  const known = latest.get(name);
  if (known !== undefined && atMs >= known.startMs && atMs < known.endMs) return known;
  const found = per === 'hour' ? hourBounds(timeZone, atMs) : dateBounds(per, timeZone, atMs);
  latest.set(name, found);
  return found;
}

/** Local hours. Where a clock change is no whole hour (Lord Howe), the hour around it is cut at the change. */
function hourBounds(timeZone: string, atMs: number): WindowBounds {
  const offset = offsetMs(timeZone, atMs);
  const startMs = Math.floor((atMs + offset) / HOUR_MS) * HOUR_MS - offset;
  const endMs = startMs + HOUR_MS;
  const [before, after] = [offsetMs(timeZone, startMs), offsetMs(timeZone, endMs - 1)];
  return {
    startMs: before === offset ? startMs : firstWith(timeZone, startMs, atMs, offset),
    endMs: after === offset ? endMs : firstWith(timeZone, atMs, endMs - 1, after),
  };
}

function dateBounds(per: 'day' | 'week' | 'month', timeZone: string, atMs: number): WindowBounds {
  const local = new Date(atMs + offsetMs(timeZone, atMs));
  const [year, month, day] = [local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate()];
  // Monday is 0 here.
  const weekday = (local.getUTCDay() + 6) % 7;
  const first = per === 'month' ? 1 : per === 'week' ? day - weekday : day;
  const start = Date.UTC(year, month, first);
  const end = per === 'month' ? Date.UTC(year, month + 1, 1) : Date.UTC(year, month, first + (per === 'week' ? 7 : 1));
  return { startMs: midnight(timeZone, start), endMs: midnight(timeZone, end) };
}

/** The first instant at which the local clock shows this midnight (given as if it were UTC) or, where that is skipped, something later. */
function midnight(timeZone: string, localMs: number): number {
  const [before, after] = [offsetMs(timeZone, localMs - DAY_MS), offsetMs(timeZone, localMs + DAY_MS)];
  const early = localMs - before;
  if (before === after || offsetMs(timeZone, early) === before) return early;
  const late = localMs - after;
  if (offsetMs(timeZone, late) === after) return late;
  return firstWith(timeZone, localMs - DAY_MS, localMs + DAY_MS, after);
}

/** The instant of the change to `offset`, which holds at `highMs` and does not at `lowMs`. */
function firstWith(timeZone: string, lowMs: number, highMs: number, offset: number): number {
  let [low, high] = [lowMs, highMs];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(timeZone, middle) === offset) high = middle;
    else low = middle;
  }
  return high;
}

/** Local time minus UTC. */
function offsetMs(timeZone: string, atMs: number): number {
  let formatter = formatters.get(timeZone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formatters.set(timeZone, formatter);
  }
  const parts: Record<string, number> = {};
  for (const { type, value } of formatter.formatToParts(atMs)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMs / 1000) * 1000;
}
