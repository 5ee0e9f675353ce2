import { zodResponseFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { checkCompletion, foldCompletion, foldStream } from '../contract/openai-schema.ts';
import { type Rig, startRig, user } from './rig.ts';
import { VENDOR_CASES } from './vendors.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

const Book = z.object({
  title: z.string(),
  pages: z.number().int(),
  tags: z.array(z.enum(['new', 'old'])),
  author: z.object({ name: z.string() }),
});
const SCHEMA = {
  type: 'json_schema',
  json_schema: { name: 'flat', strict: true, schema: z.toJSONSchema(z.strictObject({ ok: z.boolean() })) },
};
const OBJECT = { type: 'json_object' };

/** Text of an answer, whole or streamed, whose form has been checked. */
async function textOf(body: Record<string, unknown>, stream: boolean): Promise<string> {
  const answer = await rig.raw({ ...body, stream });
  expect(answer.status, answer.text).toBe(200);
  if (!stream) {
    expect(checkCompletion(answer.json())).toEqual([]);
    return foldCompletion(answer.json()).choices[0]?.content ?? '';
  }
  const seen = answer.stream();
  expect(seen.problems).toEqual([]);
  expect(seen.error).toBeNull();
  return foldStream(seen.chunks).choices[0]?.content ?? '';
}

describe.each(VENDOR_CASES)('$vendor', ({ vendor, chat, thinker }) => {
  test('the SDK parses an answer of a zod schema, on plain and thinking models', async () => {
    for (const model of [chat, thinker]) {
      const answer = await rig.client().chat.completions.parse({
        model,
        messages: [user('A book about lighthouses')],
        response_format: zodResponseFormat(Book, 'book'),
      });
      expect(Book.parse(answer.choices[0]?.message.parsed)).toEqual(answer.choices[0]?.message.parsed);
      expect(answer.choices[0]?.message.refusal).toBeNull();
    }
  });

  test('the SDK parses a streamed answer of a zod schema', async () => {
    const runner = rig.client().chat.completions.stream({
      model: chat,
      messages: [user('A book about lighthouses')],
      response_format: zodResponseFormat(Book, 'book'),
    });
    const answer = await runner.finalChatCompletion();
    expect(Book.safeParse(answer.choices[0]?.message.parsed).success).toBe(true);
  });

  test.each([false, true])('json_object gives one JSON object, streamed: %s', async (stream) => {
    for (const model of [chat, thinker]) {
      const text = await textOf({ model, messages: [user('JSON about boats')], response_format: OBJECT }, stream);
      expect(JSON.parse(text)).toBeTypeOf('object');
    }
  });

  // Qwen keeps to both modes itself, GLM to json_object: what such a vendor says goes through as it is.
  const emulated: readonly unknown[] = { qwen: [], ernie: [OBJECT, SCHEMA], glm: [SCHEMA] }[vendor];

  test.each(emulated.length > 0 ? [false, true] : [])('prose and fences around the JSON are taken off, streamed: %s', async (stream) => {
    for (const format of emulated) {
      const text = await textOf({ model: chat, messages: [user('JSON about boats [[sim:fence]]')], response_format: format }, stream);
      expect(JSON.parse(text)).toBeTypeOf('object');
    }
  });

  test.each(emulated.length > 0 ? [false, true] : [])(
    'prose instead of JSON is asked for again, then upstream_unmet, streamed: %s',
    async (stream) => {
      for (const format of emulated) {
        rig.reset();
        const answer = await rig.raw({ model: chat, messages: [user('JSON about boats [[sim:nojson]]')], response_format: format, stream });
        expect(answer.status, answer.text).toBe(502);
        expect(answer.json()).toMatchObject({ error: { type: 'server_error', code: 'upstream_unmet' } });
        expect(answer.headers.get('x-should-retry')).toBe('false');
        expect(rig.seen()).toHaveLength(2);
        expect(answer.record().attempts).toHaveLength(2);
      }
    },
  );

  test.each(emulated.filter((format) => format === SCHEMA))(
    'JSON of another schema is an error before the answer, or one event at its end',
    async (format) => {
      const body = { model: chat, messages: [user('[[sim:say text="{\\"ok\\":\\"no\\"}"]]')], response_format: format };
      const whole = await rig.raw(body);
      expect(whole.status).toBe(502);
      expect(whole.json()).toMatchObject({ error: { code: 'upstream_unmet' } });
      const seen = (await rig.raw({ ...body, stream: true })).stream();
      expect(seen.problems).toEqual([]);
      expect(seen.error).toMatchObject({ code: 'upstream_unmet' });
      expect(seen.done).toBe(false);
      expect(foldStream(seen.chunks).choices[0]?.finish_reason).toBeNull();
    },
  );

  test('JSON cut by the token limit is no broken promise', async () => {
    const body = { model: chat, messages: [user('JSON about boats')], response_format: SCHEMA, max_tokens: 2 };
    for (const stream of [false, true]) {
      const answer = await rig.raw({ ...body, stream });
      expect(answer.status, answer.text).toBe(200);
      const folded = stream ? foldStream(answer.stream().chunks) : foldCompletion(answer.json());
      expect(folded.choices[0]?.finish_reason).toBe('length');
    }
  });

  test.each([false, true])('JSON cut by a stop word of the caller is no broken promise either, streamed: %s', async (stream) => {
    const say = '[[sim:say text="{\\"ok\\":true,\\"more\\":1}"]]';
    for (const format of [OBJECT, SCHEMA]) {
      rig.reset();
      const body = { model: chat, messages: [user(`JSON ${say}`)], response_format: format, stop: [',"more'] };
      const answer = await rig.raw({ ...body, stream });
      expect(answer.status, answer.text).toBe(200);
      const folded = stream ? foldStream(answer.stream().chunks) : foldCompletion(answer.json());
      expect(folded.choices[0]).toMatchObject({ content: '{"ok":true', finish_reason: 'stop' });
      expect(rig.seen()).toHaveLength(1);
    }
  });

  const withSchema = (schema: unknown, more: Record<string, unknown> = {}) => ({
    model: chat,
    messages: [user('JSON about boats')],
    response_format: { type: 'json_schema', json_schema: { name: 'n', schema } },
    ...more,
  });

  test.each([{ type: 'strin' }, { $async: true }, { title: 'x'.repeat(300_000) }])(
    'a schema that is none costs no call: %#',
    async (schema) => {
      const answer = await rig.raw(withSchema(schema));
      expect(answer.status, answer.text).toBe(400);
      expect(answer.json()).toMatchObject({
        error: { type: 'invalid_request_error', param: 'response_format', code: 'invalid_json_schema' },
      });
      expect(rig.seen()).toHaveLength(0);
    },
  );

  test.each(emulated.includes(SCHEMA) ? [{ $ref: '#/nowhere' }, { type: 'object', patternProperties: { '(': {} } }] : [])(
    'a schema that shows its fault at the check is the caller’s error, after one call: %j',
    async (schema) => {
      const answer = await rig.raw(withSchema(schema));
      expect(answer.status, answer.text).toBe(400);
      expect(answer.json()).toMatchObject({
        error: { type: 'invalid_request_error', param: 'response_format', code: 'invalid_json_schema' },
      });
      expect(answer.headers.get('x-should-retry')).toBe('false');
      expect(rig.seen()).toHaveLength(1);
      expect(answer.record().attempts).toMatchObject([{ error: 'invalid_json_schema', discarded: { promptTokens: expect.any(Number) } }]);
    },
  );

  test('json_object without the word json is OpenAI’s own refusal', async () => {
    const answer = await rig.raw({ model: chat, messages: [user('a boat')], response_format: OBJECT });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ error: { type: 'invalid_request_error', param: 'messages', code: null } });
    expect(rig.seen()).toHaveLength(0);
  });
});
