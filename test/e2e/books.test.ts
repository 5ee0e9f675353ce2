import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Rig, startRig, user } from './rig.ts';
import { BOTH, TIME, WEATHER } from './tools.ts';
import { VENDOR_CASES } from './vendors.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({
    configExtra: { models: { 'may-fall-back': ['ernie/ernie-4.5-turbo-128k', 'glm/glm-4.6'] } },
    keyOptions: { drain: { onDisconnect: 'drain' } },
  });
});
afterAll(() => rig.close());

interface Sums {
  requests: number;
  prompt_tokens: number;
  paid_prompt_tokens: number;
  completion_tokens: number;
  cached_tokens: number;
  reasoning_tokens: number;
  failed_requests: number;
  estimated_requests: number;
  cost: Record<string, string>;
}

const used = async (key: string): Promise<Sums> => {
  const answer = await rig.raw(undefined, { key, method: 'GET', path: '/v1/estafet/usage' });
  expect(answer.status, answer.text).toBe(200);
  return answer.json()['all'] as Sums;
};

test('after mixed traffic the books say what the vendors counted, to the token', async () => {
  const asked: Promise<unknown>[] = [];
  for (const { chat, model, thinker } of VENDOR_CASES) {
    for (const stream of [false, true]) {
      asked.push(
        rig.raw({ model: chat, messages: [user('Hello there')], stream }),
        rig.raw({ model, messages: [user('A second one, 你好世界')], stream, max_tokens: 7 }, { key: 'other' }),
        rig.raw({ model: thinker, messages: [user('Think about lighthouses')], stream, reasoning_effort: 'high' }),
        rig.raw({ model: chat, messages: [user(BOTH)], tools: [WEATHER, TIME], stream }),
        // Vendors without `n` are asked several times, and count the prompt each time.
        rig.raw({ model: chat, messages: [user('Three of these')], n: 3, stream }, { key: 'other' }),
        rig.raw({ model: 'may-fall-back', messages: [user('[[sim:overload]] elsewhere')], stream }),
        // The model will not call although it must: asked twice, thrown away twice, and billed twice.
        rig.raw({ model: 'glm-chat', messages: [user('[[sim:leak-call]]')], tools: [WEATHER], tool_choice: 'required', stream }),
        rig.raw({ model: 'no-such-model', messages: [user('refused')], stream }),
        rig.raw({ model: chat, messages: 'refused', stream }),
      );
    }
    const left = rig.client({ key: 'drain' }).chat.completions.create({
      model: chat,
      messages: [user('[[sim:tokens n=40]] [[sim:slow chunkMs=2]]')],
      stream: true,
    });
    asked.push(
      left.then(async (stream) => {
        for await (const _ of stream) break;
      }),
    );
  }
  await Promise.all(asked);
  await expect.poll(() => rig.records.filter(({ key }) => key === 'drain').length, { timeout: 5_000 }).toBe(3);

  const keys = await Promise.all(['main', 'other', 'drain'].map(used));
  const sum = (field: keyof Omit<Sums, 'cost'>): number => keys.reduce((total, sums) => total + sums[field], 0);
  const counted = rig.simulator.usage();
  const vendors = (field: 'promptTokens' | 'completionTokens' | 'cachedTokens'): number =>
    counted.reduce((total, row) => total + row[field], 0);
  expect(sum('estimated_requests')).toBe(0);
  expect(sum('paid_prompt_tokens')).toBe(vendors('promptTokens'));
  expect(sum('completion_tokens')).toBe(vendors('completionTokens'));
  expect(sum('cached_tokens')).toBe(vendors('cachedTokens'));
  // Ernie's own models count their thinking among the completion, and do not tell how much it was.
  const told = counted.filter(({ vendor }) => vendor !== 'ernie').reduce((total, row) => total + row.reasoningTokens, 0);
  expect(sum('reasoning_tokens')).toBe(told);
  expect(sum('reasoning_tokens')).toBeGreaterThan(0);
  expect(sum('paid_prompt_tokens')).toBeGreaterThan(sum('prompt_tokens'));
  // And what the log's records say, request by request.
  expect(sum('requests')).toBe(rig.records.length);
  const nano = (text: string): bigint =>
    BigInt(text.replace(/^(\d+)\.(\d+)$/, (_, whole: string, part: string) => whole + part.padEnd(9, '0')));
  const thrown = rig.records.flatMap(({ attempts }) => attempts.flatMap(({ discarded }) => discarded ?? []));
  expect(thrown.length).toBeGreaterThanOrEqual(12);
  const costs = [...rig.records, ...thrown].reduce((total, { cost }) => total + BigInt(cost?.amountNano ?? 0), 0n);
  expect(keys.reduce((total, { cost }) => total + nano(cost['CNY'] ?? '0.00'), 0n)).toBe(costs);
  expect(costs).toBeGreaterThan(0n);
});

test('a stream that the relay cut is in the books as an estimate, not for free', async () => {
  const before = await used('main');
  const stream = await rig.client().chat.completions.create({
    model: 'qwen-chat',
    messages: [user('[[sim:tokens n=500]] [[sim:slow chunkMs=5]]')],
    stream: true,
  });
  let seen = 0;
  for await (const _ of stream) if (++seen === 10) break;
  await expect.poll(() => rig.records.at(-1)?.reason, { timeout: 2_000 }).toBe('client_gone');
  const after = await used('main');
  expect(after.estimated_requests).toBe(before.estimated_requests + 1);
  expect(after.completion_tokens).toBeGreaterThanOrEqual(before.completion_tokens + 8);
});

test('a key sees its own sums, whatever it writes into the request', async () => {
  const other = await used('other');
  const main = await used('main');
  expect(other.requests).not.toBe(main.requests);
  for (const path of ['/v1/estafet/usage?key=main&team=all', '/estafet/usage?by=key', '/v1/v1/estafet/usage']) {
    const answer = await rig.raw(undefined, { key: 'other', method: 'GET', path, headers: { 'x-estafet-key': 'main' } });
    expect(answer.json()).toMatchObject({
      object: 'estafet.usage',
      key: 'other',
      team: 'all',
      all: other,
      today: other,
      this_month: other,
    });
  }
  const refused = await rig.raw(undefined, { method: 'GET', path: '/v1/estafet/usage', headers: { authorization: 'Bearer sk-nobody' } });
  expect(refused.status).toBe(401);
  expect((await rig.raw({}, { path: '/v1/estafet/usage' })).status).toBe(405);
});
