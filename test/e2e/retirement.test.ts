import { afterAll, beforeAll, expect, test } from 'vitest';
import { chat, digestOf, HELLO, KEY, openSimulated, type SimulatedDesk } from '../http/desk.ts';

let desk: SimulatedDesk;
beforeAll(async () => {
  desk = await openSimulated(
    '',
    `models:
  gone: [qwen/old]
  moved: [qwen/old, glm/glm-4.6]
  going: [qwen/qwen3.7-plus]
catalog:
  qwen/old: { retired: true, replacement: qwen3.8-max }
  qwen/qwen3.7-plus: { shutdown: 2199-12-31, replacement: qwen3.8-plus }
teams: { t: { permit: { vendors: [qwen, glm], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
`,
  );
});
afterAll(() => desk.close());

test('a request for a retired model is told so, and what to ask for', async () => {
  const answer = await chat(desk, { ...HELLO, model: 'gone' });
  expect([answer.status, answer.headers.get('x-should-retry')]).toEqual([502, 'false']);
  expect(await answer.json()).toEqual({
    error: {
      message: 'The model `gone` is not available: `old` was retired by its vendor; its replacement is qwen3.8-max.',
      type: 'server_error',
      param: null,
      code: 'upstream_model_unavailable',
    },
  });
});

test.each([false, true])('a vendor that no longer has the model: what to ask for is named, streamed: %s', async (stream) => {
  const messages = [{ role: 'user', content: 'Hello [[sim:retired]]' }];
  const answer = await chat(desk, { model: 'going', messages, stream });
  expect(answer.status).toBe(502);
  expect(await answer.json()).toMatchObject({
    error: {
      message: expect.stringContaining(' The replacement of `qwen3.7-plus` is qwen3.8-plus.'),
      code: 'upstream_model_unavailable',
    },
  });
});

test('a candidate that is not retired answers', async () => {
  const answer = await chat(desk, { ...HELLO, model: 'moved' });
  expect([answer.status, answer.headers.get('x-estafet-backend')]).toEqual([200, 'glm']);
  await answer.text();
});

test('the list has the day of a shutdown, and leaves out what is gone', async () => {
  const answer = await fetch(`${desk.url}/v1/models`, { headers: { authorization: `Bearer ${KEY}` } });
  const { data } = (await answer.json()) as { data: { id: string }[] };
  const of = (id: string) => data.find((model) => model.id === id);
  expect(of('going')).toEqual({
    id: 'going',
    object: 'model',
    created: expect.any(Number),
    owned_by: 'estafet',
    shutdown_date: '2199-12-31',
  });
  expect(of('moved')).toEqual({ id: 'moved', object: 'model', created: expect.any(Number), owned_by: 'estafet' });
  expect(of('gone')).toBeUndefined();
});

test('the log says so at the start', () => {
  const lines = desk.log.filter(({ msg }) => String(msg).includes('retired'));
  expect(lines).toMatchObject([
    { level: 'error', model: 'gone', candidate: 'qwen/old', replacement: 'qwen3.8-max' },
    { level: 'error', model: 'moved', candidate: 'qwen/old' },
  ]);
});
