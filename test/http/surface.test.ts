import request from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkErrorResponse, checkHeaders } from '../contract/openai-schema.ts';
import { chat, HELLO, KEY, type SimulatedDesk } from './desk.ts';

import { GPT_ONLY, openSurface } from './surface-desk.ts';

let desk: SimulatedDesk;
beforeAll(async () => {
  desk = await openSurface();
});
afterAll(() => desk.close());

const get = (path: string, key = KEY) => request(desk.url).get(path).set('authorization', `Bearer ${key}`);

describe('paths and methods', () => {
  test.each([
    ['GET', '/'],
    ['GET', '/v1'],
    ['POST', '/v1/nope'],
    ['POST', '/v2/chat/completions'],
    ['POST', '/v1/v1/v1/chat/completions'],
    ['POST', '/V1/Chat/Completions'],
    ['GET', '/v1/%2Fhealthz'],
    ['GET', '/admin'],
    ['OPTIONS', '/v1/nope'],
    ['DELETE', '/v1/files/x'],
  ])('%s %s is unknown', async (method, path) => {
    for (const headers of [{}, { authorization: `Bearer ${KEY}` }]) {
      const answer = await fetch(desk.url + path, { method, headers });
      const sent = new URL(desk.url + path).pathname;
      expect(answer.status).toBe(404);
      expect(checkErrorResponse(404, await answer.json(), { method, path: sent })).toEqual([]);
      expect(checkHeaders(answer.headers, 'json')).toEqual([]);
    }
  });

  test('an unknown HEAD has a length and no body', async () => {
    const answer = await fetch(`${desk.url}/v1/nope`, { method: 'HEAD' });
    expect(answer.status).toBe(404);
    expect(await answer.text()).toBe('');
  });

  test.each([
    ['GET', '/v1/chat/completions', 'POST'],
    ['PUT', '/v1/chat/completions', 'POST'],
    ['OPTIONS', '/v1/chat/completions', 'POST'],
    ['POST', '/v1/models', 'GET, HEAD'],
    ['DELETE', '/v1/models/qwen-plus', 'GET, HEAD'],
    ['OPTIONS', '/models', 'GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['PATCH', `/v1/estafet/requests/req_${'0'.repeat(32)}`, 'GET, HEAD'],
  ])('%s %s is the wrong method; %s is allowed', async (method, path, allow) => {
    const answer = await fetch(desk.url + path, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe(allow);
    expect(checkErrorResponse(405, await answer.json(), { method, path })).toEqual([]);
    expect(checkHeaders(answer.headers, 'json')).toEqual([]);
  });

  test('HEAD of what GET gives', async () => {
    const answer = await fetch(`${desk.url}/v1/models`, { method: 'HEAD', headers: { authorization: `Bearer ${KEY}` } });
    expect(answer.status).toBe(200);
    expect(Number(answer.headers.get('content-length'))).toBeGreaterThan(100);
    expect(await answer.text()).toBe('');
  });

  test.each(['/%', '/v1/%zz', '/v1/chat/completions%', '/%ff', '/v1/nope/%c3%28'])('broken percent-encoding: %s', async (path) => {
    const answer = await fetch(desk.url + path, { headers: { authorization: `Bearer ${KEY}` } });
    expect(answer.status).toBe(404);
    expect(checkErrorResponse(404, await answer.json(), { method: 'GET', path })).toEqual([]);
  });

  test.each(['/v1/models/%', '/v1/models/%E0%A4%A', '/v1/estafet/requests/%ff'])('broken percent-encoding in an id: %s', async (path) => {
    const answer = await fetch(desk.url + path, { headers: { authorization: `Bearer ${KEY}` } });
    expect(answer.status).toBe(404);
    expect(checkErrorResponse(404, await answer.json())).toEqual([]);
  });

  test.each([
    '/v1/chat/completions',
    '/chat/completions',
    '/v1/v1/chat/completions',
    '/v1/chat/completions?api-version=2024-06-01',
    '/v1/chat/completions/',
  ])('chat at %s', async (path) => {
    const answer = await request(desk.url).post(path).set('authorization', `Bearer ${KEY}`).send(HELLO);
    expect(answer.status).toBe(200);
  });

  test('a path of many characters comes back bounded', async () => {
    const answer = await fetch(`${desk.url}/${'x'.repeat(8_000)}`);
    expect(answer.status).toBe(404);
    expect((await answer.text()).length).toBeLessThan(500);
  });
});

describe('health', () => {
  test.each(['/healthz', '/v1/healthz'])('%s needs no key', async (path) => {
    const answer = await request(desk.url).get(path);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ status: 'ok' });
  });
});

