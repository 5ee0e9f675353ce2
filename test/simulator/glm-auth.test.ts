import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { accountOf, authenticate, KEYS, keyText } from '../../simulator/glm/keys.ts';
import { glmVendor } from '../../simulator/glm/vendor.ts';
import { chatBody, NOW_MS, openDesk } from './glm-desk.ts';

function jwt(difference: { header?: object; payload?: object; secret?: string } = {}): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = { alg: 'HS256', sign_type: 'SIGN', ...difference.header };
  const payload = { api_key: 'sim-glm-cn-good', exp: NOW_MS + 210_000, timestamp: NOW_MS, ...difference.payload };
  const head = `${encode(header)}.${encode(payload)}`;
  return `${head}.${createHmac('sha256', difference.secret ?? 'secret-cn-good')
    .update(head)
    .digest('base64url')}`;
}

const good = keyText('glm-cn-good');

describe('Authorization header', () => {
  test.each<[string, string | null, number, string | null]>([
    ['the plain key as Bearer', `Bearer ${good}`, 200, null],
    ['a JWT as Bearer', `Bearer ${jwt()}`, 200, null],
    ['a bare JWT', jwt(), 200, null],
    ['a JWT that also says typ', jwt({ header: { typ: 'JWT' } }), 200, null],
    ['no header', null, 401, '1001'],
    ['a blank header', ' ', 401, '1001'],
    ['a key without its dot', 'Bearer nodothere', 401, '1002'],
    ['a key with an empty secret', 'Bearer sim-glm-cn-good.', 401, '1002'],
    ['the plain key without Bearer', good, 401, '1002'],
    ['Bearer and nothing', 'Bearer', 401, '1002'],
    ['three parts that are no JWT', 'Bearer a.b.c', 401, '1002'],
    ['a JWT of another algorithm', jwt({ header: { alg: 'HS512' } }), 401, '1002'],
    ['a JWT without timestamp', jwt({ payload: { timestamp: undefined } }), 401, '1002'],
    ['an unknown id', 'Bearer nobody.secret-cn-good', 401, '1000'],
    ['a wrong secret', 'Bearer sim-glm-cn-good.wrong', 401, '1000'],
    ['the key of the other region', `Bearer ${keyText('glm-intl-good')}`, 401, '1000'],
    ['a JWT of an unknown id', jwt({ payload: { api_key: 'nobody' } }), 401, '1000'],
    ['a JWT signed with another secret', jwt({ secret: 'other' }), 401, '1004'],
    ['a JWT whose exp is over', jwt({ payload: { exp: NOW_MS } }), 401, '1003'],
    ['a JWT with exp in seconds', jwt({ payload: { exp: Math.floor(NOW_MS / 1000) + 210 } }), 401, '1003'],
    ['a JWT five minutes old', jwt({ payload: { timestamp: NOW_MS - 300_000 } }), 200, null],
    ['a JWT older than five minutes', jwt({ payload: { timestamp: NOW_MS - 300_001 } }), 401, '1003'],
    ['a JWT from the future', jwt({ payload: { timestamp: NOW_MS + 300_001 } }), 401, '1003'],
    ['a JWT in microseconds', jwt({ payload: { exp: NOW_MS * 1000 + 1, timestamp: NOW_MS * 1000 } }), 401, '1003'],
  ])('%s', (_, auth, status, code) => {
    const told = openDesk().ask({ auth, body: chatBody() });
    expect(told.status).toBe(status);
    expect(told.json['error']?.['code'] ?? null).toBe(code);
    expect(told.accounting.errorCode).toBe(code);
  });

  test('the HS256 vector of a known key verifies', () => {
    // header {"alg":"HS256","sign_type":"SIGN"}, key demoid0001.demosecret: proves encoding, key order and raw-text secret.
    const vector =
      'eyJhbGciOiJIUzI1NiIsInNpZ25fdHlwZSI6IlNJR04ifQ.eyJhcGlfa2V5IjoiZGVtb2lkMDAwMSIsImV4cCI6MTc2NzIyNTgxMDAwMCwidGltZXN0YW1wIjoxNzY3MjI1NjAwMDAwfQ.xeusBp7iZ_9L5eM83GY19YV9gE1NaYa910OI8YXSOP8';
    const made = jwt({ payload: { api_key: 'demoid0001', exp: 1767225810000, timestamp: 1767225600000 }, secret: 'demosecret' });
    expect(made).toBe(vector);
  });
});

describe('accounts', () => {
  const coding = '/api/coding/paas/v4/chat/completions';
  const payg = '/api/paas/v4/chat/completions';
  test.each([
    ['good', 'glm-4.7', payg, 200, null],
    ['good', 'glm-4.7', coding, 200, null],
    ['second', 'glm-4.7', payg, 200, null],
    ['unfunded', 'glm-4.7', payg, 429, '1113'],
    ['unfunded', 'glm-4.7-flash', payg, 200, null],
    ['plan', 'glm-4.7', payg, 429, '1113'],
    ['plan', 'glm-4.7', coding, 200, null],
    ['plan-expired', 'glm-4.7-flash', payg, 429, '1309'],
    ['locked', 'glm-4.7', payg, 429, '1112'],
  ])('key %s, model %s at %s', (label, model, path, status, code) => {
    for (const region of ['cn', 'intl']) {
      const name = `glm-${region}-${label}`;
      const told = openDesk().ask({ region, path, auth: `Bearer ${keyText(name)}`, body: chatBody({ model }) });
      expect(told.status).toBe(status);
      expect(told.json['error']?.['code'] ?? null).toBe(code);
      expect(told.accounting.keyName).toBe(name);
    }
  });

  test('no key is valid in two regions, and the printed good key is the default region’s', () => {
    for (const key of KEYS) {
      const other = key.region === 'cn' ? 'intl' : 'cn';
      expect(() => authenticate(`Bearer ${keyText(key.name)}`, other, NOW_MS)).toThrow('Authentication failed');
    }
    expect(authenticate(`Bearer ${glmVendor.goodKey}`, glmVendor.regions[0]!, NOW_MS).name).toBe('glm-cn-good');
  });
});

describe('requests in flight', () => {
  const body = chatBody();
  test.each([
    ['the busy key takes one', 'glm-cn-busy', 1, [], null],
    ['the busy key refuses two', 'glm-cn-busy', 2, [], '1302'],
    ['no limit by default', 'glm-cn-good', 500, [], null],
    ['a set limit reached', 'glm-cn-good', 3, [{ name: 'limits', args: { concurrency: '3' } }], null],
    ['a set limit passed', 'glm-cn-good', 4, [{ name: 'limits', args: { concurrency: '3' } }], '1302'],
  ])('%s', (_, name, inFlight, faults, code) => {
    const told = openDesk().ask({ auth: `Bearer ${keyText(name)}`, inFlight, faults, body });
    expect(told.json['error']?.['code'] ?? null).toBe(code);
    expect(told.status).toBe(code === null ? 200 : 429);
  });
});

test('a plain key and the JWTs made from it are one account', () => {
  expect(accountOf(good)).toBe('glm-cn-good');
  expect(accountOf(jwt())).toBe('glm-cn-good');
  expect(accountOf(keyText('glm-cn-second'))).toBe('glm-cn-second');
  expect(accountOf('whatever')).toBe('whatever');
});
