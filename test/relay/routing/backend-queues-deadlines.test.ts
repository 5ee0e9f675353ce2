import { describe, expect, test } from 'vitest';
import type { Backend } from '../../../config/config.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import { BackendQueues } from '../../../relay/routing/backend-queues.ts';
import type { Waiting } from '../../../relay/routing/waiting.ts';
import { DeadlineWheel } from '../../../relay/upstream/deadlines.ts';

/** Sixty requests per minute: one each second. */
const backendOf = (name: string, waitMs = 3_000): Backend => ({ name, rpm: 60, rpd: 86_400, queue: { max: 100, waitMs } }) as Backend;
const refusal = (retryAfterMs: number, limit = 'rpm'): OpenAIError =>
  new OpenAIError('backend_limit_requests', '', { limit: `backend.${limit}`, retryAfterMs, fallback: true });

function open() {
  const clock = { ms: 0 };
  const wheel = new DeadlineWheel(() => clock.ms);
  const queues = new BackendQueues(wheel);
  const at = (ms: number): void => {
    clock.ms = ms;
    wheel.tick();
  };
  const join = (team: string, error: OpenAIError, { names = ['b'], endBy = 100_000, waitMs = 3_000 } = {}): Waiting | null =>
    queues.join(
      team,
      names.map((name) => ({ backend: backendOf(name, waitMs), error, rooms: queues.rooms(name) })),
      endBy,
    );
  return { at, wheel, queues, join };
}

describe('who cannot be served in time is told at once', () => {
  test.each<[string, number, number, boolean]>([
    ['within the deadline', 500, 500, true],
    ['after the deadline of the request, although before that of the queue', 500, 499, false],
    ['the deadline has passed', 0, 0, false],
  ])('%s', (_, retryAfterMs, endBy, waits) => {
    expect(open().join('t', refusal(retryAfterMs), { endBy }) !== null).toBe(waits);
  });

  test.each(['rpm', 'rpd'])('by %s, those before it counted: each takes a second', (limit) => {
    const { join } = open();
    const error = refusal(500, limit);
    // After 0.5 s, 1.5 s, 2.5 s; and 3.5 s would be too late.
    expect([1, 2, 3, 4].map(() => join('t', error) !== null)).toEqual([true, true, true, false]);
    // Of another team one is before it, and then two.
    expect([1, 2, 3].map(() => join('u', error) !== null)).toEqual([true, false, false]);
  });

  test('of another team those are before it whose turns come first', () => {
    const { join } = open();
    const error = refusal(500);
    for (const team of ['t', 'u', 'v']) expect(join(team, error)).not.toBeNull();
    // Three turns; then, of the first team, only its own.
    expect(join('w', error)).toBeNull();
    expect(join('t', error)).toBeNull();
    expect(join('t', error, { waitMs: 3_500 })).not.toBeNull();
  });

  test('those who may be served elsewhere are not counted', () => {
    const { join } = open();
    const error = refusal(500);
    for (let count = 0; count < 5; count++) expect(join('t', error, { names: ['b', 'c'] })).not.toBeNull();
    expect(join('t', error)).not.toBeNull();
  });

  test('slots have no time: whoever ends first makes room', () => {
    const { join } = open();
    for (let count = 0; count < 20; count++) expect(join('t', refusal(1_000, 'concurrency'))).not.toBeNull();
  });

  test('a refusal that others got before counts from then', () => {
    const { join, queues, at } = open();
    const error = refusal(500);
    expect([1, 2, 3].map(() => join('t', error) !== null)).toEqual([true, true, true]);
    at(499);
    const standing = queues.standing(backendOf('b'), null) as OpenAIError;
    // 3.5 s from the refusal are 3.001 s from now.
    expect(join('t', standing)).toBeNull();
    at(500);
    expect(join('t', standing)).not.toBeNull();
  });

  test('a newer refusal counts from its own time', async () => {
    const { join, queues, at } = open();
    const waiting = join('t', refusal(500)) as Waiting;
    const woken = waiting.next();
    at(400);
    queues.room('b');
    expect(await woken).toBe('b');
    waiting.refused(refusal(500));
    const standing = queues.standing(backendOf('b'), null) as OpenAIError;
    expect(join('t', standing, { waitMs: 1_499 })).toBeNull();
    expect(join('t', standing, { waitMs: 1_500 })).not.toBeNull();
  });

  test('who is refused again, for too long, waits there no more; others of the queue do', async () => {
    const { join, queues, wheel } = open();
    const [first, second] = [join('t', refusal(500)), join('t', refusal(500))] as [Waiting, Waiting];
    const woken = first.next();
    queues.room('b');
    expect(await woken).toBe('b');
    first.refused(refusal(3_001));
    expect(await first.next()).toBeNull();
    expect([...queues.lengths()]).toEqual([{ backend: 'b', waiting: 1 }]);
    second.leave();
    expect(wheel.size).toBe(0);
  });
});

test('each place is given up in its own time', async () => {
  const { queues, at, wheel } = open();
  const error = refusal(1_000, 'concurrency');
  const full = [backendOf('b', 100), backendOf('c', 200)].map((backend) => ({ backend, error, rooms: 0 }));
  const waiting = queues.join('t', full, 100_000) as Waiting;
  const woken = waiting.next();
  const where = () => [...queues.lengths()].map(({ backend }) => backend);
  at(99);
  expect(where()).toEqual(['b', 'c']);
  at(100);
  expect(where()).toEqual(['c']);
  at(200);
  expect(await woken).toBeNull();
  expect(where()).toEqual([]);
  expect(wheel.size).toBe(0);
});

test('what a look finds while one tries in vain is not lost', async () => {
  const { queues, at, join } = open();
  const error = refusal(1_000, 'concurrency');
  const waiting = join('t', error) as Waiting;
  const woken = waiting.next();
  queues.room('b');
  expect(await woken).toBe('b');
  at(250);
  waiting.refused(error);
  const again = waiting.next();
  expect(waiting.idle).toBe(false);
  expect(await again).toBe('b');
});
