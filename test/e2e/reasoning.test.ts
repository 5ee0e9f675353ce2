import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkCompletion, foldCompletion, foldStream } from '../contract/openai-schema.ts';
import { type Rig, startRig, user } from './rig.ts';
import { VENDOR_CASES } from './vendors.ts';

describe.each(VENDOR_CASES)('$vendor', ({ vendor, thinker }) => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig({
      configExtra: {
        models: {
          'gpt-4o': [`${vendor}/${thinker}`],
          'gpt-4o-thinking': [{ to: `${vendor}/${thinker}`, thinking: 'on' }],
          o3: [`${vendor}/${thinker}`],
          mine: [`${vendor}/${thinker}`],
        },
      },
      keyOptions: { hide: { reasoning: 'hide' } },
    });
  });
  beforeEach(() => rig.reset());
  afterAll(() => rig.close());

  const prompt = '[[sim:think n=25]] [[sim:tokens n=12]]';
  // Qianfan does not tell what part of its count was thinking.
  const told = vendor === 'ernie' ? 0 : 25;

  test('thinking is shown, counted and folded alike', async () => {
    const ask = { model: thinker, messages: [user(prompt)] };
    const whole = await rig.raw(ask);
    expect(checkCompletion(whole.json())).toEqual([]);
    expect(whole.json()).toMatchObject({ usage: { completion_tokens: 37, completion_tokens_details: { reasoning_tokens: told } } });
    rig.reset();
    const seen = (await rig.raw({ ...ask, stream: true, stream_options: { include_usage: true } })).stream(true);
    expect(seen.problems).toEqual([]);
    const folded = foldStream(seen.chunks);
    expect(folded.choices).toEqual(foldCompletion(whole.json()).choices);
    expect(folded.choices[0]?.reasoning_content?.length).toBeGreaterThan(20);
    expect(folded.usage).toMatchObject({ completion_tokens: 37, completion_tokens_details: { reasoning_tokens: told } });
  });

  test('a key that hides reasoning gets none of it and pays for all of it', async () => {
    const ask = { model: thinker, messages: [user(prompt)] };
    const whole = await rig.raw(ask, { key: 'hide' });
    expect(checkCompletion(whole.json())).toEqual([]);
    expect(whole.text).not.toContain('reasoning_content');
    expect(whole.json()).toMatchObject({ usage: { completion_tokens: 37, completion_tokens_details: { reasoning_tokens: told } } });
    rig.reset();
    const stream = await rig.raw({ ...ask, stream: true }, { key: 'hide' });
    const seen = stream.stream();
    expect(seen.problems).toEqual([]);
    expect(stream.text).not.toContain('reasoning_content');
    expect(foldStream(seen.chunks).choices).toEqual(foldCompletion(whole.json()).choices);
    expect(stream.record().usage).toMatchObject({ completionTokens: 37 });
  });

  const thinks = async (body: Record<string, unknown>): Promise<boolean> => {
    const answer = await rig.raw({ messages: [user(prompt)], ...body });
    expect(answer.status, answer.text).toBe(200);
    expect(checkCompletion(answer.json())).toEqual([]);
    return foldCompletion(answer.json()).choices[0]?.reasoning_content !== undefined;
  };

  test.each([
    ['gpt-4o', false],
    ['gpt-4o-thinking', true],
    ['o3', true],
    ['mine', true],
  ])('behind the name %s the model thinks: %s', async (model, expected) => {
    expect(await thinks({ model })).toBe(expected);
    expect(await thinks({ model, stream: false })).toBe(expected);
    const seen = (await rig.raw({ model, messages: [user(prompt)], stream: true })).stream();
    expect(seen.problems).toEqual([]);
    expect(foldStream(seen.chunks).choices[0]?.reasoning_content !== undefined).toBe(expected);
  });

  test.each([
    ['none', false],
    ['low', true],
    ['medium', true],
    ['high', true],
    ['xhigh', true],
    ['max', true],
  ])('reasoning_effort %s: the model thinks: %s', async (effort, expected) => {
    for (const model of ['gpt-4o', 'o3', thinker]) expect(await thinks({ model, reasoning_effort: effort })).toBe(expected);
  });

  test('reasoning_effort minimal is accepted', async () => {
    const answer = await rig.raw({ model: 'o3', messages: [user(prompt)], reasoning_effort: 'minimal' });
    expect(answer.status, answer.text).toBe(200);
  });

  test.each([1, 20, 500])('max_completion_tokens %i bounds thinking and answer together', async (limit) => {
    const answer = await rig.raw({
      model: 'o3',
      messages: [user('[[sim:think n=40]] [[sim:tokens n=400]]')],
      max_completion_tokens: limit,
    });
    expect(answer.status, answer.text).toBe(200);
    expect(checkCompletion(answer.json())).toEqual([]);
    const { usage, choices } = answer.json() as { usage: { completion_tokens: number }; choices: { finish_reason: string }[] };
    expect(usage.completion_tokens).toBeLessThanOrEqual(limit);
    expect(choices[0]?.finish_reason).toBe(limit < 440 ? 'length' : 'stop');
  });

  test('reasoning of earlier turns may be sent back', async () => {
    const answer = await rig.raw({
      model: thinker,
      messages: [user('one'), { role: 'assistant', content: 'two', reasoning_content: 'because' }, user('three')],
    });
    expect(answer.status, answer.text).toBe(200);
  });
});