test('the log says what happened, and nothing of what was said', async () => {
  desk.log.length = 0;
  const secret = 'the moon is made of green cheese';
  for (const stream of [false, true]) {
    const content = `${secret} [[sim:say text="and so is ${secret}"]]`;
    const answer = await chat(desk, { ...HELLO, stream, user: 'somebody', nonsense: secret, messages: [{ role: 'user', content }] });
    expect(await answer.text()).toContain('moon');
  }
  await (await chat(desk, { ...HELLO, model: 'nope' })).arrayBuffer();
  await (await chat(desk, `{"model": "${secret}`)).arrayBuffer();
  expect(desk.log.map(({ level, msg }) => `${level} ${msg}`)).toEqual(['info request', 'info request', 'debug refused', 'debug refused']);
  expect(desk.log[0]).toMatchObject({
    key: 'app',
    team: 't',
    model: 'gpt-4o',
    status: 200,
    reason: 'done',
    receipt: { changes: expect.arrayContaining([expect.objectContaining({ field: 'nonsense', fate: 'dropped' })]) },
  });
  const text = JSON.stringify(desk.log) + JSON.stringify(desk.records);
  for (const word of ['cheese', 'moon', KEY, desk.simulator.vendors.qwen?.key ?? '?']) expect(text).not.toContain(word);
});

describe('receipts of requests', () => {
  test('by the key that made it, and by no other', async () => {
    const made = await chat(desk);
    await made.arrayBuffer();
    const id = made.headers.get('x-request-id') as string;
    const own = await get(`/v1/estafet/requests/${id}`);
    expect(own.status).toBe(200);
    expect(own.body).toMatchObject({ id, object: 'estafet.request', key: 'app', status: 200, reason: 'done' });
    expect(own.text).not.toContain('Hello');
    const other = await get(`/v1/estafet/requests/${id}`, GPT_ONLY);
    const unknown = await get(`/v1/estafet/requests/req_${'0'.repeat(32)}`);
    expect([other.status, unknown.status]).toEqual([404, 404]);
    expect(other.body).toEqual(unknown.body);
    expect(checkErrorResponse(404, other.body)).toEqual([]);
  });

  test.each(['nope', '__proto__', `req_${'g'.repeat(32)}`, `req_${'0'.repeat(33)}`])('an id that is none: %s', async (id) => {
    expect((await get(`/v1/estafet/requests/${id}`)).status).toBe(404);
  });
});

describe('headers', () => {
  test('nothing that tells of the software, no cookie', async () => {
    for (const path of ['/healthz', '/v1/models', '/v1/nope', '/']) {
      const { headers } = await get(path);
      expect(headers).not.toHaveProperty('x-powered-by');
      expect(headers).not.toHaveProperty('server');
      expect(headers).not.toHaveProperty('set-cookie');
      expect(headers).not.toHaveProperty('etag');
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  });

  test('what the caller says of itself does not reach the backend', async () => {
    desk.simulator.reset();
    const private_ = {
      cookie: 'session=secret-cookie',
      'x-forwarded-for': '203.0.113.9',
      forwarded: 'for=203.0.113.9',
      'x-real-ip': '203.0.113.9',
      'openai-organization': 'org-secret',
      'x-stainless-lang': 'js',
      'x-api-key': 'secret-key',
      'x-dashscope-sse': 'enable',
      'user-agent': 'secret-agent/1.0',
      origin: 'https://secret.example',
      referer: 'https://secret.example/page',
      'x-request-id': 'caller-request-id',
      'accept-language': 'id',
      'x-custom': 'secret-custom',
    };
    const answer = await chat(desk, HELLO, private_);
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
    const entry = desk.simulator.journal()[0];
    const allowed = [
      'authorization',
      'content-type',
      'accept-encoding',
      'user-agent',
      'x-request-id',
      'host',
      'connection',
      'content-length',
    ];
    expect(Object.keys(entry?.headers ?? {}).filter((name) => !allowed.includes(name))).toEqual([]);
    const sent = JSON.stringify(entry?.headers);
    for (const value of Object.values(private_)) expect(sent).not.toContain(value === 'js' || value === 'id' ? `"${value}"` : value);
    // The id is random digits, which may be those of the key.
    expect(sent.replace(entry?.headers['x-request-id'] as string, '')).not.toContain(KEY.slice(-4));
    expect(entry?.headers['user-agent']).toMatch(/^estafet\//);
    expect(entry?.headers['x-request-id']).toBe(answer.headers.get('x-request-id'));
  });

  test.each([false, true])('what the backend says of itself does not reach the caller (stream: %s)', async (stream) => {
    const answer = await chat(desk, { ...HELLO, stream });
    await answer.arrayBuffer();
    const names = [...answer.headers.keys()].filter((name) => name !== 'date' && name !== 'connection' && name !== 'keep-alive');
    const known = [
      'cache-control',
      'content-length',
      'content-type',
      'openai-processing-ms',
      'openai-version',
      'transfer-encoding',
      'x-accel-buffering',
      'x-content-type-options',
      'x-estafet-backend',
      'x-estafet-receipt',
      'x-request-id',
    ];
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
    expect(answer.headers.get('x-estafet-backend')).toBe('qwen');
  });
});
