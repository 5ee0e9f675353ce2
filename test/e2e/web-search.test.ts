import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Rig, startRig, user } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ keyOptions: { strict: { strict: true } } });
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

const page = (url: string, title: string, start: number, end: number) => ({
  type: 'url_citation',
  url_citation: { start_index: start, end_index: end, url, title },
});
const SAY = '[[sim:say text="It rains"]]';

/** [model, what it says, its pages]; Qwen's are in `native-wire.test.ts`. */
test.each([
  [
    'ernie-chat',
    'It rains^[1]^',
    [1, 2, 3].map((index) => [`https://baike.example.com/item/${index}`, index === 1 ? [9, 12] : [13, 13]] as const),
  ],
  ['glm-chat', 'It rains', [1, 2, 3].map((index) => [`https://example.org/search/${index}`, [8, 8]] as const)],
])('%s: the pages of a web search come as annotations, whole and in a stream', async (model, content, pages) => {
  const ask = { model, messages: [user(SAY)], web_search_options: {} };
  const annotations = pages.map(([url, [start, end]]) => page(url, expect.any(String), start as number, end as number));
  const whole = await rig.client().chat.completions.create(ask);
  expect(whole.choices[0]?.message).toMatchObject({ content, annotations });
  const deltas: unknown[] = [];
  for await (const { choices } of await rig.client().chat.completions.create({ ...ask, stream: true })) {
    const delta = choices[0]?.delta as { annotations?: unknown[] } | undefined;
    deltas.push(...(delta?.annotations ?? []));
  }
  expect(deltas).toEqual(annotations);
  expect((await rig.raw({ ...ask, stream: true })).stream().problems).toEqual([]);
  expect((await rig.raw(ask, { key: 'strict' })).status).toBe(200);
});

test.each(['ernie-chat', 'glm-chat'])('%s: a place that the vendor cannot be told is refused for a strict key', async (model) => {
  const ask = {
    model,
    messages: [user(SAY)],
    web_search_options: { user_location: { type: 'approximate', approximate: { city: 'Łódź' } } },
  };
  const answer = await rig.raw(ask, { key: 'strict' });
  expect([answer.status, answer.json()]).toMatchObject([400, { error: { param: 'web_search_options.user_location' } }]);
});

test('a model that cannot search answers without, and says so', async () => {
  const answer = await rig.raw({ model: 'glm/glm-4.6v', messages: [user(SAY)], web_search_options: {} });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('x-estafet-receipt')).toContain('web_search_options=dropped');
});
