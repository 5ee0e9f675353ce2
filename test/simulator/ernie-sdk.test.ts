import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GOOD_KEY } from '../../simulator/ernie/keys.ts';
import { type Client, startClient } from './ernie-client.ts';

/** OpenAI's own SDK against the simulator, with Qianfan's base URL form: what works and what does not. */
let client: Client;
let sdk: OpenAI;
beforeAll(async () => {
  client = await startClient();
  sdk = new OpenAI({ apiKey: GOOD_KEY, baseURL: client.simulator.vendors.ernie?.baseUrl ?? '', maxRetries: 0 });
});
afterAll(() => client.close());

const messages = [{ role: 'user' as const, content: '[[sim:say text="Air scatters blue."]]' }];

test('a whole answer', async () => {
  const answer = await sdk.chat.completions.create({ model: 'ernie-5.1', messages });
  expect([answer.choices[0]?.message.content, answer.usage?.completion_tokens]).toEqual(['Air scatters blue.', 5]);
});

test('a stream', async () => {
  let text = '';
  for await (const chunk of await sdk.chat.completions.create({ model: 'ernie-5.1', messages, stream: true })) {
    text += chunk.choices[0]?.delta.content ?? '';
  }
  expect(text).toBe('Air scatters blue.');
});

test('an unknown model looks like a bad key to the SDK: 401', async () => {
  const failed = sdk.chat.completions.create({ model: 'gpt-4o', messages });
  await expect(failed).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  await expect(failed).rejects.toMatchObject({ status: 401, code: 'invalid_model' });
});

test('embeddings: the SDK asks for base64 by default, which is refused', async () => {
  const input = 'hi';
  await expect(sdk.embeddings.create({ model: 'bge-large-zh', input })).rejects.toMatchObject({ status: 400, code: 'invalid_argument' });
  const answer = await sdk.embeddings.create({ model: 'bge-large-zh', input, encoding_format: 'float' });
  expect(answer.data[0]?.embedding.length).toBe(1_024);
});
