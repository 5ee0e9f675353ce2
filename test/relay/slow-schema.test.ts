import { afterAll, beforeAll, expect, test } from 'vitest';
import { completion, DONE, finishFrame, http, httpChunk, SSE_HEAD, textFrame } from './backends.ts';
import { type ChatDesk, openChatDesk, tell } from './chat-desk.ts';

/** `title` makes it another schema for each test: a slow one is remembered. */
const bomb = (title: string) => format({ title, type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } });
const innocent = () => format({ type: 'object', properties: { a: { type: 'string' } }, required: ['a'] });
const format = (schema: object) => ({ response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } });
const ANSWER = JSON.stringify({ a: `${'a'.repeat(60)}!` });

let rig: ChatDesk;
beforeAll(async () => {
  rig = await openChatDesk();
});
afterAll(() => rig.close());

test('twelve callers with a schema that takes for ever to check: refused once and for all, and others get their answers', async () => {
  rig.script.second = (socket) => socket.write(http(200, completion(ANSWER)));
  const startedAt = performance.now();
  const slow = Array.from({ length: 12 }, () => tell(rig.desk, 'two', bomb('whole')));
  const good = await tell(rig.desk, 'two', innocent());
  expect(good).toMatchObject({ status: 200, content: ANSWER });
  for (const told of await Promise.all(slow)) {
    expect(told).toMatchObject({ status: 400, error: { code: 'invalid_json_schema', param: 'response_format' } });
    expect(told.headers.get('x-should-retry')).toBe('false');
  }
  expect(performance.now() - startedAt).toBeLessThan(6_000);
  // The backend is asked once for each.
  expect(rig.second.requests).toHaveLength(13);
});

test('a stream that has begun ends in that error', async () => {
  rig.script.second = (socket) => socket.write(`${SSE_HEAD}${[textFrame(ANSWER), finishFrame(), DONE].map(httpChunk).join('')}0\r\n\r\n`);
  const told = await tell(rig.desk, 'two', { ...bomb('stream'), stream: true });
  expect(told).toMatchObject({ status: 200, content: ANSWER, finishes: [], done: false, error: { code: 'invalid_json_schema' } });
});
