import { crc32, deflateSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkCompletion, checkErrorResponse, type Folded, foldCompletion, foldStream } from '../contract/openai-schema.ts';
import { type Rig, startRig, user } from './rig.ts';
import { VENDOR_CASES } from './vendors.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

/** Whole and streamed, both checked; the choices and usage must be the same. */
async function ask(body: Record<string, unknown>): Promise<Folded> {
  const whole = await rig.raw(body);
  expect(whole.status, whole.text).toBe(200);
  expect(checkCompletion(whole.json())).toEqual([]);
  const seen = (await rig.raw({ ...body, stream: true, stream_options: { include_usage: true } })).stream(true);
  expect(seen.problems).toEqual([]);
  const folded = foldCompletion(whole.json());
  expect(foldStream(seen.chunks).choices).toEqual(folded.choices);
  return folded;
}

const chunk = (type: string, data: Buffer): Buffer => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
};

/** A grey square of 16 pixels. */
function png(): string {
  const head = Buffer.from([0, 0, 0, 16, 0, 0, 0, 16, 8, 0, 0, 0, 0]);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [signature, chunk('IHDR', head), chunk('IDAT', deflateSync(Buffer.alloc(17 * 16))), chunk('IEND', Buffer.alloc(0))];
  return `data:image/png;base64,${Buffer.concat(parts).toString('base64')}`;
}

describe.each(VENDOR_CASES)('$vendor', ({ chat, vision, thinker }) => {
  test.each([2, 5])('n: %i gives that many choices; the prompt counts once', async (n) => {
    const one = await ask({ model: chat, messages: [user('Tell me about lighthouses')] });
    const many = await ask({ model: chat, messages: [user('Tell me about lighthouses')], n });
    expect(many.choices.map(({ index, finish_reason: finish }) => [index, finish])).toEqual(
      Array.from({ length: n }, (_, index) => [index, 'stop']),
    );
    expect(many.usage?.['prompt_tokens']).toBe(one.usage?.['prompt_tokens']);
    expect(many.usage?.['completion_tokens']).toBeGreaterThanOrEqual(n * 20);
  });

  test('n: 2 on a model that thinks, and with tools', async () => {
    const many = await ask({ model: thinker, messages: [user('hello')], n: 2 });
    expect(many.choices).toHaveLength(2);
    const tools = [{ type: 'function', function: { name: 'ping', description: 'p', parameters: { type: 'object', properties: {} } } }];
    const answer = await rig.raw({ model: chat, messages: [user('now ping')], tools, n: 2 });
    expect(answer.status, answer.text).toBe(200);
    expect(checkCompletion(answer.json())).toEqual([]);
    expect(foldCompletion(answer.json()).choices.map(({ tool_calls: calls }) => calls?.length)).toEqual([1, 1]);
  });

  test.each([
    ['a string', 'three', 'one two '],
    ['a word across pieces', 'wo thr', 'one t'],
    ['four words', ['nine', 'eight', 'four', 'three'], 'one two '],
    ['a long word', 'three four five six seven eight', 'one two '],
    ['no word of the text', ['absent'], 'one two three four five six seven eight nine'],
    ['the beginning of the text', ['one'], ''],
    ['beyond the basic plane', ['🚉'], 'one two three four five six seven eight nine'],
    ['an empty word', [''], 'one two three four five six seven eight nine'],
  ])('stop: %s', async (_name, stop, expected) => {
    const prompt = '[[sim:say text="one two three four five six seven eight nine"]]';
    const folded = await ask({ model: chat, messages: [user(prompt)], stop });
    expect(folded.choices[0]).toMatchObject({ content: expected, finish_reason: 'stop' });
  });

  test('stop together with n', async () => {
    const folded = await ask({ model: chat, messages: [user('[[sim:say text="one two three"]]')], stop: ['xx', 'two'], n: 2 });
    expect(folded.choices.map(({ content }) => content)).toEqual(['one ', 'one ']);
  });

  test.each([
    { temperature: 0 },
    { temperature: 1 },
    { temperature: 2 },
    { temperature: 0.123456 },
    { top_p: 0 },
    { top_p: 1 },
    { top_p: 0.00001 },
    { temperature: 0, top_p: 0 },
    { temperature: 2, top_p: 1 },
    { presence_penalty: -2 },
    { presence_penalty: 2, frequency_penalty: 2 },
    { frequency_penalty: -2 },
    { seed: 0 },
    { seed: -1 },
    { seed: -(2 ** 31) },
    { seed: 2 ** 53 },
    { seed: 2 ** 31 - 2, n: 3 },
    { seed: 0, n: 2 },
    { user: 'u', metadata: { a: 'b' }, store: true, service_tier: 'auto', safety_identifier: 'x' },
    { user: '' },
    { user: 'x'.repeat(500) },
    { logit_bias: {} },
    { logprobs: false },
    { modalities: ['text'] },
    { verbosity: 'medium' },
    { prediction: { type: 'content', content: 'x' } },
    { reasoning_effort: 'none' },
    { stream: null, n: null, stop: null, tools: null, max_tokens: null, temperature: null, user: null, seed: null },
  ])('%j is taken', async (fields) => {
    for (const model of [chat, thinker]) {
      const answer = await rig.raw({ model, messages: [user('hello')], ...fields });
      expect(answer.status, answer.text).toBe(200);
      expect(checkCompletion(answer.json())).toEqual([]);
    }
  });

  test.each(['max_tokens', 'max_completion_tokens'])('%s bounds the answer; above the model’s own limit it is clamped', async (field) => {
    const messages = [user('[[sim:tokens n=60]]')];
    expect(await ask({ model: chat, messages, [field]: 10 })).toMatchObject({
      choices: [{ finish_reason: 'length' }],
      usage: { completion_tokens: 10 },
    });
    expect(await ask({ model: chat, messages, [field]: 60 })).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
    expect(await ask({ model: chat, messages, [field]: 10_000_000 })).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
  });

  test.each(['max_tokens', 'max_completion_tokens'])('%s of 1 is taken', async (field) => {
    const folded = await ask({ model: chat, messages: [user('[[sim:tokens n=60]]')], [field]: 1 });
    expect(folded.choices[0]?.finish_reason).toBe('length');
    // Qianfan's smallest bound is 2 on older models; the receipt says so.
    expect(folded.usage?.['completion_tokens']).toBeLessThanOrEqual(2);
  });

  test('an image reaches a model that sees, and is refused by name for one that does not', async () => {
    const parts = (url: string) => [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url, detail: 'auto' } },
        ],
      },
    ];
    const folded = await ask({ model: vision, messages: parts(png()) });
    expect(folded.choices[0]?.content).toContain('1 image');
    rig.reset();
    const refused = await rig.raw({ model: chat, messages: parts(png()) });
    expect(refused.status).toBe(400);
    expect(checkErrorResponse(refused.status, refused.json())).toEqual([]);
    expect(refused.json()).toMatchObject({
      error: { type: 'invalid_request_error', param: expect.stringContaining('messages[0].content[1]') },
    });
    expect(rig.seen()).toHaveLength(0);
  });
});
