import { describe, expect, test } from 'vitest';
import type { Backend } from '../../../config/config.ts';
import { type ErrorName, OpenAIError } from '../../../openai/errors.ts';
import { LearnedLimits, type Slot } from '../../../relay/quota/learned-limits.ts';

const BREAKER = { failures: 5, windowMs: 30_000, openMs: 15_000 };

function desk(settings: { concurrency?: number; breaker?: 'off'; queue?: undefined } = {}) {
  const backend = { name: 'b', region: 'r', baseUrl: 'http://b', breaker: BREAKER, queue: { max: 1, waitMs: 1 }, ...settings } as Backend;
  const clock = { ms: 0 };
  const rooms: string[] = [];
  const learned = new LearnedLimits(
    () => clock.ms,
    (name) => rooms.push(name),
  );
  let place = backend;
  const enter = (atOnce = 1): Slot => learned.enter(place, atOnce, 'gpt-4o');
  const refuse = (slot: Slot, kind: ErrorName = 'upstream_rate_limit_requests') => slot.failed(new OpenAIError(kind, ''));
  const most = () => [...learned.limits()][0]?.most ?? null;
  /** So many at a time, of which the vendor refuses the last ones. */
  const burst = (running: number, refused: number, kind?: ErrorName): void => {
    clock.ms++;
    const slots = Array.from({ length: running }, () => enter());
    for (const [index, slot] of slots.entries()) index < running - refused ? slot.ended(false) : refuse(slot, kind);
  };
  const answer = (times: number): void => {
    clock.ms++;
    for (let count = 0; count < times; count++) enter().ended(true);
  };
  const move = (baseUrl: string): void => {
    place = { ...backend, baseUrl };
  };
  return { clock, rooms, enter, refuse, most, burst, answer, move };
}

describe('lowered', () => {
  test.each<[string, number, number, ErrorName | undefined, number | null]>([
    ['one refusal teaches nothing', 20, 1, undefined, null],
    ['repeated ones halve it', 20, 2, undefined, 10],
    ['of tokens too', 20, 2, 'upstream_rate_limit_tokens', 10],
    ['once for all that fail together', 20, 18, undefined, 8],
    ['never below one', 1, 1, undefined, null],
    ['an overload is no limit of the account', 20, 10, 'upstream_overloaded', null],
    ['nor is silence', 20, 10, 'upstream_timeout', null],
  ])('%s', (_, running, refused, kind, expected) => {
    const { burst, most } = desk();
    burst(running, refused, kind);
    expect(most()).toBe(expected);
  });

  test('again, where the lower one is refused too, down to one call', () => {
    const { burst, most, refuse, enter, clock } = desk();
    const seen: (number | null)[] = [];
    burst(16, 2);
    seen.push(most());
    for (let count = 0; count < 5; count++) {
      burst(most() ?? 0, Math.min(2, most() ?? 0));
      seen.push(most());
    }
    expect(seen.slice(0, 4)).toEqual([8, 4, 2, 1]);
    clock.ms++;
    refuse(enter());
    refuse(enter());
    expect(most()).toBe(1);
  });

  test('two refusals more than a minute apart are not repeated', () => {
    const { burst, most, clock } = desk();
    burst(10, 1);
    clock.ms += 61_000;
    burst(10, 1);
    expect(most()).toBeNull();
  });
});

describe('kept', () => {
  test('who is beyond it is refused, and another backend may be asked; a call that ends makes room', () => {
    const { burst, enter, rooms } = desk();
    burst(4, 2);
    rooms.length = 0;
    const slot = enter();
    // Four ran when the first refused one began, so two may.
    enter();
    expect(() => enter()).toThrow(
      expect.objectContaining({
        kind: 'backend_limit_requests',
        details: expect.objectContaining({ limit: 'backend.concurrency', fallback: true, retryAfterMs: 1000 }),
      }),
    );
    slot.ended(false);
    expect(rooms).toEqual(['b']);
    expect(() => enter()).not.toThrow();
  });

  test('several calls at once are one attempt: alone they may be more', () => {
    const { burst, enter } = desk();
    burst(4, 2);
    const alone = enter(5);
    expect(() => enter()).toThrow();
    alone.ended(true);
    enter();
    expect(() => enter(2)).toThrow();
  });

  test.each([{ breaker: 'off' as const }, { queue: undefined }])('%j learns nothing', (settings) => {
    const { burst, most } = desk(settings);
    burst(10, 10);
    expect(most()).toBeNull();
  });
});

describe('raised', () => {
  test('by one for each round of answers', () => {
    const { burst, answer, most } = desk({ concurrency: 100 });
    burst(8, 2);
    expect(most()).toBe(4);
    answer(5);
    expect(most()).toBe(5);
    answer(4);
    expect(most()).toBe(5);
    answer(1);
    expect(most()).toBe(6);
  });

  test.each([
    ['the configured one', { concurrency: 6 }, 6],
    ['twice what ran at first, where none is configured', {}, 12],
  ])('up to %s, then forgotten', (_, settings, ceiling) => {
    const { burst, answer, most } = desk(settings);
    burst(6, 2);
    let highest = 0;
    for (let count = 0; count < 200 && most() !== null; count++) {
      highest = most() ?? 0;
      answer(1);
    }
    expect(most()).toBeNull();
    expect(highest).toBe(ceiling - 1);
  });

  test('not by answers to calls that began before it was lowered', () => {
    const { burst, enter, most, clock } = desk();
    const early = enter();
    clock.ms++;
    burst(1, 1);
    burst(1, 1);
    expect(most()).toBe(1);
    early.ended(true);
    expect(most()).toBe(1);
  });
});

test('a backend that has moved is another account: nothing is known of it', () => {
  const { burst, most, enter, move } = desk();
  burst(8, 2);
  expect(most()).not.toBeNull();
  move('http://there');
  for (let count = 0; count < 20; count++) enter();
  expect(most()).toBeNull();
});
