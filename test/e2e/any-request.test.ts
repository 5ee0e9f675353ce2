import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkCompletion } from '../contract/openai-schema.ts';
import { type Rig, startRig } from './rig.ts';
import { TIME, WEATHER } from './tools.ts';
import { VENDOR_CASES } from './vendors.ts';

const text = fc.oneof(
  fc.constantFrom('hello', 'get_weather please', 'JSON 你好 🗼', ' ', 'x'.repeat(300)),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
);
const parts = fc.array(fc.record({ type: fc.constant('text'), text }), { minLength: 1, maxLength: 3 });
const content = fc.oneof(text, parts);

/** A turn with calls and their results, or one message. */
const turns = fc.oneof(
  fc.record({ role: fc.constantFrom('system', 'developer', 'user', 'assistant'), content }).map((message) => [message]),
  fc.record({ role: fc.constant('user'), content, name: fc.constantFrom('ann', 'bob_2') }).map((message) => [message]),
  fc
    .tuple(fc.uniqueArray(fc.constantFrom('call_1', 'call_2', 'x'), { minLength: 1 }), content, fc.option(text, { nil: null }))
    .map(([ids, result, said]) => [
      {
        role: 'assistant',
        content: said,
        tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'get_weather', arguments: '{"city":"Rome","days":1}' } })),
      },
      ...ids.map((id) => ({ role: 'tool', tool_call_id: id, content: result })),
    ]),
);

const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const fields = fc.record({
  messages: fc.array(turns, { minLength: 1, maxLength: 5 }).map((list) => list.flat()),
  stream: fc.boolean(),
  temperature: some(fc.double({ min: 0, max: 2, noNaN: true })),
  top_p: some(fc.double({ min: 0, max: 1, noNaN: true })),
  presence_penalty: some(fc.double({ min: -2, max: 2, noNaN: true })),
  frequency_penalty: some(fc.double({ min: -2, max: 2, noNaN: true })),
  max_tokens: some(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 2 ** 40 }))),
  max_completion_tokens: some(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 2 ** 40 }))),
  n: some(fc.integer({ min: 1, max: 3 })),
  seed: some(fc.integer({ min: -(2 ** 31), max: 2 ** 40 })),
  stop: some(fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 4 }))),
  user: some(text),
  metadata: some(fc.constant({ a: 'b' })),
  reasoning_effort: some(fc.constantFrom('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max')),
  response_format: some(
    fc.constantFrom(
      { type: 'text' },
      { type: 'json_object' },
      {
        type: 'json_schema',
        json_schema: { name: 'any', schema: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] } },
      },
    ),
  ),
  tools: some(fc.constantFrom([WEATHER], [WEATHER, TIME], [])),
  tool_choice: some(fc.constantFrom('auto', 'none', 'required', { type: 'function', function: { name: 'get_weather' } })),
  parallel_tool_calls: some(fc.boolean()),
  logit_bias: some(fc.constant({})),
  verbosity: some(fc.constantFrom('low', 'medium', 'high')),
  safety_identifier: some(text),
  unheard_of: some(fc.constant(1)),
});

describe.each(VENDOR_CASES)('$vendor', ({ vendor, chat, model, thinker, vision }) => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.close());

  test.each([false, true])(
    'any request OpenAI would take is answered well or refused by the relay, never by the vendor; strict vendor: %s',
    async (strict) => {
      await fc.assert(
        fc.asyncProperty(fields, fc.constantFrom(chat, model, thinker, vision), async (body, name) => {
          rig.reset();
          rig.simulator.setStrict(vendor, strict);
          const asked = { ...body, model: name.includes('chat') ? name : `${vendor}/${name}` };
          const answer = await rig.raw(asked);
          // Not those that an earlier request gave up and that arrived all the same.
          const mine = rig.seen().filter(({ headers }) => headers['x-request-id']?.startsWith(answer.headers.get('x-request-id') ?? '?'));
          const refusals = mine.filter(({ accounting }) => accounting?.errorCode !== null);
          expect(
            refusals.map(({ accounting, body: sent }) => [accounting?.errorCode, JSON.stringify(sent)]),
            answer.text,
          ).toEqual([]);
          if (answer.status === 400) expect(mine).toEqual([]);
          // The simulated model may break a promise that the relay then does not pass on as kept.
          else if (answer.status === 502) expect(answer.json()).toMatchObject({ error: { code: 'upstream_unmet' } });
          else {
            expect(answer.status, answer.text).toBe(200);
            expect(asked.stream ? answer.stream().problems : checkCompletion(answer.json())).toEqual([]);
          }
        }),
        { seed: 20_261_124, numRuns: 80, interruptAfterTimeLimit: 12_000 },
      );
    },
  );
});
