import { describe, expect, test } from 'vitest';
import type { Backend } from '../../../config/config.ts';
import { Secret } from '../../../config/secret.ts';
import { type ErrorDetails, type ErrorName, OpenAIError } from '../../../openai/errors.ts';
import { BackendHealth } from '../../../relay/routing/backend-health.ts';
import type { BreakerEvent } from '../../../relay/routing/breaker-event.ts';
import { Pass } from '../../../relay/routing/pass.ts';

const BREAKER = { failures: 3, windowMs: 10_000, openMs: 5_000 };

/** Health with a clock of its own, and what it told. */
function desk(breaker: Backend['breaker'] = BREAKER, keys = ['k']) {
  let now = 0;
  const events: BreakerEvent[] = [];
  const health = new BackendHealth({ now: () => now, random: () => 0, onChange: (event) => void events.push(event) });
  /** Of one process: nobody else has to be asked. */
  const entered = (...place: Parameters<BackendHealth['enter']>): Pass | OpenAIError => {
    const pass = health.enter(...place);
    if (pass instanceof Promise) throw new Error('it waits');
    return pass;
  };
  const secrets = keys.map((key) => new Secret(key));
  const backend = { name: 'b', region: 'here', baseUrl: 'http://here', breaker, apiKeys: secrets } as unknown as Backend;
  const place = (model: string) => ({ backend, model });
  const enter = (model = 'm'): Pass => {
    const pass = entered(place(model));
    if (pass instanceof Pass) return pass;
    throw pass;
  };
  const barred = (model = 'm'): OpenAIError => {
    const pass = entered(place(model));
    if (pass instanceof Pass) throw new Error('it may be asked');
    return pass;
  };
  return {
    health,
    entered,
    backend,
    place,
    events,
    enter,
    barred,
    wait: (ms: number) => {
      now += ms;
    },
    fail: (kind: ErrorName, details: ErrorDetails = {}, model = 'm') => enter(model).failed(error(kind, details)),
    told: () => events.map(({ state, cause }) => `${cause} ${state}`),
  };
}

const error = (kind: ErrorName, details: ErrorDetails = {}): OpenAIError => new OpenAIError(kind, 'w', { fallback: true, ...details });

test.each<ErrorName>(['upstream_timeout', 'upstream_truncated', 'upstream_invalid_response', 'upstream_unreachable'])(
  '%s: so many in a row take the whole backend out, one probe brings it back',
  (kind) => {
    const { fail, enter, barred, wait, told } = desk();
    fail(kind);
    fail(kind);
    enter().answered();
    fail(kind);
    fail(kind);
    expect(told()).toEqual([]);
    fail(kind);
    expect(told()).toEqual(['failure open']);
    wait(2_000);
    expect(barred('other')).toMatchObject({ kind, details: { retryAfterMs: 3_000, fallback: true } });
    wait(3_000);
    const probe = enter();
    expect(barred()).toMatchObject({ kind });
    probe.failed(error(kind));
    expect(barred()).toMatchObject({ details: { retryAfterMs: 5_000 } });
    wait(5_000);
    const second = enter();
    second.began();
    enter();
    expect(told()).toEqual(['failure open', 'failure half-open', 'failure open', 'failure half-open', 'failure closed']);
  },
);

test('answers that begin and break off: one that begins ends no row of them, a whole one does; the one that brings it back must hold', () => {
  const { enter, barred, wait, told } = desk();
  const breakOff = (): void => {
    const pass = enter();
    pass.began();
    pass.failed(error('upstream_truncated'));
  };
  breakOff();
  breakOff();
  const whole = enter();
  whole.began();
  whole.answered();
  breakOff();
  breakOff();
  enter().began();
  expect(told()).toEqual([]);
  breakOff();
  expect(told()).toEqual(['failure open']);
  wait(5_000);
  breakOff();
  expect(told()).toEqual(['failure open', 'failure half-open', 'failure closed', 'failure open']);
  expect(barred()).toMatchObject({ kind: 'upstream_truncated', details: { retryAfterMs: 5_000 } });
  wait(5_000);
  const probe = enter();
  probe.began();
  probe.answered();
  breakOff();
  breakOff();
  expect(told().at(-1)).toBe('failure closed');
});

test('calls that got no answer are not held against a backend whose answers last, and begin in between', () => {
  const { fail, enter, told } = desk();
  for (let number = 0; number < 10; number++) {
    fail('upstream_unreachable');
    enter().began();
  }
  expect(told()).toEqual([]);
});

test('failures outside the window begin anew', () => {
  const { fail, wait, told } = desk();
  fail('upstream_timeout');
  fail('upstream_timeout');
  wait(10_001);
  fail('upstream_timeout');
  fail('upstream_timeout');
  expect(told()).toEqual([]);
});

test('a probe that nobody waited for leaves its place to the next', () => {
  const { fail, wait, enter, barred } = desk({ ...BREAKER, failures: 1 });
  fail('upstream_timeout');
  wait(5_000);
  const probe = enter();
  barred();
  probe.unused();
  enter();
});

