import { expect, test } from 'vitest';
import { type ErrorName, OpenAIError } from '../../../openai/errors.ts';
import type { BreakerPlace } from '../../../relay/routing/breaker-place.ts';
import { Pass } from '../../../relay/routing/pass.ts';
import { nodes } from './nodes.ts';

/** The relay probes failures and keys by itself, and the time for it has come at two nodes. */
async function due(kind: ErrorName = 'upstream_timeout') {
  const all = nodes({ isProbed: (_, { cause }) => cause === 'failure' || cause === 'key' });
  await all.read(all.one, all.other);
  await all.one.end(kind);
  await all.read(all.other);
  all.wait(kind === 'upstream_auth' ? 60_000 : 5_000);
  return all;
}
type Node = Awaited<ReturnType<typeof due>>['one'];
const placesOf = ({ health, backend }: Node): readonly BreakerPlace[] => health.due(backend);
const probe = ({ health, backend }: Node): Promise<Pass | null> => {
  const [place] = health.due(backend);
  return place === undefined ? Promise.resolve(null) : health.probe(backend, place, 'cheap');
};

test.each<[ErrorName, BreakerPlace]>([
  ['upstream_timeout', { cause: 'failure', model: null, key: null }],
  ['upstream_auth', { cause: 'key', model: null, key: 0 }],
])('%s: callers wait until the relay’s own probe has come back', async (kind, place) => {
  const { one } = await due(kind);
  expect(placesOf(one)).toEqual([place]);
  expect(await one.enter()).toMatchObject({ kind });
  const pass = await probe(one);
  expect(pass).toBeInstanceOf(Pass);
  expect(placesOf(one)).toEqual([]);
  expect(await one.enter()).toMatchObject({ kind });
  pass?.answered();
  expect(one.enter()).toBeInstanceOf(Pass);
});

test('one that fails opens it anew', async () => {
  const { one, wait } = await due();
  await one.fail((await probe(one)) as Pass, 'upstream_timeout');
  expect(placesOf(one)).toEqual([]);
  wait(5_000);
  expect(placesOf(one)).toHaveLength(1);
});

test('what is not the relay’s to probe is left to callers', async () => {
  const { one } = await due('upstream_rate_limit_tokens');
  expect(placesOf(one)).toEqual([]);
  expect(await one.enter()).toBeInstanceOf(Pass);
});

test('where no probe could be sent for half a minute callers probe', async () => {
  const { one, wait } = nodes({ isProbed: () => true });
  await one.end('upstream_timeout');
  wait(5_000 + 29_999);
  expect(await one.enter()).toBeInstanceOf(OpenAIError);
  wait(1);
  expect(await one.enter()).toBeInstanceOf(Pass);
});

test('of two nodes one probes; the other hears what it found', async () => {
  const { one, other, wait } = await due();
  const [first, second] = await Promise.all([probe(one), probe(other)]);
  expect([first instanceof Pass, second]).toEqual([true, null]);
  await one.fail(first as Pass, 'upstream_timeout');
  wait(1_000);
  expect(await probe(other)).toBeNull();
  expect(await other.enter()).toMatchObject({ kind: 'upstream_timeout', details: { retryAfterMs: 4_000 } });
});

test('nothing is due at a healthy backend, nor at one that has moved', async () => {
  const { one } = await due();
  expect(one.health.due({ ...one.backend, baseUrl: 'http://there' })).toEqual([]);
  ((await probe(one)) as Pass).answered();
  expect(placesOf(one)).toEqual([]);
});
