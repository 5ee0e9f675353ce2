import { expect, test } from 'vitest';
import type { Backend } from '../../../config/config.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import { InFlight } from '../../../relay/in-flight.ts';
import { BackendQueues } from '../../../relay/routing/backend-queues.ts';
import { untilRoom } from '../../../relay/routing/until-room.ts';
import type { Waiting } from '../../../relay/routing/waiting.ts';
import { DeadlineWheel } from '../../../relay/upstream/deadlines.ts';

const DRAINING = new OpenAIError('draining', '');

test.each<[string, (acts: { room(): void; late(): void; leave(): void; cut(): void }) => void, object]>([
  ['room', ({ room }) => room(), { kind: 'room', backend: 'b' }],
  ['no room in time', ({ late }) => late(), { kind: 'over' }],
  ['the caller leaves', ({ leave }) => leave(), { kind: 'gone' }],
  ['the process ends', ({ cut }) => cut(), { kind: 'cut', error: DRAINING }],
  [
    'the caller leaves in the moment in which there is room',
    ({ room, leave }) => {
      room();
      leave();
    },
    { kind: 'gone' },
  ],
])('%s', async (_, act, ended) => {
  let nowMs = 0;
  let leave = (): void => undefined;
  const wheel = new DeadlineWheel(() => nowMs);
  const queues = new BackendQueues(wheel);
  const inFlight = new InFlight();
  const backend = { name: 'b', queue: { max: 1, waitMs: 100 } } as Backend;
  const error = new OpenAIError('backend_limit_requests', '', { limit: 'backend.concurrency', retryAfterMs: 1000 });
  const waiting = queues.join('team', [{ backend, error, rooms: 0 }], 1000) as Waiting;
  const woken = untilRoom(
    waiting,
    (then) => {
      leave = then;
    },
    inFlight,
  );
  act({
    room: () => queues.room('b'),
    late: () => {
      nowMs = 100;
      wheel.tick();
    },
    leave: () => leave(),
    cut: () => inFlight.cut(DRAINING),
  });
  expect(await woken).toEqual(ended);
  waiting.leave();
  expect([...queues.lengths()]).toEqual([]);
  expect(wheel.size).toBe(0);
});
