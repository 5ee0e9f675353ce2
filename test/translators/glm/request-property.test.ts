import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkChatRequest } from '../../../openai/chat/check-request.ts';
import type { ChatRequest } from '../../../openai/chat/request.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import { MODELS } from '../../../simulator/glm/models.ts';
import { openDesk } from '../../simulator/glm-desk.ts';
import { type Asked, ask } from './ask.ts';

const CHATS = MODELS.filter((model) => model.kind === 'chat');
const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

const words = fc.string({ unit: 'grapheme', maxLength: 12 });
const textPart = fc.record({ type: fc.constant('text'), text: words });
const imagePart = fc.record({
  type: fc.constant('image_url'),
  image_url: fc.record(
    {
      url: fc.constantFrom('https://a.example/b.png', 'data:image/png;base64,AAAA'),
      detail: fc.constantFrom('auto', 'low', 'high'),
    },
    { requiredKeys: ['url'] },
  ),
});
const content = fc.oneof(words, fc.array(textPart, { minLength: 1, maxLength: 3 }));
const userContent = fc.oneof(content, fc.array(fc.oneof(textPart, imagePart), { minLength: 1, maxLength: 3 }));
const callTurn = fc
  .tuple(fc.constantFrom('', '{}', '{"a":1}', '{"a":'), content, fc.option(words, { nil: undefined }))
  .map(([text, result, thought]) => [
    {
      role: 'assistant',
      content: null,
      ...(thought === undefined ? {} : { reasoning_content: thought }),
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: text } }],
    },
    { role: 'tool', tool_call_id: 'call_1', content: result },
  ]);
const turn = fc.oneof(
  content.map((value) => [{ role: 'system', content: value }]),
  content.map((value) => [{ role: 'developer', content: value }]),
  userContent.map((value) => [{ role: 'user', content: value }]),
  content.map((value) => [{ role: 'assistant', content: value }]),
  callTurn,
);
const toolOf = (name: string) =>
  fc.record(
    {
      name: fc.constant(name),
      description: words,
      strict: fc.boolean(),
      parameters: fc.constant({ type: 'object', properties: { a: {} }, required: ['a'], additionalProperties: false }),
    },
    { requiredKeys: ['name'] },
  );
const tools = fc.tuple(toolOf('look'), toolOf('jump')).map((specs) => specs.map((spec) => ({ type: 'function', function: spec })));

const whole = fc.record(
  {
    model: fc.constant('gpt-4o'),
    messages: fc.array(turn, { minLength: 1, maxLength: 5 }).map((turns) => turns.flat()),
    stream: fc.boolean(),
    max_completion_tokens: fc.integer({ min: 1, max: 1_000_000 }),
    max_tokens: fc.integer({ min: 1, max: 1_000_000 }),
    temperature: fc.double({ min: 0, max: 2, noNaN: true }),
    top_p: fc.double({ min: 0, max: 1, noNaN: true }),
    presence_penalty: fc.double({ min: -2, max: 2, noNaN: true }),
    frequency_penalty: fc.constantFrom(0, 1),
    logit_bias: fc.constantFrom({}, { '5': 1 }),
    logprobs: fc.constant(false),
    n: fc.integer({ min: 1, max: 4 }),
    stop: fc.oneof(words, fc.array(words, { minLength: 1, maxLength: 4 })),
    seed: fc.integer(),
    response_format: fc.constantFrom(
      { type: 'text' },
      { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } },
      { type: 'json_schema', json_schema: { name: 'a' } },
    ),
    tools,
    tool_choice: fc.constantFrom<unknown>('auto', 'none', 'required', { type: 'function', function: { name: 'look' } }),
    parallel_tool_calls: fc.boolean(),
    reasoning_effort: fc.constantFrom(...EFFORTS),
    verbosity: fc.constantFrom('low', 'medium', 'high'),
    modalities: fc.constant(['text']),
    prediction: fc.constant({ type: 'content', content: 'x' }),
    web_search_options: fc.constantFrom(
      {},
      { search_context_size: 'low' },
      { search_context_size: 'high', user_location: { type: 'approximate', approximate: { country: 'DE' } } },
    ),
    service_tier: fc.constant('auto'),
    store: fc.boolean(),
    metadata: fc.constant({ a: 'b' }),
    user: words,
    safety_identifier: fc.string({ unit: 'grapheme', maxLength: 200 }),
    prompt_cache_key: words,
    thinking: fc.constantFrom({ type: 'enabled' }, { type: 'disabled' }, { type: 'enabled', clear_thinking: false }),
    clear_thinking: fc.boolean(),
    do_sample: fc.boolean(),
    tool_stream: fc.boolean(),
    unheard_of: fc.constant(1),
  },
  { requiredKeys: ['model', 'messages'] },
);

