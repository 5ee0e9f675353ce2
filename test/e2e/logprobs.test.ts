/** Probabilities of tokens, over both protocols of the vendor that tells them: they come with the text they belong to, and with no other. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Rig, startRig, user } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  const url = { simulated: 'qwen' as const, vendor: 'qwen', region: 'cn-beijing', protocol: 'native' };
  rig = await startRig({ configExtra: { backends: { 'qwen-own': url } } });
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

const said = (text: string) => [user(`[[sim:say text=${JSON.stringify(text)}]]`)];
interface Told {
  readonly token: string;
  readonly top_logprobs: readonly unknown[];
}

describe.each(['qwen/qwen-plus', 'qwen-own/qwen-plus'])('%s', (model) => {
  test.each<[string, object, string, string]>([
    ['a text', {}, 'It rains in 杭州 today.', 'It rains in 杭州 today.'],
    ['JSON after prose', { response_format: { type: 'json_object' } }, 'As json: {"a": 1} there.', '{"a": 1}'],
    ['a stop word', { stop: ['today'] }, 'It rains today.', 'It rains '],
  ])('%s, whole and in a stream', async (_name, more, says, content) => {
    const ask = { model, messages: said(says), reasoning_effort: 'none' as const, logprobs: true, top_logprobs: 2, ...more };
    const whole = await rig.client().chat.completions.create(ask);
    const list = (whole.choices[0]?.logprobs?.content ?? []) as Told[];
    expect(whole.choices[0]?.message.content).toBe(content);
    expect(list.map(({ token }) => token).join('')).toContain(content.trim());
    expect(list.map(({ token }) => token).join('').length).toBeLessThanOrEqual(content.length + 1);
    expect(list.every(({ top_logprobs: top }) => top.length === 2)).toBe(true);

    const told: Told[] = [];
    for await (const { choices } of await rig.client().chat.completions.create({ ...ask, stream: true }))
      told.push(...((choices[0]?.logprobs?.content ?? []) as Told[]));
    expect(told).toEqual(list);
    expect((await rig.raw({ ...ask, stream: true })).stream().problems).toEqual([]);
  });

  test('none unless asked for', async () => {
    const { choices } = await rig.client().chat.completions.create({ model, messages: said('Hi'), reasoning_effort: 'none' });
    expect(choices[0]?.logprobs).toBeNull();
  });
});

test('a model that gives none: the receipt says so', async () => {
  const answer = await rig.raw({ model: 'qwen/qwen3.7-plus', messages: said('Hi'), reasoning_effort: 'none', logprobs: true });
  expect(answer.status, answer.text).toBe(200);
  expect(answer.headers.get('x-estafet-receipt')).toContain('logprobs=dropped');
});
