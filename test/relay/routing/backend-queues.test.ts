import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../../config/config.ts';
import { type ErrorDetails, type ErrorName, OpenAIError } from '../../../openai/errors.ts';
import { BackendQueues } from '../../../relay/routing/backend-queues.ts';
import type { Waiting } from '../../../relay/routing/waiting.ts';
import { DeadlineWheel } from '../../../relay/upstream/deadlines.ts';

const backendOf = (name: string, queue?: { max: number; waitMs: number }): Backend => ({ name, queue }) as Backend;
const refusal = (limit = 'concurrency', details: ErrorDetails = {}, kind: ErrorName = 'backend_limit_requests'): OpenAIError =>
  new OpenAIError(kind, '', { limit: `backend.${limit}`, retryAfterMs: 1000, fallback: true, ...details });
const FULL = refusal();

/** A backend with so many slots, as the relay uses the queues before it: asks, waits, asks again when it is woken. */
class Desk {
  nowMs = 0;
  readonly wheel = new DeadlineWheel(() => this.nowMs);
  readonly queues = new BackendQueues(this.wheel);
  readonly backend: Backend;
  readonly served: string[] = [];
  readonly over: string[] = [];
  asked = 0;
  free: number;

  constructor(slots: number, { max = 1000, waitMs = 1_000_000 } = {}) {
    this.free = slots;
    this.backend = backendOf('b', { max, waitMs });
  }