/** Mostly of a few fields: a request of all of them is always altered somewhere. */
const requests = fc
  .tuple(whole, fc.boolean(), fc.array(fc.nat(40), { minLength: 1, maxLength: 4 }))
  .map(([request, all, picks]) => {
    const fields = Object.keys(request);
    const kept = new Set(all ? fields : ['model', 'messages', ...picks.map((pick) => fields[pick % fields.length] as string)]);
    return Object.fromEntries(Object.entries(request).filter(([field]) => kept.has(field))) as typeof request;
  })
  .filter((request) => request.tools !== undefined || request.tool_choice === undefined || request.tool_choice === 'auto');

function check(request: Record<string, unknown>, asked: Asked): void {
  const body = JSON.parse(JSON.stringify(asked.body)) as Record<string, unknown>;
  // Equal to itself through JSON: no undefined, no NaN; and no null anywhere.
  expect(body).toStrictEqual(asked.body);
  expect(JSON.stringify(body)).not.toMatch(/:null[,}]/);
  expect(Object.keys(body).filter((key) => !ALLOWED.has(key))).toEqual([]);
  const noted = new Set(asked.receipt.map((change) => change.field.replace(/[[.].*$/, '')));
  for (const field of Object.keys(request)) {
    expect([field, noted.has(field) || field in body]).toEqual([field, true]);
  }
}

const ALLOWED: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'stream',
  'thinking',
  'reasoning_effort',
  'do_sample',
  'temperature',
  'top_p',
  'max_tokens',
  'tool_stream',
  'tools',
  'tool_choice',
  'stop',
  'response_format',
  'request_id',
  'user_id',
]);

test('any request becomes one that the vendor takes, or a refusal by name', () => {
  const desk = openDesk();
  let serial = 0;
  let carried = 0;
  fc.assert(
    fc.property(requests, fc.constantFrom(...CHATS), fc.constantFrom('default' as const, ...EFFORTS), (raw, model, thinking) => {
      const request = checkChatRequest(raw, { maxMessages: 100, maxTools: 128 }) as ChatRequest & Record<string, unknown>;
      const region = model.regions[0] as string;
      // What the list says of search, it says of vision models too, which have none.
      const known = { webSearch: model.tools !== 'none' };
      const situation = { model: model.name, region, thinking, known, requestId: `req_${serial++}_of_this_run` };
      let asked: Asked;
      try {
        asked = ask(request, situation);
      } catch (error) {
        if (!(error instanceof OpenAIError)) throw error;
        expect([error.status, typeof error.details.param]).toEqual([400, 'string']);
        return;
      }
      carried++;
      check(request, asked);
      const told = desk.ask({ body: asked.body, region, faults: [{ name: 'profile', args: { value: 'strict' } }] });
      expect([told.status, told.status === 200 ? '' : told.text]).toEqual([200, '']);
    }),
    { numRuns: 1500 },
  );
  expect(carried).toBeGreaterThan(500);
});

test('with a strict key nothing that alters the answer goes out', () => {
  let carried = 0;
  fc.assert(
    fc.property(requests, fc.constantFrom(...CHATS), (raw, model) => {
      const lenient = altersOf(() => ask(raw, { model: model.name }));
      const strict = altersOf(() => ask(raw, { model: model.name, strict: true }));
      if (strict !== null) carried++;
      // Refused exactly where something would have been altered, or nothing could be carried anyhow.
      expect(strict).toEqual(lenient === null || lenient.length > 0 ? null : []);
    }),
    { numRuns: 2000 },
  );
  // Few of what is drawn at random alters nothing; none would prove nothing.
  expect(carried).toBeGreaterThan(5);
});

function altersOf(run: () => Asked): string[] | null {
  try {
    return run().changes.filter((change) => change.endsWith('!'));
  } catch (error) {
    if (error instanceof OpenAIError) return null;
    throw error;
  }
}
