import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { endOf } from '../../../server/workers/forked.ts';

/** A process that tells of its end piece by piece. */
function dying() {
  const stdout = new EventEmitter();
  const child = Object.assign(new EventEmitter(), { stdout, connected: true });
  const pieces = {
    exit: () => child.emit('exit', 0, null),
    'all written': () => stdout.emit('close'),
    'all said': () => child.emit('disconnect'),
  };
  return { child, pieces };
}

test.each([
  ['exit', 'all written', 'all said'],
  ['exit', 'all said', 'all written'],
  ['all written', 'exit', 'all said'],
  ['all said', 'all written', 'exit'],
] as const)('a worker has ended once its last words are here, in whatever order the system tells: %s, %s, %s', async (...order) => {
  const { child, pieces } = dying();
  const told: string[] = [];
  const ended = endOf(child).then((how) => told.push(how));
  for (const piece of order) {
    await new Promise(setImmediate);
    told.push(piece);
    pieces[piece]();
  }
  await ended;
  expect(told).toEqual([...order, 'exit code 0']);
});

test.each([
  [(child: EventEmitter) => child.emit('exit', null, 'SIGKILL'), 'SIGKILL'],
  [(child: EventEmitter) => child.emit('error', new Error('spawn EAGAIN')), 'spawn EAGAIN'],
])('how it ended: %#', async (end, how) => {
  const { child, pieces } = dying();
  const ended = endOf(child);
  pieces['all written']();
  pieces['all said']();
  end(child);
  expect(await ended).toBe(how);
});
