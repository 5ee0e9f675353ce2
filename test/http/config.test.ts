import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkErrorResponse, checkHeaders } from '../contract/openai-schema.ts';
import { configOf, type Desk, digestOf, KEY, openRelay } from './desk.ts';

const TOKEN = 'admin-token-0123456789abcdef0123456789';
const MODEL_KEY = 'sk-of-the-vendor-0123456789';
const text = (admin: string, rpm: number): string => `server: { port: 0${admin} }
backends: { q: { vendor: qwen, baseUrl: 'http://127.0.0.1:9/v1', apiKey: 'env:Q' } }
models: { gpt-4o: [q/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] }, limits: { rpm: ${rpm} } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
`;
const env = { Q: MODEL_KEY, A: TOKEN };
const ADMIN = ", admin: { token: 'env:A' }";

let open: Desk;
let closed: Desk;
beforeAll(async () => {
  open = await openRelay(configOf(text(ADMIN, 7), env));
  closed = await openRelay(configOf(text('', 7), env));
});
afterAll(async () => {
  await open.close();
  await closed.close();
});

const get = (desk: Desk, token: string | null, path = '/v1/estafet/config', method = 'GET') =>
  fetch(desk.url + path, { method, headers: token === null ? {} : { authorization: `Bearer ${token}` } });

test.each(['/v1/estafet/config', '/estafet/config', '/v1/v1/estafet/config'])(
  '%s: the configuration in force, without a secret',
  async (path) => {
    const answer = await get(open, TOKEN, path);
    expect(answer.status).toBe(200);
    expect(checkHeaders(answer.headers, 'json')).toEqual([]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const body = await answer.text();
    expect(JSON.parse(body)).toMatchObject({
      object: 'estafet.config',
      config: { teams: { t: { limits: { rpm: 7 } } }, keys: [{ name: 'app' }] },
    });
    for (const secret of [TOKEN, MODEL_KEY, KEY, digestOf(KEY).slice(7)]) expect(body).not.toContain(secret);
  },
);

test('its fingerprints are others each time', async () => {
  const [one, other] = await Promise.all([get(open, TOKEN), get(open, TOKEN)]);
  expect(await one.text()).not.toBe(await other.text());
});

test.each<[string, string | null]>([
  ['nothing', null],
  ["a caller's key", KEY],
  ['the key of a backend', MODEL_KEY],
  ['the beginning of the token', TOKEN.slice(0, -1)],
  ['more than the token', `${TOKEN}x`],
  ['an empty token', ''],
])('%s opens nothing', async (_what, token) => {
  const answer = await get(open, token);
  expect(answer.status).toBe(401);
  const body = (await answer.json()) as Record<string, unknown>;
  expect(checkErrorResponse(401, body)).toEqual([]);
  expect(JSON.stringify(body)).not.toContain('teams');
});

test('without a token in the configuration there is no such path, whatever is shown', async () => {
  for (const token of [null, KEY, TOKEN, '']) {
    const answer = await get(closed, token);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: { code: null, message: 'Invalid URL (GET /v1/estafet/config)' } });
  }
});

test('the token opens nothing else', async () => {
  for (const path of ['/v1/models', '/v1/estafet/usage', '/v1/estafet/limits']) expect((await get(open, TOKEN, path)).status).toBe(401);
  expect((await get(open, TOKEN, undefined, 'POST')).status).toBe(405);
});

test('after a reload it is the new one, and so is its token', async () => {
  const desk = await openRelay(configOf(text(ADMIN, 7), env));
  await desk.relay.apply(configOf(text(ADMIN, 9), { ...env, A: `${TOKEN}-next` }));
  expect((await get(desk, TOKEN)).status).toBe(401);
  expect(await (await get(desk, `${TOKEN}-next`)).json()).toMatchObject({ config: { teams: { t: { limits: { rpm: 9 } } } } });
  await desk.relay.apply(configOf(text('', 9), env));
  expect((await get(desk, TOKEN)).status).toBe(404);
  await desk.close();
});

test('a short token is refused', () => {
  expect(() => configOf(text(ADMIN, 7), { ...env, A: 'a'.repeat(31) })).toThrow('server.admin.token: must have at least 32 characters');
});
