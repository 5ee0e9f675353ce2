/** Whatever `/v1/models` lists answers what it is for: nothing is offered that the vendors (here the simulated ones) do not have. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Rig, startRig, user } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());

test('every listed model answers, on the path of its kind', async () => {
  const { data } = await rig.client().models.list();
  expect(data.length).toBeGreaterThan(50);
  const asked = await Promise.all(
    data.map(async ({ id }) => {
      const chat = await rig.raw({ model: id, messages: [user('x')] });
      if (chat.status === 200) return [];
      const embeddings = await rig.raw({ model: id, input: 'x' }, { path: '/v1/embeddings' });
      if (embeddings.status === 200) return [];
      const rerank = await rig.raw({ model: id, query: 'x', documents: ['x', 'y'] }, { path: '/v1/rerank' });
      return rerank.status === 200 ? [] : [`${id}: ${chat.text} ${embeddings.text} ${rerank.text}`];
    }),
  );
  expect(asked.flat()).toEqual([]);
});
