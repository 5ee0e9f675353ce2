/** The official OpenAI SDK for Python on every backend. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BOTH, BOTH_ARGS } from '../e2e/tools.ts';
import { aborted, CLIENT_CASES, FAILURES, LONG, rigOfClients, WITHIN } from './cases.ts';
import { type Python, startPython } from './python.ts';

const rig = rigOfClients();
let python: Python;
beforeAll(async () => {
  python = await startPython();
});
afterAll(() => python.close());

const to = (model: string, more: Record<string, unknown> = {}) => ({
  base_url: `${rig().url}/v1`,
  api_key: rig().keyOf('main'),
  model,
  ...more,
});

test('the version is the one that is required', () => {
  expect(readFileSync('test/clients/requirements.txt', 'utf8')).toContain(`openai==${python.version}\n`);
});

describe.each(CLIENT_CASES)('$backend', ({ backend, vendor, chat, thinker, embedder, dimensions, listLimit }) => {
  test('chat: answer and request id', async () => {
    const more = { temperature: 0.2, max_completion_tokens: 200, stop: ['zzz'], user: 'u-1' };
    const { answer, request_id, header } = await python.ask('chat', to(chat, { prompt: 'Tell me about lighthouses', more }));
    expect(answer).toMatchObject({
      model: chat,
      choices: [{ finish_reason: 'stop', message: { role: 'assistant', content: expect.stringContaining('lighthouses') } }],
      usage: { total_tokens: expect.any(Number) },
    });
    expect([request_id, header]).toEqual([rig().records[0]?.id, rig().records[0]?.id]);
    expect(rig().records[0]?.attempts[0]?.backend).toBe(backend);
  });

  test('chat: a model that thinks', async () => {
    const more = { reasoning_effort: 'low', max_completion_tokens: 2000 };
    const { answer } = await python.ask('chat', to(thinker, { prompt: 'Why is the sea salt?', more }));
    expect(answer).toMatchObject({ choices: [{ message: { content: expect.stringMatching(/\S/) } }] });
  });

  test('chat: the asynchronous client', async () => {
    const { streamed, whole } = await python.ask('chat_async', to(chat, { prompt: 'Tell me about tides 🌊' }));
    expect(whole).toMatch(/\S/);
    expect(streamed).toBe(whole);
  });

  test('stream: chunks add up to the answer, with its usage', async () => {
    const prompt = 'Tell me about harbours ⚓ [[sim:tokens n=50]]';
    const { answer } = await python.ask('chat', to(chat, { prompt }));
    const { message } = (answer as { choices: [{ message: { content: string } }] }).choices[0];
    const seen = await python.ask('stream', to(chat, { prompt }));
    expect(seen).toMatchObject({ text: message.content, finish: 'stop', usage: { completion_tokens: 50 } });
    expect(seen['pieces']).toBeGreaterThan(5);
  });

  test('stream: the helper’s events', async () => {
    const seen = await python.ask(
      'stream_helper',
      to(chat, { prompt: '[[sim:tokens n=20]]', more: { stream_options: { include_usage: true } } }),
    );
    expect(seen['kinds']).toEqual(['content.delta', 'content.done']);
    expect(seen['final']).toMatchObject({ choices: [{ message: { content: seen['text'] } }], usage: { completion_tokens: 20 } });
  });

  test.each([false, true])('tools: calls parsed by pydantic, results, answer, streamed: %s', async (stream) => {
    const { text, finish, heard } = await python.ask('tools', to(chat, { prompt: BOTH, stream }));
    expect(heard).toEqual([
      ['get_weather', BOTH_ARGS[0]],
      ['get_time', BOTH_ARGS[1]],
    ]);
    expect(text).toContain('rain of 7 degrees');
    expect(text).toContain('half past nine');
    expect(finish).toBe('stop');
    expect(rig().seen()).toHaveLength(2);
  });

  test('structured output: parse by pydantic, whole and streamed', async () => {
    const { whole, streamed } = await python.ask('structured', to(chat, { prompt: 'A book about lighthouses' }));
    expect(whole).toMatchObject({ title: expect.any(String), pages: expect.any(Number), author: { name: expect.any(String) } });
    expect(streamed).toEqual(whole);
  });

  test('structured output: cut by the limit is the SDK’s own error', async () => {
    const raised = await python.fail('structured', to(chat, { prompt: 'A book', more: { max_tokens: 2 } }));
    expect(raised.type).toBe('LengthFinishReasonError');
  });

  test('embeddings: one, and many beyond the vendor’s own limit', async () => {
    const one = await python.ask('embeddings', to(embedder, { input: 'a lighthouse' }));
    expect(one).toMatchObject({ sizes: [dimensions], floats: true, tokens: expect.any(Number) });
    const input = Array.from({ length: listLimit + 3 }, (_, index) => `text ${index}`);
    const many = await python.ask('embeddings', to(embedder, { input }));
    expect(many['indices']).toEqual([...input.keys()]);
    expect(many['sizes']).toEqual(input.map(() => dimensions));
  });

  test('models: listed, and found by name', async () => {
    const { names, one } = await python.ask('models', to(chat));
    expect(names).toContain(chat);
    expect(one).toMatchObject({ id: chat, object: 'model' });
  });

  test.each(FAILURES)('errors: $fault is $status, asked $asks times', async ({ fault, status, code, asks }) => {
    const type = status === 400 ? 'BadRequestError' : status === 429 ? 'RateLimitError' : 'InternalServerError';
    for (const feature of ['chat', 'stream']) {
      rig().reset();
      const raised = await python.fail(feature, to(chat, { prompt: `hello [[sim:${fault}]]`, max_retries: 2 }));
      expect(raised).toMatchObject({ type, status, code, request_id: rig().records.at(-1)?.id });
      expect(rig().seen()).toHaveLength(asks);
    }
  });

  test('errors: one in the middle of a stream is raised', async () => {
    const raised = await python.fail('stream', to(chat, { prompt: '[[sim:tokens n=30]] [[sim:mid-error after=5]]' }));
    expect(raised).toMatchObject({ type: 'APIError', code: 'upstream_overloaded' });
  });

  test('retries: a failure that passes is asked again', async () => {
    rig().simulator.setFault({ name: 'overload', vendor, times: 2 });
    const { answer } = await python.ask('chat', to(chat, { prompt: 'hello', max_retries: 2 }));
    expect(answer).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
    expect(rig().seen()).toHaveLength(3);
  });

  test('abort: a stream that is left and a time limit close the vendor’s call', async () => {
    const raised = await python.fail('leave', to(chat, { prompt: LONG }));
    expect(raised.type).toBe('APITimeoutError');
    await expect.poll(() => aborted(rig()), WITHIN).toEqual([true, true]);
    await expect.poll(() => rig().records.map(({ reason }) => reason), WITHIN).toEqual(['client_gone', 'client_gone']);
  });
});

describe('the relay’s own refusals', () => {
  test.each([
    ['an unknown key', { api_key: 'sk-nobody' }, { type: 'AuthenticationError', status: 401, code: 'invalid_api_key' }],
    ['an unknown model', { model: 'no-such' }, { type: 'NotFoundError', status: 404, code: 'model_not_found' }],
    ['a field out of range', { more: { temperature: 3 } }, { type: 'BadRequestError', status: 400, param: 'temperature' }],
  ])('%s', async (_name, more, shape) => {
    const raised = await python.fail('chat', to('gpt-4o-qwen', { prompt: 'hello', max_retries: 2, ...more }));
    expect(raised).toMatchObject(shape);
    expect(rig().seen()).toEqual([]);
  });
});
