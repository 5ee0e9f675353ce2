/** LangChain JS with its OpenAI package, on every backend. */
import {
  type AIMessage,
  type AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  SystemMessage,
  ToolMessage,
  type UsageMetadata,
} from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI, type ChatOpenAIFields, OpenAIEmbeddings } from '@langchain/openai';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { BOTH, BOTH_ARGS } from '../e2e/tools.ts';
import { aborted, CLIENT_CASES, FAILURES, impatientFetch, LONG, rigOfClients, WITHIN } from './cases.ts';

const rig = rigOfClients();
const account = () => ({
  apiKey: rig().keyOf('main'),
  configuration: { baseURL: `${rig().url}/v1`, fetch: impatientFetch() },
  maxRetries: 0,
});
const chatOf = (model: string, more: Partial<ChatOpenAIFields> = {}) => new ChatOpenAI({ ...account(), model, ...more });

const Book = z.object({
  title: z.string(),
  pages: z.number().int(),
  tags: z.array(z.enum(['new', 'old'])),
  author: z.object({ name: z.string() }),
});

const weather = tool(({ city, days }) => `${city} for ${days} days: rain of 7 degrees`, {
  name: 'get_weather',
  description: 'The weather in a city',
  schema: z.object({ city: z.string(), days: z.number().int() }),
});
const time = tool(({ city }) => `${city}: half past nine`, {
  name: 'get_time',
  description: 'The time in a city',
  schema: z.object({ city: z.string() }),
});

/** The library's own types do not follow it here. */
const usageOf = ({ usage_metadata }: { usage_metadata?: unknown }) => usage_metadata as UsageMetadata | undefined;

/** The pieces of a stream put together as LangChain does it. (`streaming: true` would count tokens by a table from the internet.) */
async function sumOf(stream: AsyncIterable<AIMessageChunk>): Promise<{ sum: AIMessageChunk; pieces: number }> {
  let sum: AIMessageChunk | undefined;
  let pieces = 0;
  for await (const piece of stream) {
    sum = sum === undefined ? piece : sum.concat(piece);
    pieces += 1;
  }
  if (sum === undefined) throw new Error('the stream was empty');
  return { sum, pieces };
}