  async request(team: string, id: string): Promise<void> {
    const rooms = this.queues.rooms('b');
    const standing = this.queues.standing(this.backend, null);
    if (standing === null && this.#take()) return void this.served.push(id);
    // The refusal arrives later than it was made: what is given back meanwhile must not be lost.
    await Promise.resolve();
    const waiting = this.queues.join(team, [{ backend: this.backend, error: FULL, rooms }], Number.POSITIVE_INFINITY);
    if (waiting === null) return void this.over.push(id);
    for (;;) {
      if ((await waiting.next()) === null) return void this.over.push(id);
      const room = this.#take();
      await Promise.resolve();
      if (room) {
        waiting.leave();
        return void this.served.push(id);
      }
      waiting.refused(FULL);
    }
  }

  settle(): void {
    this.free++;
    this.queues.room('b');
  }

  async after(ms: number): Promise<void> {
    this.nowMs += ms;
    this.wheel.tick();
    await turn();
  }

  #take(): boolean {
    this.asked++;
    if (this.free === 0) return false;
    this.free--;
    return true;
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('teams take turns, within a team first come, first served', async () => {
  const desk = new Desk(0);
  for (const id of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) void desk.request(id[0] as string, id);
  await turn();
  expect([...desk.queues.lengths()]).toEqual([{ backend: 'b', waiting: 7 }]);
  for (let count = 0; count < 7; count++) {
    desk.settle();
    await turn();
  }
  expect(desk.served).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
  expect([...desk.queues.lengths()]).toEqual([]);
  expect(desk.wheel.size).toBe(0);
});

test('nobody overtakes: a newcomer waits although a slot is free and on its way to another', async () => {
  const desk = new Desk(0);
  void desk.request('a', 'first');
  await turn();
  desk.settle();
  void desk.request('b', 'second');
  await turn();
  expect(desk.served).toEqual(['first']);
  desk.settle();
  await turn();
  expect(desk.served).toEqual(['first', 'second']);
});

test('one settled slot wakes one; others are not asked for nothing', async () => {
  const desk = new Desk(0);
  for (let id = 0; id < 50; id++) void desk.request('a', `${id}`);
  await turn();
  const before = desk.asked;
  desk.settle();
  await turn();
  // The one that got it, and the next, which finds no more.
  expect(desk.asked - before).toBe(2);
});

test('slots that other processes give back are found by looking', async () => {
  const desk = new Desk(0);
  void desk.request('a', 'x');
  await turn();
  desk.free = 1;
  await desk.after(249);
  expect(desk.served).toEqual([]);
  await desk.after(1);
  expect(desk.served).toEqual(['x']);
});

test('room for many at once is used at once', async () => {
  const desk = new Desk(0);
  for (let id = 0; id < 5; id++) void desk.request('a', `${id}`);
  await turn();
  desk.free = 5;
  await desk.after(250);
  expect(desk.served).toHaveLength(5);
});

test('no longer than it may, no more than may wait', async () => {
  const desk = new Desk(0, { max: 2, waitMs: 600 });
  for (const id of ['1', '2', '3']) void desk.request('a', id);
  await turn();
  expect(desk.over).toEqual(['3']);
  await desk.after(599);
  expect(desk.over).toEqual(['3']);
  await desk.after(1);
  expect(desk.over.toSorted()).toEqual(['1', '2', '3']);
  expect([...desk.queues.lengths()]).toEqual([]);
  expect(desk.wheel.size).toBe(0);
});

describe('who waits at several', () => {
  const open = () => {
    const wheel = new DeadlineWheel(() => 0);
    const queues = new BackendQueues(wheel);
    const backends = ['b', 'c'].map((name) => backendOf(name, { max: 5, waitMs: 1000 }));
    const join = (team = 'a') =>
      queues.join(
        team,
        backends.map((backend) => ({ backend, error: FULL, rooms: 0 })),
        1000,
      ) as Waiting;
    return { wheel, queues, join };
  };

  test('goes to the first that has room, and is then nowhere', async () => {
    const { wheel, queues, join } = open();
    const waiting = join();
    const woken = waiting.next();
    queues.room('c');
    expect(await woken).toBe('c');
    waiting.leave();
    expect([...queues.lengths()]).toEqual([]);
    expect(wheel.size).toBe(0);
  });

  test('room at the other, while it tries in vain at the one, is not lost', async () => {
    const { queues, join } = open();
    const waiting = join();
    const woken = waiting.next();
    queues.room('b');
    queues.room('c');
    expect(await woken).toBe('b');
    waiting.refused(FULL);
    expect(await waiting.next()).toBe('c');
  });

  test('room at the same, while it tries in vain there, is not lost; without any it is not asked again', async () => {
    const { queues, join } = open();
    const waiting = join();
    const woken = waiting.next();
    queues.room('b');
    expect(await woken).toBe('b');
    queues.room('b');
    waiting.refused(FULL);
    expect(await waiting.next()).toBe('b');
    waiting.refused(FULL);
    const again = waiting.next();
    expect(waiting.idle).toBe(true);
    waiting.leave();
    expect(await again).toBeNull();
  });

  test('room that it leaves behind is for the next', async () => {
    const { queues, join } = open();
    const [first, second] = [join('a'), join('b')];
    const woken = [first.next(), second.next()] as const;
    queues.room('b');
    expect(await woken[0]).toBe('b');
    first.leave();
    expect(await woken[1]).toBe('b');
  });

  test('one that leaves while it waits is told so', async () => {
    const { wheel, join } = open();
    const waiting = join();
    const woken = waiting.next();
    waiting.leave();
    expect(await woken).toBeNull();
    expect(wheel.size).toBe(0);
  });
});

test.each<[string, OpenAIError, boolean]>([
  ['slots, whatever time is told', refusal('concurrency', { retryAfterMs: 9000 }), true],
  ['tokens, which calls give back', refusal('tpm', { retryAfterMs: 9000 }, 'backend_limit_tokens'), true],
  ['requests that come back in time', refusal('rpm', { retryAfterMs: 500 }), true],
  ['requests that come back too late', refusal('rpm', { retryAfterMs: 9000 }), false],
  ['more than there ever is', refusal('concurrency', { retryAfterMs: undefined, retry: false }), false],
  ['a minute and more', refusal('tpd', { retryAfterMs: 90_000, retry: false }, 'backend_limit_tokens'), false],
])('%s', (_, error, waits) => {
  const queues = new BackendQueues(new DeadlineWheel(() => 0));
  const join = (backend: Backend) => queues.join('a', [{ backend, error, rooms: 0 }], 10_000);
  expect(join(backendOf('b', { max: 1, waitMs: 1000 })) !== null).toBe(waits);
  expect(join(backendOf('none'))).toBeNull();
});

test('in whatever order requests come and calls end: no slot lies idle while someone waits, and none is given twice', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('request' as const), team: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ kind: fc.constant('settle' as const) }),
    fc.record({ kind: fc.constant('turn' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 60 }), async (slots, steps) => {
      const desk = new Desk(slots);
      let [requests, settled] = [0, 0];
      for (const { kind, ...more } of steps) {
        if (kind === 'request') void desk.request((more as { team: string }).team, `${requests++}`);
        else if (kind === 'turn') await turn();
        else if (desk.served.length > settled) {
          settled++;
          desk.settle();
        }
      }
      await turn();
      // The clock has not moved: nothing of this is owed to looking.
      expect(desk.served.length).toBe(Math.min(requests, slots + settled));
      expect(new Set(desk.served).size).toBe(desk.served.length);
      const [queue] = desk.queues.lengths();
      expect(queue?.waiting ?? 0).toBe(requests - desk.served.length);
    }),
    { numRuns: 300 },
  );
});
