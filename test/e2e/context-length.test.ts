import { afterAll, beforeAll, expect, test } from 'vitest';
import { chat, digestOf, KEY, openSimulated, type SimulatedDesk } from '../http/desk.ts';

let desk: SimulatedDesk;
beforeAll(async () => {
  desk = await openSimulated(
    '',
    `models:
  short: [qwen/qwen-plus]
  either: [qwen/qwen-plus, glm/glm-4.6]
catalog:
  qwen/qwen-plus: { contextTokens: 1000 }
teams: { t: { permit: { vendors: [qwen, glm], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
`,
  );
});
afterAll(() => desk.close());

const LONG = [{ role: 'user', content: 'word '.repeat(2_000) }];

test('a prompt beyond the context is refused, and no backend hears of it', async () => {
  const answer = await chat(desk, { model: 'short', messages: LONG });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error: { code: 'context_length_exceeded', param: 'messages' } });
  expect(desk.records.at(-1)).toMatchObject({
    reason: 'refused',
    usage: null,
    cost: null,
    attempts: [{ error: 'context_length_exceeded', upstreamCode: null }],
  });
});

test('a candidate with a longer context answers', async () => {
  const answer = await chat(desk, { model: 'either', messages: LONG });
  expect([answer.status, answer.headers.get('x-estafet-backend')]).toEqual([200, 'glm']);
  await answer.text();
  expect(desk.records.at(-1)?.attempts).toHaveLength(1);
});

test('a short prompt goes to the first', async () => {
  const answer = await chat(desk, { model: 'either', messages: [{ role: 'user', content: 'Hi' }] });
  expect(answer.headers.get('x-estafet-backend')).toBe('qwen');
  await answer.text();
});