describe.each(CLIENT_CASES)('$backend', ({ backend, vendor, chat, thinker, embedder, dimensions, listLimit }) => {
  test('chat: invoke with a system message and settings tells text, finish and usage', async () => {
    const model = chatOf(chat, { temperature: 0.2, maxTokens: 200, stop: ['zzz'], user: 'u-1' });
    const answer = await model.invoke([new SystemMessage('Answer briefly.'), new HumanMessage('Tell me about lighthouses')]);
    expect(answer.text).toContain('lighthouses');
    expect(answer.response_metadata).toMatchObject({ finish_reason: 'stop', model_name: chat });
    const usage = usageOf(answer);
    expect(usage?.total_tokens).toBe((usage?.input_tokens ?? Number.NaN) + (usage?.output_tokens ?? Number.NaN));
    expect(rig().records[0]).toMatchObject({ attempts: [{ backend }], usage: { promptTokens: usage?.input_tokens } });
  });

  test('chat: a model that thinks, and a batch', async () => {
    const thought = await chatOf(thinker, { maxTokens: 2000, reasoning: { effort: 'low' } }).invoke('Why is the sea salt?');
    expect(thought.text).toMatch(/\S/);
    const answers = await chatOf(chat).batch(['[[sim:say text="one"]]', '[[sim:say text="two"]]']);
    expect(answers.map(({ text }) => text)).toEqual(['one', 'two']);
  });

  test('stream: its pieces add up to the answer, with usage at the end', async () => {
    const model = chatOf(chat);
    const prompt = 'Tell me about harbours ⚓ [[sim:tokens n=50]]';
    const whole = await model.invoke(prompt);
    const { sum, pieces } = await sumOf(await model.stream(prompt));
    expect(pieces).toBeGreaterThan(5);
    expect(sum.text).toBe(whole.text);
    expect(sum.response_metadata).toMatchObject({ finish_reason: 'stop' });
    expect(sum.usage_metadata).toMatchObject({ output_tokens: 50, input_tokens: usageOf(whole)?.input_tokens });
  });

  test.each([false, true])('tools: bindTools, calls, results, answer, streamed: %s', async (stream) => {
    const model = chatOf(chat).bindTools([weather, time]);
    const ask = async (turns: BaseMessage[]): Promise<AIMessage> =>
      stream ? (await sumOf(await model.stream(turns))).sum : model.invoke(turns);
    const messages: BaseMessage[] = [new HumanMessage(BOTH)];
    const asked = await ask(messages);
    expect(asked.tool_calls?.map(({ name, args }) => [name, args])).toEqual([
      ['get_weather', BOTH_ARGS[0]],
      ['get_time', BOTH_ARGS[1]],
    ]);
    expect(asked.invalid_tool_calls ?? []).toEqual([]);
    messages.push(asked);
    for (const call of asked.tool_calls ?? []) {
      const result: unknown = call.name === 'get_weather' ? await weather.invoke(call) : await time.invoke(call);
      expect(result).toBeInstanceOf(ToolMessage);
      messages.push(result as ToolMessage);
    }
    const answer = await ask(messages);
    expect(answer.text).toContain('rain of 7 degrees');
    expect(answer.text).toContain('half past nine');
    expect(answer.tool_calls ?? []).toEqual([]);
  });

  test.each([
    ['any', 'get_weather'],
    ['get_time', 'get_time'],
    ['none', undefined],
  ])('tools: tool_choice %s', async (choice, expected) => {
    const answer = await chatOf(chat).bindTools([weather, time], { tool_choice: choice }).invoke('Hello');
    expect(answer.tool_calls?.[0]?.name).toBe(expected);
  });

  test.each(['jsonSchema', 'functionCalling', 'jsonMode'] as const)('structured output: withStructuredOutput by %s', async (method) => {
    const model = chatOf(chat).withStructuredOutput(Book, { name: 'book', method });
    // JSON mode shows the model no schema: the caller writes it down.
    const schema = method === 'jsonMode' ? ` Answer as JSON of ${JSON.stringify(z.toJSONSchema(Book))}` : '';
    const messages = [new SystemMessage(`You know books.${schema}`), new HumanMessage('A book about lighthouses')];
    const book = await model.invoke(messages);
    expect(Book.parse(book)).toEqual(book);
    let last: unknown;
    for await (const piece of await model.stream(messages)) last = piece;
    expect(last).toEqual(book);
  });

  test('embeddings: one, and many beyond the vendor’s own limit', async () => {
    const embeddings = new OpenAIEmbeddings({ ...account(), model: embedder });
    expect(await embeddings.embedQuery('a lighthouse')).toHaveLength(dimensions);
    const texts = Array.from({ length: listLimit + 3 }, (_, index) => `text ${index}`);
    const vectors = await embeddings.embedDocuments(texts);
    expect(vectors.map((vector) => vector.length)).toEqual(texts.map(() => dimensions));
    expect(rig().records).toHaveLength(2);
  });

  test.each(FAILURES)('errors: $fault is $status', async ({ fault, status, code }) => {
    const model = chatOf(chat);
    const prompt = `hello [[sim:${fault}]]`;
    await expect(model.invoke(prompt)).rejects.toMatchObject({ status, code });
    await expect(model.stream(prompt).then(sumOf)).rejects.toMatchObject({ status, code });
  });

  test('errors: one in the middle of a stream is thrown', async () => {
    const stream = await chatOf(chat).stream('[[sim:tokens n=30]] [[sim:mid-error after=5]]');
    await expect(sumOf(stream)).rejects.toMatchObject({ code: 'upstream_overloaded' });
  });

  test('retries: a failure that passes is asked again', async () => {
    rig().simulator.setFault({ name: 'overload', vendor, times: 1 });
    const answer = await chatOf(chat, { maxRetries: 1 }).invoke('hello');
    expect(answer.response_metadata).toMatchObject({ finish_reason: 'stop' });
    expect(rig().seen()).toHaveLength(2);
  });

  test('abort: by signal and by break, the vendor’s call is closed', async () => {
    for await (const _ of await chatOf(chat).stream(LONG)) break;
    const leave = new AbortController();
    const refused = expect(chatOf(chat).invoke('[[sim:silent]]', { signal: leave.signal })).rejects.toThrow(/abort/i);
    await expect.poll(() => rig().seen().length, WITHIN).toBe(2);
    leave.abort();
    await refused;
    await expect.poll(() => aborted(rig()), WITHIN).toEqual([true, true]);
  });
});
