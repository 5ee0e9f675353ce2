import { afterAll, beforeAll, expect, test } from 'vitest';
import { foldCompletion, foldStream } from '../contract/openai-schema.ts';
import { type Rig, startRig, user } from './rig.ts';
import { VENDOR_CASES } from './vendors.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());

test('many answers at once do not mix, and each is settled once', async () => {
  const count = 240;
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const chat = VENDOR_CASES[index % VENDOR_CASES.length]?.chat;
      const text = `answer ${index} `.repeat(1 + (index % 20)).trim();
      const stream = index % 2 === 0;
      const messages = [user(`[[sim:say text="${text}"]] [[sim:slow chunkMs=1]]`)];
      const answer = await rig.raw({ model: chat, messages, stream });
      expect(answer.status, answer.text).toBe(200);
      const folded = stream ? foldStream(answer.stream().chunks) : foldCompletion(answer.json());
      expect(folded.choices).toMatchObject([{ content: text, finish_reason: 'stop' }]);
      expect(folded.model).toBe(chat);
    }),
  );
  expect(rig.records).toHaveLength(count);
  expect(new Set(rig.records.map(({ id }) => id)).size).toBe(count);
  const sum = rig.records.reduce((total, { usage }) => total + (usage?.promptTokens ?? 0) + (usage?.completionTokens ?? 0), 0);
  const counted = rig.simulator.usage().reduce((total, row) => total + row.promptTokens + row.completionTokens, 0);
  expect(sum).toBe(counted);
});
