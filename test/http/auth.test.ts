import request from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RouteDeps } from '../../routes/http/deps.ts';
import { routeSpecs } from '../../server/app.ts';
import { checkErrorResponse, checkHeaders } from '../contract/openai-schema.ts';
import { chat, digestOf, KEY, openSimulated, type SimulatedDesk } from './desk.ts';

const OLD_KEY = 'sk-test-key-that-has-expired-0001';

const HELLO = { model: 'qwen-plus', messages: [{ role: 'user', content: 'Hello' }] };

let desk: SimulatedDesk;
beforeAll(async () => {
  desk = await openSimulated(
    '',
    `teams:
  t: { permit: { vendors: [qwen], regions: ['*'] } }
  nothing: {}
keys:
  - { name: app, team: t, key: '${digestOf(KEY)}' }
  - { name: old, team: t, key: '${digestOf(OLD_KEY)}', expires: 2020-01-01T00:00:00Z }
`,
  );
});
afterAll(() => desk.close());

async function ask(headers: Record<string, string>, path = '/v1/chat/completions', body: unknown = HELLO): Promise<Response> {
  return fetch(desk.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

async function unauthorized(answer: Response, code: string | null): Promise<string> {
  const text = await answer.text();
  const body = JSON.parse(text) as { error: { code: unknown; type: unknown; message: string } };
  expect(checkErrorResponse(answer.status, body)).toEqual([]);
  expect(checkHeaders(answer.headers, 'json')).toEqual([]);
  expect(answer.status).toBe(401);
  expect(body.error).toMatchObject({ code, type: 'invalid_request_error', param: null });
  expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  expect(desk.simulator.journal()).toHaveLength(0);
  return body.error.message;
}

describe('no key', () => {
  const basic = Buffer.from(`user:${KEY}`).toString('base64');
  test.each<[string, Record<string, string>, string?, object?]>([
    ['nothing at all', {}],
    ['an empty header', { authorization: '' }],
    ['the word alone', { authorization: 'Bearer' }],
    ['the word and a space', { authorization: 'Bearer ' }],
    ['the key alone', { authorization: KEY }],
    ['Basic', { authorization: `Basic ${basic}` }],
    ['another scheme', { authorization: `Token ${KEY}` }],
    ['two words behind Bearer', { authorization: `Bearer ${KEY} ${KEY}` }],
    ['a list of credentials', { authorization: `Bearer x, Bearer ${KEY}` }],
    ['the key in x-api-key', { 'x-api-key': KEY }],
    ['the key in api-key', { 'api-key': KEY }],
    ['the key in proxy-authorization', { 'proxy-authorization': `Bearer ${KEY}` }],
    ['the key in a cookie', { cookie: `authorization=Bearer ${KEY}; api_key=${KEY}` }],
    ['the key in the query', {}, `/v1/chat/completions?api_key=${KEY}&key=${KEY}&access_token=${KEY}`],
    ['the key in the body', {}, '/v1/chat/completions', { ...HELLO, api_key: KEY, authorization: `Bearer ${KEY}` }],
  ])('%s', async (_name, headers, path, body) => {
    const message = await unauthorized(await ask(headers, path, body), null);
    expect(message).not.toContain(KEY);
  });
});

describe('a wrong key', () => {
  test.each([
    'sk-short',
    'x',
    'sk-proj-abcdefghijklmnopqrstuvwxyz0123456789',
    `${KEY}x`,
    KEY.slice(0, -1),
    KEY.toUpperCase(),
    OLD_KEY,
    'constructor',
    '__proto__',
    'k'.repeat(8_000),
  ])('%s', async (key) => {
    const message = await unauthorized(await ask({ authorization: `Bearer ${key}` }), 'invalid_api_key');
    expect(message).not.toContain(key.length > 2 ? key : `: ${key}.`);
    const shown = /provided: (\S+)\. /.exec(message)?.[1] ?? '';
    const [start = '', end = ''] = shown.split(/\*+/);
    expect(start.length).toBeLessThanOrEqual(4);
    expect(end.length).toBeLessThanOrEqual(4);
    expect(start.length + end.length).toBeLessThanOrEqual(key.length / 3);
    expect(key.startsWith(start) && key.endsWith(end)).toBe(true);
    expect(message.length).toBeLessThan(200);
  });

  test('a key of other bytes than ASCII is shown in printable ones', async () => {
    const message = await unauthorized(
      await ask({ authorization: 'Bearer \u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9' }),
      'invalid_api_key',
    );
    expect(message).toMatch(/^[\x20-\x7e]+$/);
  });

  test('no refused key is in the log', () => {
    expect(desk.log.length).toBeGreaterThan(10);
    const log = JSON.stringify(desk.log);
    expect(log).not.toContain(KEY);
    expect(log).not.toContain(OLD_KEY);
    expect(log).not.toContain('abcdefghijklmnopqrstuvwxyz');
  });
});

test.each(['bearer', 'BEARER', 'Bearer  '])('the scheme in the form "%s"', async (scheme) => {
  const answer = await ask({ authorization: `${scheme} ${KEY}` });
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();
  desk.simulator.reset();
});

test('the key is checked before the body: a caller without one learns nothing of limits or models', async () => {
  const headers = { 'content-type': 'application/json', authorization: 'Bearer wrong-key-wrong-key' };
  for (const body of ['{', JSON.stringify({ model: 'nope' }), 'x'.repeat(20 * 1024 * 1024)]) {
    const answer = await fetch(`${desk.url}/v1/chat/completions`, { method: 'POST', headers, body });
    expect(answer.status).toBe(401);
    await answer.arrayBuffer();
  }
});

describe('every route', () => {
  const current = () => {
    throw new Error('not called');
  };
  const specs = routeSpecs({ current, records: undefined } as unknown as RouteDeps);

  test('says who may call', () => {
    expect(specs.length).toBeGreaterThanOrEqual(5);
    for (const { guard } of specs) expect(['key', 'token', 'public']).toContain(guard);
    expect(specs.filter(({ guard }) => guard === 'public').map(({ path }) => path)).toEqual(['/healthz', '/readyz']);
  });

  test.each(specs.flatMap((spec) => ['/v1', '', '/v1/v1'].map((base) => [`${spec.method} ${base}${spec.path}`, base, spec] as const)))(
    '%s',
    async (_name, base, { method, path, guard }) => {
      const real = base + path.replace('*id', 'qwen-plus').replace(':id', `req_${'0'.repeat(32)}`);
      const answer = await request(desk.url)[method](real).set('content-type', 'application/json').send();
      if (guard === 'public') expect(answer.status).toBe(200);
      // No token is configured here: nobody has one.
      else if (guard === 'token') expect(answer.status).toBe(404);
      else {
        expect(answer.status).toBe(401);
        expect(checkErrorResponse(answer.status, answer.body)).toEqual([]);
      }
      expect(checkHeaders(answer.headers, 'json')).toEqual([]);
      const known = await request(desk.url)
        [method](real)
        .set({ authorization: `Bearer ${KEY}`, 'content-type': 'application/json' })
        .send();
      expect(known.status).not.toBe(401);
    },
  );
});

test('a good key still works', async () => {
  desk.simulator.reset();
  const answer = await chat(desk, HELLO);
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();
  desk.simulator.reset();
});
