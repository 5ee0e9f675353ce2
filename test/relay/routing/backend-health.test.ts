import { expect, test } from 'vitest';
import type { ErrorName } from '../../../openai/errors.ts';
import { Pass } from '../../../relay/routing/pass.ts';
import { BREAKER, desk, error } from './health-desk.ts';

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

test('what did not come from the backend proves nothing for it', () => {
  const { fail, wait, enter, barred } = desk({ ...BREAKER, failures: 1 });
  fail('upstream_timeout');
  wait(5_000);
  enter().failed(error('backend_limit_requests'));
  const probe = enter();
  barred();
  probe.unused();
});

test('a retry, which has waited, is not held up', () => {
  const { fail, entered, place, barred } = desk();
  fail('upstream_rate_limit_requests', { retryAfterMs: 1_000 });
  barred();
  const again = entered(place('m'), 'again');
  expect(again).toBeInstanceOf(Pass);
  (again as Pass).answered();
  expect(entered(place('m'))).toBeInstanceOf(Pass);
});

test('off: nothing is remembered', () => {
  const { fail, told, enter } = desk('off');
  for (let number = 0; number < 10; number++) fail('upstream_auth');
  enter();
  expect(told()).toEqual([]);
});
