import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkCompletion, checkHeaders, foldCompletion, foldStream } from '../contract/openai-schema.ts';
import { type Rig, startRig, user } from './rig.ts';
import { VENDOR_CASES } from './vendors.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

const PROMPTS = [
  ['prose', 'Tell me about lighthouses'],
  ['Chinese', '请介绍一下灯塔'],
  ['beyond the basic plane', '[[sim:say text="a👩‍🚀b 𠮷 é \\u00e9 \\n\\t \\" \\\\ end"]]'],
  ['one token', '[[sim:tokens n=1]]'],
  ['an empty answer', '[[sim:say text=""]]'],
] as const;

/** What the simulated vendors say that they have counted. */
function counted() {
  const rows = rig.simulator.usage();
  const sum = (key: 'promptTokens' | 'completionTokens' | 'cachedTokens' | 'reasoningTokens') =>
    rows.reduce((total, row) => total + row[key], 0);
  return {
    prompt_tokens: sum('promptTokens'),
    completion_tokens: sum('completionTokens'),
    total_tokens: sum('promptTokens') + sum('completionTokens'),
    prompt_tokens_details: expect.objectContaining({ cached_tokens: sum('cachedTokens') }),
    completion_tokens_details: expect.objectContaining({ reasoning_tokens: sum('reasoningTokens') }),
  };
}

