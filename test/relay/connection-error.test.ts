import { describe, expect, test } from 'vitest';
import { connectionError, type Reached } from '../../relay/upstream/connection-error.ts';

const failed = (code: string, reached: Reached) => connectionError(Object.assign(new Error('10.0.0.1'), { code }), reached);

describe('what became of a call whose connection failed', () => {
  test.each<[string, Reached, string, true | undefined]>([
    ['ECONNREFUSED', 'unsent', 'upstream_unreachable', true],
    ['UND_ERR_CONNECT_TIMEOUT', 'unsent', 'upstream_timeout', true],
    // Before anything was sent, all of these are connections that could not be made.
    ['ECONNRESET', 'unsent', 'upstream_unreachable', true],
    ['ETIMEDOUT', 'unsent', 'upstream_unreachable', true],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'unsent', 'upstream_unreachable', true],
    ['ECONNRESET', 'unanswered', 'upstream_truncated', true],
    ['ETIMEDOUT', 'unanswered', 'upstream_timeout', true],
    // The way to it is gone, but it may have what was sent.
    ['EHOSTUNREACH', 'unanswered', 'upstream_truncated', true],
    ['EHOSTUNREACH', 'answered', 'upstream_truncated', undefined],
    ['ECONNRESET', 'answered', 'upstream_truncated', undefined],
    ['HPE_INVALID_CONSTANT', 'answered', 'upstream_invalid_response', undefined],
  ])('%s, %s: %s', (code, reached, kind, unanswered) => {
    const error = failed(code, reached);
    expect(error).toMatchObject({ kind, details: { fallback: true, upstreamCode: code } });
    expect(error.details.unanswered).toBe(unanswered);
    expect(JSON.stringify(error)).not.toContain('10.0.0.1');
  });
});
