import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { bearer, zhipuToken } from '../../relay/upstream/credentials.ts';

test('bearer: the key as it is', () => {
  const credentials = bearer('sk-x.y');
  expect([credentials(0), credentials(1e15)]).toEqual(['Bearer sk-x.y', 'Bearer sk-x.y']);
});

describe('Zhipu\u2019s token', () => {
  test('the known token of a known key at a known moment', () => {
    expect(zhipuToken('demoid0001.demosecret')(1_767_225_600_000)).toBe(
      'Bearer eyJhbGciOiJIUzI1NiIsInNpZ25fdHlwZSI6IlNJR04ifQ.eyJhcGlfa2V5IjoiZGVtb2lkMDAwMSIsImV4cCI6MTc2NzIyNTgxMDAwMCwidGltZXN0YW1wIjoxNzY3MjI1NjAwMDAwfQ.xeusBp7iZ_9L5eM83GY19YV9gE1NaYa910OI8YXSOP8',
    );
  });

  test('its parts', () => {
    const [head = '', body = '', signature] = zhipuToken('id.secret')(1_000.7).slice('Bearer '.length).split('.');
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
    expect(read(head)).toEqual({ alg: 'HS256', sign_type: 'SIGN' });
    expect(read(body)).toEqual({ api_key: 'id', exp: 211_000, timestamp: 1_000 });
    expect(signature).toBe(createHmac('sha256', 'secret').update(`${head}.${body}`).digest('base64url'));
  });

  test('kept for 180 s of its 210, made anew then, and when the clock goes back', () => {
    const credentials = zhipuToken('id.secret');
    const first = credentials(1_000_000);
    expect(credentials(1_179_999)).toBe(first);
    const second = credentials(1_180_000);
    expect(second).not.toBe(first);
    expect(credentials(1_300_000)).toBe(second);
    expect(credentials(900_000)).not.toBe(second);
  });

  test('the secret is not in it', () => {
    expect(zhipuToken('id.topsecret')(0)).not.toContain('topsecret');
  });

  test.each(['', 'id', 'id.', '.secret', '.', 'a.b.c', 'a..b'])('"%s" is no such key', (key) => {
    expect(() => zhipuToken(key)).toThrow('id.secret');
  });
});