describe.each(VENDOR_CASES)('$vendor', ({ vendor, chat, model }) => {
  test.each(PROMPTS)('a whole answer keeps the contract and counts as the vendor does: %s', async (_name, prompt) => {
    const answer = await rig.raw({ model: chat, messages: [user(prompt)] });
    expect(answer.status, answer.text).toBe(200);
    expect(checkHeaders(answer.headers, 'json')).toEqual([]);
    const body = answer.json();
    expect(checkCompletion(body)).toEqual([]);
    expect(body).toMatchObject({ model: chat, object: 'chat.completion', usage: counted() });
    expect(Math.abs((body['created'] as number) - Date.now() / 1000)).toBeLessThan(60);
  });

  test.each(PROMPTS)('a stream says the same as a whole answer, with and without usage: %s', async (_name, prompt) => {
    const ask = { model: chat, messages: [user(prompt)] };
    const whole = foldCompletion((await rig.raw(ask)).json());
    rig.reset();
    const bare = await rig.raw({ ...ask, stream: true });
    expect(checkHeaders(bare.headers, 'stream')).toEqual([]);
    const seen = bare.stream();
    expect(seen.problems).toEqual([]);
    expect(seen.done).toBe(true);
    expect(foldStream(seen.chunks).choices).toEqual(whole.choices);
    rig.reset();
    const withUsage = await rig.raw({ ...ask, stream: true, stream_options: { include_usage: true } });
    const full = withUsage.stream(true);
    expect(full.problems).toEqual([]);
    const folded = foldStream(full.chunks);
    expect(folded.choices).toEqual(whole.choices);
    expect(folded.usage).toEqual(whole.usage);
    expect(folded.usage).toMatchObject(counted());
    expect(folded.model).toBe(chat);
    expect(withUsage.record().usage).toMatchObject({
      promptTokens: whole.usage?.['prompt_tokens'],
      completionTokens: whole.usage?.['completion_tokens'],
      source: 'vendor',
    });
  });

  test('usage is counted by the vendor also when the caller does not ask for it', async () => {
    const answer = await rig.raw({ model: chat, messages: [user('[[sim:tokens n=33]]')], stream: true });
    expect(answer.record().usage).toMatchObject({ completionTokens: 33, source: 'vendor' });
  });

  test('the SDK rebuilds from a stream the very message of a whole answer', async () => {
    const client = rig.client();
    const ask = { model: chat, messages: [user('Tell me about harbours [[sim:tokens n=50]]')] };
    const whole = await client.chat.completions.create(ask);
    const runner = client.chat.completions.stream({ ...ask, stream_options: { include_usage: true } });
    const parts: string[] = [];
    runner.on('content', (delta) => parts.push(delta));
    const streamed = await runner.finalChatCompletion();
    expect(parts.length).toBeGreaterThan(5);
    expect(parts.join('')).toBe(whole.choices[0]?.message.content);
    expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content);
    expect(streamed.choices[0]?.finish_reason).toBe('stop');
    expect(streamed.usage).toEqual(whole.usage);
    expect(streamed.model).toBe(chat);
  });

  test('tokens that the vendor read from its cache are told', async () => {
    const ask = { model: chat, messages: [user(`${'A long beginning of many words. '.repeat(80)}[[sim:tokens n=5]]`)] };
    await rig.raw(ask);
    const before = rig.simulator.usage().reduce((sum, row) => sum + row.cachedTokens, 0);
    const again = await rig.raw({ ...ask, stream: true, stream_options: { include_usage: true } });
    const cached = rig.simulator.usage().reduce((sum, row) => sum + row.cachedTokens, 0) - before;
    expect(again.stream(true).problems).toEqual([]);
    expect(foldStream(again.stream(true).chunks).usage).toMatchObject({ prompt_tokens_details: { cached_tokens: cached } });
    expect(again.record().usage).toMatchObject({ cachedTokens: cached });
    if (vendor === 'qwen') expect(cached).toBe(256);
  });

  test.each([{ include_obfuscation: false }, { include_obfuscation: true, include_usage: false }, {}])(
    'stream_options %j',
    async (options) => {
      const answer = await rig.raw({ model: chat, messages: [user('hello')], stream: true, stream_options: options });
      expect(answer.stream()).toMatchObject({ problems: [], done: true });
    },
  );

  test('an empty answer is "" and stop', async () => {
    const answer = await rig.client().chat.completions.create({ model: chat, messages: [user('[[sim:say text=""]]')] });
    expect(answer.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: '' } });
  });

  test.each([
    ['the vendor’s own name', () => model],
    ['backend/model', () => `${vendor}/${model}`],
    ['an alias', () => chat],
  ])('%s is echoed as asked and reaches the same model', async (_name, asked) => {
    const client = rig.client();
    const ask = { model: asked(), messages: [user('hello')] };
    const whole = await client.chat.completions.create(ask);
    expect(whole.model).toBe(asked());
    for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) expect(chunk.model).toBe(asked());
    expect(rig.seen().map(({ vendor: to, body }) => [to, (body as { model: string }).model])).toEqual([
      [vendor, model],
      [vendor, model],
    ]);
  });

  test('a conversation with content parts, a late system message and the developer role is carried', async () => {
    const answer = await rig.raw({
      model: chat,
      messages: [
        { role: 'developer', content: 'Answer briefly.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'First' },
            { type: 'text', text: 'second.' },
          ],
        },
        { role: 'assistant', content: [{ type: 'text', text: 'I see.' }] },
        { role: 'system', content: [{ type: 'text', text: 'Now be kind.' }] },
        user('[[sim:echo]] the last word'),
      ],
    });
    expect(answer.status, answer.text).toBe(200);
    expect(checkCompletion(answer.json())).toEqual([]);
    expect(foldCompletion(answer.json()).choices[0]?.content).toContain('the last word');
    const sent = JSON.stringify(rig.lastBody());
    for (const text of ['Answer briefly.', 'First', 'second.', 'I see.', 'Now be kind.']) expect(sent).toContain(text);
    expect(sent).not.toContain('"developer"');
  });

  test('a conversation that ends with the assistant, and several user messages in a row, are carried', async () => {
    for (const messages of [
      [user('one'), { role: 'assistant', content: 'Once upon' }],
      [user('one'), user('two'), user('three')],
      [{ role: 'system', content: 'Only this.' }],
    ]) {
      const answer = await rig.raw({ model: chat, messages });
      expect(answer.status, `${JSON.stringify(messages)} ${answer.text}`).toBe(200);
      expect(checkCompletion(answer.json())).toEqual([]);
    }
  });
});

test.each(['/v1', '', '/v1/v1', '/v1/'])('base URL ending %j works in the SDK', async (base) => {
  const client = rig.client({ baseURL: rig.url + base });
  const answer = await client.chat.completions.create({ model: 'qwen-plus', messages: [user('hello')] });
  expect(answer.choices[0]?.message.content).not.toBe('');
  expect((await client.models.retrieve('qwen-plus')).id).toBe('qwen-plus');
  expect((await client.models.list()).data.map(({ id }) => id)).toEqual(expect.arrayContaining(['qwen-plus', 'glm-4.6', 'qwen-chat']));
});
