import { describe, expect, test } from 'vitest';
import type { Backend } from '../../../config/config.ts';
import { Secret } from '../../../config/secret.ts';
import type { ErrorName, OpenAIError } from '../../../openai/errors.ts';
import type { BreakerEvent } from '../../../relay/routing/breaker-event.ts';
import { Pass } from '../../../relay/routing/pass.ts';
import { BREAKER, desk, error } from './health-desk.ts';

describe('several keys', () => {
  test('take turns', () => {
    const { enter } = desk(BREAKER, ['a', 'b', 'c']);
    expect([0, 1, 2, 3].map(() => enter().key)).toEqual([0, 1, 2, 0]);
  });

  test('a bad one is left out alone, until all are bad', () => {
    const { enter, barred, health, backend, place, wait } = desk(BREAKER, ['a', 'b']);
    const bad = error('upstream_auth');
    const first = enter();
    expect(first.key).toBe(0);
    first.failed(bad);
    expect(health.hasOtherKey(place('m'), bad)).toBe(true);
    expect([0, 1, 2].map(() => enter().key)).toEqual([1, 1, 1]);
    expect(health.isOut(backend)).toBe(false);
    enter().failed(bad);
    expect(health.hasOtherKey(place('m'), bad)).toBe(false);
    barred();
    expect(health.isOut(backend)).toBe(true);
    wait(60_000);
    expect(health.isOut(backend)).toBe(false);
  });

  test.each<[string, Partial<Backend>, boolean]>([
    ['another key', { apiKeys: [new Secret('new')] }, true],
    ['the same key in another region', { region: 'elsewhere' }, true],
    ['the same key at another address', { baseUrl: 'http://elsewhere' }, true],
    ['another limit', { rpm: 5 }, false],
  ])('a reload with %s after a refused key', (_, change, free) => {
    const { fail, health, entered, backend, wait } = desk();
    fail('upstream_auth');
    const reloaded = { backend: { ...backend, ...change }, model: 'm' };
    expect(entered(reloaded) instanceof Pass).toBe(free);
    // What stands against the old place is not shown as if it stood against the new one.
    expect([...health.openings([reloaded.backend])]).toEqual([{ backend: 'b', cause: 'key', open: free ? 0 : 1 }]);
    wait(60_000);
    expect(entered(reloaded)).toBeInstanceOf(Pass);
  });

  test('a limit is one of a key and a model; an overload is not one of a key', () => {
    const { enter, health, place } = desk({ ...BREAKER, failures: 1 }, ['a', 'b']);
    const limit = error('upstream_rate_limit_requests', { retryAfterMs: 1_000 });
    enter().failed(limit);
    expect(health.hasOtherKey(place('m'), limit)).toBe(true);
    expect(enter().key).toBe(1);
    expect(health.hasOtherKey(place('m'), error('upstream_overloaded'))).toBe(false);
  });

  test.each([0, 4_000])('a call beside a slow one goes by a key against which nothing stands, and probes none (after %i ms)', (ms) => {
    const { enter, entered, place, wait } = desk(BREAKER, ['a', 'b']);
    const limit = error('upstream_rate_limit_requests', { retryAfterMs: 2_000 });
    enter().failed(limit);
    wait(ms);
    const beside = (): Pass | OpenAIError => entered(place('m'), 'beside');
    expect([beside(), beside(), beside()].map((pass) => pass instanceof Pass && pass.key)).toEqual([1, 1, 1]);
    (beside() as Pass).failed(limit);
    expect(beside()).toMatchObject({ kind: 'upstream_rate_limit_requests' });
    // Nobody was kept from probing.
    expect(entered(place('m')) instanceof Pass).toBe(ms > 2_000);
  });

  test('the one that is free soonest says when', () => {
    const { enter, barred } = desk(BREAKER, ['a', 'b']);
    enter().failed(error('upstream_rate_limit_requests', { retryAfterMs: 9_000 }));
    enter().failed(error('upstream_rate_limit_requests', { retryAfterMs: 4_000 }));
    expect(barred().details.retryAfterMs).toBe(4_000);
  });
});

test.each<ErrorName>(['upstream_timeout', 'upstream_overloaded', 'upstream_rate_limit_tokens', 'upstream_out_of_credit'])(
  '%s: a backend that has moved begins anew',
  (kind) => {
    const { fail, entered, backend, barred } = desk({ ...BREAKER, failures: 1 });
    fail(kind);
    barred();
    expect(entered({ backend: { ...backend, baseUrl: 'http://there' }, model: 'm' })).toBeInstanceOf(Pass);
    barred();
  },
);

test('what another node has found holds here, by the fingerprint of the key, and ends when it says so', () => {
  const one = desk(BREAKER, ['a', 'b']);
  const other = desk(BREAKER, ['b', 'c']);
  one.enter().unused();
  one.fail('upstream_auth');
  const [event] = one.events as [BreakerEvent];
  expect(event).toMatchObject({ cause: 'key', key: 2, openMs: 60_000 });
  expect(event.at).not.toContain(' b');
  other.health.adopt(other.backend, event.at, 30_000, error('upstream_auth'));
  expect([0, 1, 2].map(() => other.enter().key)).toEqual([1, 1, 1]);
  // Nor does it hold for the same key at another address.
  const moved = { ...one.backend, baseUrl: 'http://there' };
  const third = desk(BREAKER, ['b']);
  third.health.adopt(moved, event.at, 30_000, error('upstream_auth'));
  expect(third.entered({ backend: moved, model: 'm' })).toBeInstanceOf(Pass);
  other.health.drop(other.backend, event.at);
  expect([0, 1].map(() => other.enter().key).sort()).toEqual([0, 1]);
});
