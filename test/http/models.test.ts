import request from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkErrorResponse, validateModel, validateModelList } from '../contract/openai-schema.ts';
import { KEY, type SimulatedDesk } from './desk.ts';

import { GPT_ONLY, NOTHING, OUTSIDE, openSurface } from './surface-desk.ts';

let desk: SimulatedDesk;
beforeAll(async () => {
  desk = await openSurface();
});
afterAll(() => desk.close());

const get = (path: string, key = KEY) => request(desk.url).get(path).set('authorization', `Bearer ${key}`);

describe('models', () => {
  test('the list is OpenAI\u2019s, and only what the key can use', async () => {
    const answer = await get('/v1/models');
    expect(answer.status).toBe(200);
    expect(validateModelList(answer.body)).toEqual([]);
    const { data } = answer.body as { data: { id: string; owned_by: string }[] };
    const ids = data.map(({ id }) => id);
    expect(ids).toContain('gpt-4o');
    expect(ids).toContain('house/chat:latest');
    expect(ids).toContain('qwen-plus');
    expect(ids).toContain('glm-4.6');
    expect(ids).not.toContain('o*');
    expect(ids.filter((id) => id.startsWith('ernie'))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(data.map(({ owned_by }) => owned_by))).toEqual(new Set(['estafet', 'qwen', 'glm']));
  });

  test('what is listed can be asked for one by one', async () => {
    const { data } = (await get('/v1/models')).body as { data: { id: string }[] };
    for (const entry of data) {
      const answer = await get(`/v1/models/${encodeURIComponent(entry.id)}`);
      expect(answer.status, entry.id).toBe(200);
      expect(validateModel(answer.body)).toEqual([]);
      expect(answer.body).toEqual(entry);
    }
  });

  test('the same at each call, also where weights draw', async () => {
    const first = (await get('/v1/models')).text;
    for (let round = 0; round < 12; round++) expect((await get('/v1/models')).text).toBe(first);
  });

  test.each([
    ['raw', '/v1/models/house/chat:latest'],
    ['encoded', '/v1/models/house%2Fchat%3Alatest'],
    ['half encoded', '/models/house/chat%3alatest'],
    ['with a query', '/v1/models/house%2Fchat:latest?x=1'],
  ])('an id with slash and colon, %s', async (_name, path) => {
    const answer = await get(path);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ id: 'house/chat:latest', object: 'model', owned_by: 'estafet' });
  });

  test.each([
    ['a listed one', 'qwen/qwen-plus', 'qwen'],
    ['one that the catalogue has not, of a form that the vendor has', 'qwen/qwen-plus-2099-01-01', 'qwen'],
    ['an embedding model of such a form', 'qwen/text-embedding-v99', 'qwen'],
    ['of any form, but a candidate of the configuration', 'glm/house-tuned', 'glm'],
  ])('a model pinned to a backend: %s', async (_name, id, vendor) => {
    const answer = await get(`/v1/models/${id}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ id, owned_by: vendor });
  });

  test.each([
    ['a name the relay has not', 'nope'],
    ['one that a backend cannot have, as far as its form tells', 'qwen/anything'],
    ['one that another backend has', 'qwen/house-tuned'],
    ['a model of another vendor', 'qwen/glm-4.6'],
    ['a vendor that is not permitted', 'ernie-5.1'],
    ['its backend', 'ernie/ernie-5.1'],
    ['a prototype name', '__proto__'],
    ['constructor', 'constructor'],
    ['hasOwnProperty', 'hasOwnProperty'],
    ['a pattern as it stands in the file', 'x*'],
    ['line breaks', 'a%0d%0ab'],
    ['a NUL', 'a%00b'],
    ['a path', '..%2f..%2fetc%2fpasswd'],
  ])('404 for %s', async (_name, id) => {
    const answer = await get(`/v1/models/${id}`);
    expect(answer.status).toBe(404);
    expect(checkErrorResponse(404, answer.body)).toEqual([]);
    expect(answer.body.error.code).toBe('model_not_found');
    expect(answer.body.error.message).not.toMatch(/\p{Cc}/u);
  });

  test('a key that may ask for fewer names', async () => {
    const { data } = (await get('/v1/models', GPT_ONLY)).body as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(['gpt-4o', 'gpt-4o-mini']);
    expect((await get('/v1/models/gpt-4o', GPT_ONLY)).status).toBe(200);
    expect((await get('/v1/models/qwen-plus', GPT_ONLY)).status).toBe(404);
  });

  test('a team without a permit, a network without a permit', async () => {
    const far = await get('/v1/models', OUTSIDE);
    expect(far.status).toBe(403);
    expect(far.body.error).toMatchObject({ code: 'unsupported_country_region_territory', type: 'request_forbidden' });
    // No permit: no network is permitted either.
    expect((await get('/v1/models', NOTHING)).status).toBe(403);
  });
});
