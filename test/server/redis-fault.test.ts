import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RedisFaults } from '../../server/redis-fault.ts';

const coded = (code: string, message = `read ${code}`) => Object.assign(new Error(message), { code });
const CLOSED = new Error('Connection is closed.');
const REFUSED = 'it refuses the client certificate, which has expired (ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED)';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

describe.each([
  ['ECONNRESET', true, 'read ECONNRESET; perhaps it asks for a client certificate, or refuses the one it is shown'],
  ['EPIPE', true, 'read EPIPE; perhaps it asks for a client certificate, or refuses the one it is shown'],
  ['ECONNRESET', false, 'read ECONNRESET; does this port ask for TLS (`rediss`)?'],
  ['EPIPE', false, 'read EPIPE'],
])('%s, over TLS: %s', (code, tls, words) => {
  test('is told with what may be behind it', () => {
    const faults = new RedisFaults(tls);
    faults.note(coded(code));
    expect(faults.told(CLOSED)).toBe(`Connection is closed. Cause: ${words}`);
  });
});

describe('what a server says of a certificate', () => {
  const refused = coded('ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'somewhere in openssl');

  test('is not forgotten for a reset that comes after it', () => {
    const faults = new RedisFaults(true);
    faults.note(refused);
    vi.advanceTimersByTime(9_000);
    faults.note(coded('ECONNRESET'));
    expect(faults.told(CLOSED)).toBe(`Connection is closed. Cause: ${REFUSED}`);
  });

  test.each([
    ['ten seconds later', () => void vi.advanceTimersByTime(10_001), coded('ECONNRESET')],
    ['another cause', () => {}, coded('ECONNREFUSED')],
    ['a connection in between', (faults: RedisFaults) => faults.forget(), coded('ECONNRESET')],
  ])('gives way: %s', (_, between, next) => {
    const faults = new RedisFaults(true);
    faults.note(refused);
    between(faults);
    faults.note(next);
    expect(faults.told(CLOSED)).toContain(`Cause: ${next.message}`);
  });
});