test('calls that began before it opened neither close nor lengthen it', () => {
  const { fail, enter, barred, wait } = desk({ ...BREAKER, failures: 1 });
  const [early, earlier] = [enter(), enter()];
  wait(1);
  fail('upstream_timeout');
  wait(1_000);
  early.answered();
  earlier.failed(error('upstream_timeout'));
  expect(barred()).toMatchObject({ details: { retryAfterMs: 4_000 } });
});

test.each<[ErrorName, ErrorDetails, number[]]>([
  ['upstream_rate_limit_requests', { retryAfterMs: 1_000 }, [1_000, 2_000, 4_000]],
  ['upstream_rate_limit_tokens', { retryAfterMs: 40_000 }, [40_000, 60_000, 60_000]],
  ['upstream_rate_limit_requests', { retryAfterMs: 90_000 }, [90_000, 90_000]],
  ['upstream_rate_limit_requests', { retryAfterMs: 999_999_000 }, [600_000, 600_000]],
])('%s %o: the model cools down for %o', (kind, details, waits) => {
  const { fail, enter, barred, wait } = desk();
  for (const ms of waits) {
    fail(kind, details);
    wait(ms - 1);
    barred();
    enter('other').unused();
    wait(1);
  }
  enter().answered();
  fail(kind, details);
  wait(waits[0] as number);
  enter();
});

test('callers are told the time that the vendor told, though the relay looks sooner', () => {
  const { fail, barred, wait, enter } = desk();
  fail('upstream_rate_limit_requests', { retryAfterMs: 7_200_000 });
  wait(599_999);
  expect(barred()).toMatchObject({ details: { retryAfterMs: 7_200_000 - 599_999 } });
  wait(1);
  enter();
});

test('overload: so many in a row, then longer each time, of the model alone', () => {
  const { fail, enter, barred, wait } = desk();
  for (let number = 0; number < 3; number++) fail('upstream_overloaded', { retryAfterMs: 2_000 });
  for (const ms of [2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
    expect(barred().details.retryAfterMs).toBe(ms);
    enter('other').unused();
    wait(ms);
    fail('upstream_overloaded', { retryAfterMs: 2_000 });
  }
});

test.each<[ErrorName, boolean]>([
  ['upstream_auth', true],
  ['upstream_out_of_credit', false],
  ['upstream_model_unavailable', false],
])('%s: out until a probe, a minute later; other models too: %s', (kind, whole) => {
  const { fail, enter, barred, wait, told } = desk();
  fail(kind);
  // No wait is promised: an admin must act.
  expect(barred()).toMatchObject({ kind, details: { retryAfterMs: undefined } });
  if (whole) barred('other');
  else enter('other').unused();
  wait(60_000);
  // An answer of another kind proves that the key is taken again.
  enter().failed(error('content_filter', { upstreamCode: 'x' }));
  enter();
  expect(told().at(-1)).toMatch(/closed$/);
});

test.each<[ErrorName, ErrorDetails]>([
  ['content_filter', { upstreamCode: 'x' }],
  ['invalid_value', { upstreamCode: 'x' }],
  ['context_length_exceeded', {}],
  ['backend_limit_requests', {}],
  ['quota_unavailable', {}],
  ['internal_error', {}],
  ['upstream_rejected', {}],
  ['upstream_unmet', {}],
])('%s %o opens nothing', (kind, details) => {
  const { fail, told } = desk({ ...BREAKER, failures: 1 });
  for (let number = 0; number < 10; number++) fail(kind, details);
  expect(told()).toEqual([]);
});

test('what did not come from the backend proves nothing for it', () => {
  const { fail, wait, enter, barred } = desk({ ...BREAKER, failures: 1 });
  fail('upstream_timeout');
  wait(5_000);
  enter().failed(error('backend_limit_requests'));
  const probe = enter();
  barred();
  probe.unused();
});

test('off: nothing is remembered', () => {
  const { fail, told, enter } = desk('off');
  for (let number = 0; number < 10; number++) fail('upstream_auth');
  enter();
  expect(told()).toEqual([]);
});

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

test('a retry, which has waited, is not held up', () => {
  const { fail, entered, place, barred } = desk();
  fail('upstream_rate_limit_requests', { retryAfterMs: 1_000 });
  barred();
  const again = entered(place('m'), 'again');
  expect(again).toBeInstanceOf(Pass);
  (again as Pass).answered();
  expect(entered(place('m'))).toBeInstanceOf(Pass);
});

test('names that callers make up do not fill the memory', () => {
  const { fail, health, backend } = desk();
  for (let number = 0; number < 3_000; number++) fail('upstream_model_unavailable', {}, `made-up-${number}`);
  expect([...health.openings([backend])]).toEqual([{ backend: 'b', cause: 'model', open: 1_000 }]);
});

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
