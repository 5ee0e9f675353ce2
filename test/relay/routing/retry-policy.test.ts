import { describe, expect, test } from 'vitest';
import { type ErrorDetails, type ErrorName, OpenAIError } from '../../../openai/errors.ts';
import { mayFallBack, type Standing, waitBeforeRetry } from '../../../relay/routing/retry-policy.ts';

const error = (kind: ErrorName, details: ErrorDetails = {}): OpenAIError => new OpenAIError(kind, '', { fallback: true, ...details });
const LAST: Standing = { tries: 1, retries: 3, last: true, leftMs: 60_000 };
const wait = (failure: OpenAIError, more: Partial<Standing> = {}, random = 0) =>
  waitBeforeRetry(failure, { ...LAST, ...more }, () => random);

describe('the same backend again', () => {
  const broken = error('upstream_truncated', { unanswered: true });
  test.each<[string, OpenAIError, Partial<Standing>, number, number | null]>([
    ['a limit, after the time told', error('upstream_rate_limit_requests', { retryAfterMs: 1000 }), {}, 0, 1000],
    ['not all at once', error('upstream_rate_limit_tokens', { retryAfterMs: 1000 }), {}, 1, 1250],
    ['longer each time', error('upstream_overloaded', { retryAfterMs: 1000 }), { tries: 2 }, 0, 2000],
    ['an overload without a time', error('upstream_overloaded'), {}, 0, 1000],
    ['a minute is too long', error('upstream_rate_limit_requests', { retryAfterMs: 60_000 }), {}, 0, null],
    ['others are asked before anyone waits', error('upstream_overloaded', { retryAfterMs: 1000 }), { last: false }, 0, null],
    ['unless the wait is short', error('upstream_overloaded', { retryAfterMs: 200 }), { last: false }, 0, 200],
    ['a connection that broke, at once', broken, { last: false }, 0, 0],
    ['or a little later', broken, { last: false }, 0.5, 50],
    ['none could be made', error('upstream_unreachable', { unanswered: true }), { tries: 2 }, 0.5, 100],
    ['none in time', error('upstream_timeout', { unanswered: true }), {}, 0, null],
    ['an answer that broke off', error('upstream_truncated'), {}, 0, null],
    ['silence', error('upstream_timeout'), {}, 0, null],
    ['garbage', error('upstream_invalid_response'), {}, 0, null],
    ['a bad key', error('upstream_auth'), {}, 0, null],
    ['no money', error('upstream_out_of_credit'), {}, 0, null],
    ['the content', new OpenAIError('content_filter', ''), {}, 0, null],
    ['the caller', new OpenAIError('invalid_value', ''), {}, 0, null],
    ["the configuration's own limits", error('backend_limit_requests', { retryAfterMs: 100 }), {}, 0, null],
    ['no retries', broken, { retries: 0 }, 0, null],
    ['the last of them', broken, { tries: 3 }, 0, 0],
    ['none left', broken, { tries: 4 }, 0, null],
    ['not beyond the deadline', error('upstream_overloaded', { retryAfterMs: 1000 }), { leftMs: 1000 }, 0, null],
    ['just within it', error('upstream_overloaded', { retryAfterMs: 1000 }), { leftMs: 1001 }, 0, 1000],
  ])('%s', (_name, failure, standing, random, expected) => {
    expect(wait(failure, standing, random)).toBe(expected);
  });
});

test.each<[ErrorName, ErrorDetails, boolean | undefined, boolean]>([
  ['upstream_auth', { fallback: true }, undefined, true],
  ['invalid_value', {}, true, false],
  ['content_filter', {}, undefined, false],
  ['content_filter', {}, false, false],
  ['content_filter', {}, true, true],
])('%s %o, moderationFallback %s: another backend %s', (kind, details, moderationFallback, expected) => {
  expect(mayFallBack(new OpenAIError(kind, '', details), moderationFallback === undefined ? {} : { moderationFallback })).toBe(expected);
});
