import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkChatRequest } from '../../openai/chat/check-request.ts';
import { OpenAIError } from '../../openai/errors.ts';
import { requestFields, validateRequest } from '../contract/openai-schema.ts';
import { ASKS, body, CALL, LIMITS, messages, SCHEMA, TOOL, tools, USER } from './bodies.ts';

describe('taken', () => {
  test.each<[string, Record<string, unknown>]>([
    ['the least', body()],
    ['empty texts', messages({ role: 'user', content: '' }, { role: 'assistant', content: '' })],
    [
      'all roles',
      messages(
        { role: 'developer', content: 'a' },
        { role: 'system', content: [{ type: 'text', text: 'b' }] },
        USER,
        ASKS,
        { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'c' }] },
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] },
      ),
    ],
    ['a refusal alone', messages(USER, { role: 'assistant', content: null, refusal: 'no' }, USER)],
    [
      'the deprecated pair',
      messages(
        USER,
        { role: 'assistant', content: null, function_call: { name: 'look', arguments: '' } },
        { role: 'function', name: 'look', content: null },
      ),
    ],
    [
      'two calls, answered in another order',
      messages(
        USER,
        { role: 'assistant', tool_calls: [CALL, { ...CALL, id: 'call_2' }] },
        { role: 'tool', tool_call_id: 'call_2', content: '' },
        { role: 'tool', tool_call_id: 'call_1', content: '' },
      ),
    ],
    [
      'all parts',
      messages({
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'low' } },
          { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
          { type: 'file', file: { file_id: 'file-1' } },
        ],
      }),
    ],
    [
      'borders',
      body({
        temperature: 2,
        top_p: 0,
        presence_penalty: -2,
        frequency_penalty: 2,
        n: 128,
        max_tokens: 1,
        logprobs: true,
        top_logprobs: 20,
      }),
    ],
    ['seeds at the ends of an int64', body({ seed: -(2 ** 63) })],
    ['a large seed', body({ seed: 2 ** 63 })],
    [
      'the word json in a part',
      body({ messages: [{ role: 'user', content: [{ type: 'text', text: 'as JSON' }] }], response_format: { type: 'json_object' } }),
    ],
    ['a schema needs no word', body({ response_format: SCHEMA })],
    ['a function named like a property of objects', tools({ type: 'function', function: { name: 'constructor' } })],
    [
      'a choice among tools',
      body({ ...tools(TOOL), tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [TOOL] } } }),
    ],
    ['no tools at all', body({ tools: [], tool_choice: 'auto' })],
    ['a custom tool', tools({ type: 'custom', custom: { name: 'sql' } })],
  ])('%s', (_name, request) => {
    expect(checkChatRequest(request, LIMITS)).toEqual(request);
  });

  test('nulls at the top mean "not sent", for every field', () => {
    const nulls = Object.fromEntries(
      requestFields()
        .filter((field) => field !== 'model' && field !== 'messages')
        .map((field) => [field, null]),
    );
    const request = body(nulls);
    expect(checkChatRequest(request, LIMITS)).toEqual(body());
    expect(request).toHaveProperty('temperature', null);
  });

  test('unknown fields stay, whatever they are called', () => {
    const request = JSON.parse(
      '{"model":"m","messages":[{"role":"user","content":"Hi"}],"enable_thinking":true,"__proto__":{"a":1},"toString":2,"x":null}',
    ) as Record<string, unknown>;
    const taken = checkChatRequest(request, LIMITS);
    expect(Object.keys(taken)).toEqual(['model', 'messages', 'enable_thinking', '__proto__', 'toString']);
    expect(Object.getPrototypeOf(taken)).toBe(Object.prototype);
  });
});

describe('anything at all', () => {
  const fields = [...requestFields(), 'unheard_of'];
  const anything = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.constantFrom<unknown>([], {}, '', 0, -1, 1.5, true, null, [USER], [TOOL], { type: 'function' }, [
      { role: 'assistant', tool_calls: [{}] },
    ]),
  );

  test('is taken, or refused with a 400 that names a field', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...fields), anything, { maxKeys: 6 }), fc.boolean(), (extra, good) => {
        const request = good ? { ...extra, ...body() } : extra;
        try {
          checkChatRequest(request, LIMITS);
        } catch (error) {
          if (!(error instanceof OpenAIError)) throw error;
          expect(error.status).toBe(400);
          expect(error.details.param).toMatch(/^[a-z]/);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test.each(fields.filter((field) => field !== 'unheard_of' && field !== 'messages'))(
    "what is taken for '%s' is right by OpenAI's schema too",
    (field) => {
      fc.assert(
        fc.property(anything, (value) => {
          const request = body({ [field]: value });
          try {
            checkChatRequest(request, LIMITS);
          } catch {
            return;
          }
          if (value === null || LOOSER.includes(field)) return;
          expect(validateRequest(request)).toEqual([]);
        }),
        { numRuns: 200 },
      );
    },
  );

  /** Objects and words that the relay drops unread, and tools, which it takes empty. */
  const LOOSER = [
    'audio',
    'prediction',
    'web_search_options',
    'service_tier',
    'prompt_cache_options',
    'prompt_cache_retention',
    'moderation',
    'tools',
    'stream_options',
  ];
});
