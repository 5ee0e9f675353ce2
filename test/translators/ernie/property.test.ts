/** Any valid request: what goes out is what Qianfan documents, and no field is lost without a word. The simulator's checks are the judge. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkChatRequest } from '../../../openai/chat/check-request.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import { readMessages } from '../../../simulator/ernie/messages.ts';
import { findChatModel } from '../../../simulator/ernie/models.ts';
import { readParameters } from '../../../simulator/ernie/parameters.ts';
import { readThinking } from '../../../simulator/ernie/thinking.ts';
import { type Planned, plan } from './plan.ts';

/** The keys a body may have, and where a request's field may have gone when the receipt is silent about it. */
const ALLOWED = new Set(
  `model messages stream stream_options temperature top_p penalty_score frequency_penalty presence_penalty repetition_penalty max_tokens
  max_completion_tokens seed stop tools tool_choice parallel_tool_calls response_format web_search user enable_thinking thinking
  thinking_budget thinking_strategy reasoning_effort`.split(/\s+/),
);

const MODELS = [
  'ernie-5.5-flash-preview',
  'ernie-5.1',
  'ernie-5.0',
  'ernie-5.0-thinking-latest',
  'ernie-4.5-turbo-128k',
  'ernie-4.5-turbo-vl',
  'ernie-4.5-turbo-vl-32k-preview',
  'ernie-4.5-8k-preview',
  'ernie-x1.1',
  'ernie-x1-turbo-32k',
  'ernie-char-fiction-8k',
  'qianfan-70b',
  'deepseek-v3.2',
  'deepseek-v3.1-250821',
  'deepseek-v4-pro',
  'deepseek-r1',
  'qwen3-32b',
  'kimi-k2.5',
  'glm-4.7',
];

const words = fc.oneof(fc.constantFrom('', ' ', '\n', '\t', 'json'), fc.string({ maxLength: 30 }));
const number = (min: number, max: number) => fc.oneof(fc.constantFrom(min, max), fc.double({ min, max, noNaN: true }));
const textPart = fc.record(
  { type: fc.constant('text'), text: words, cache_control: fc.constant({ type: 'ephemeral' }) },
  { requiredKeys: ['type', 'text'] },
);
const imagePart = fc.record({
  type: fc.constant('image_url'),
  image_url: fc.record(
    {
      url: fc.constantFrom('https://img.example.org/a.png', 'http://img.example.org/b.jpg?c=d'),
      detail: fc.constantFrom('auto', 'low', 'high', 'original'),
    },
    { requiredKeys: ['url'] },
  ),
});
const call = fc.record({
  id: fc.constantFrom('a', 'b'),
  type: fc.constant('function'),
  function: fc.constantFrom({ name: 'tide', arguments: '' }, { name: 'wind', arguments: '{"x":1}' }, { name: 'wind', arguments: '{"x"' }),
});

/** Turns that are valid side by side. */
const turn = (images: boolean): fc.Arbitrary<Record<string, unknown>[]> =>
  fc.oneof(
    fc
      .record({
        role: fc.constantFrom('system', 'developer'),
        content: fc.oneof(words, fc.array(textPart, { minLength: 1, maxLength: 2 })),
      })
      .map((message) => [message]),
    fc
      .record(
        {
          role: fc.constant('user'),
          content: fc.oneof(words, fc.array(images ? fc.oneof(textPart, imagePart) : textPart, { minLength: 1, maxLength: 3 })),
          name: fc.constantFrom('Ala', 'Ola'),
        },
        { requiredKeys: ['role', 'content'] },
      )
      .map((message) => [message]),
    fc
      .record(
        {
          role: fc.constant('assistant'),
          content: words,
          reasoning_content: words,
          partial: fc.boolean(),
          refusal: fc.constantFrom(null, 'No.'),
        },
        { requiredKeys: ['role', 'content'] },
      )
      .map((message) => [message]),
    fc
      .record({ calls: fc.uniqueArray(call, { minLength: 1, selector: ({ id }) => id }), result: words })
      .map(({ calls, result }) => [
        { role: 'assistant', content: null, tool_calls: calls },
        ...calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: result })),
      ]),
    words.map((content) => [
      { role: 'assistant', content: null, function_call: { name: 'tide', arguments: '{}' } },
      { role: 'function', name: 'tide', content },
    ]),
  );
const messages = (images: boolean) =>
  fc.array(turn(images), { minLength: 1, maxLength: 6 }).map((turns) => [{ role: 'system', content: 'Say json.' }, ...turns.flat()]);

const tool = fc.constantFrom('tide', 'wind', 'search').map((name) => ({ type: 'function', function: { name } }));
const tooling = fc.record(
  {
    tools: fc.uniqueArray(tool, { minLength: 1, selector: (each) => each.function.name }),
    tool_choice: fc.constantFrom('none', 'auto', 'required', 'first', 'allowed'),
    parallel_tool_calls: fc.boolean(),
  },
  { requiredKeys: ['tools'] },
);
const withTools = tooling.map(({ tools, tool_choice: choice, ...rest }) => {
  if (choice === undefined) return { tools, ...rest };
  const allowed = { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [tools[0]] } };
  return { tools, tool_choice: choice === 'first' ? tools[0] : choice === 'allowed' ? allowed : choice, ...rest };
});
const legacy = fc.record(
  { functions: fc.constant([{ name: 'tide', description: 'x' }]), function_call: fc.constantFrom('none', 'auto', { name: 'tide' }) },
  { requiredKeys: ['functions'] },
);

const fields = fc.record(
  {
    stream: fc.boolean(),
    max_completion_tokens: fc.oneof(fc.constantFrom(1, 2, 100), fc.integer({ min: 1, max: 200_000 })),
    max_tokens: fc.oneof(fc.constantFrom(1, 2, 100), fc.integer({ min: 1, max: 200_000 })),
    temperature: number(0, 2),
    top_p: number(0, 1),
    presence_penalty: number(-2, 2),
    frequency_penalty: number(-2, 2),
    logit_bias: fc.constantFrom({}, { 5: 1 }),
    logprobs: fc.boolean(),
    n: fc.integer({ min: 1, max: 4 }),
    stop: fc.oneof(words, fc.array(fc.string({ maxLength: 25 }), { minLength: 1, maxLength: 4 })),
    seed: fc.oneof(fc.constantFrom(0, 1, -1, 2147483646, 2147483647, 2 ** 63, -(2 ** 63)), fc.maxSafeInteger()),
    response_format: fc.constantFrom(
      { type: 'text' },
      { type: 'json_object' },
      { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } },
      { type: 'json_schema', json_schema: { name: 'a' } },
    ),
    reasoning_effort: fc.constantFrom('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'),
    verbosity: fc.constantFrom('low', 'medium'),
    modalities: fc.constant(['text']),
    prediction: fc.constant({ type: 'content', content: 'x' }),
    web_search_options: fc.constantFrom({}, { search_context_size: 'low' }),
    web_search: fc.record(
      {
        enable: fc.boolean(),
        search_mode: fc.constantFrom('auto', 'required'),
        search_number: fc.integer({ min: 4, max: 28 }),
        reference_number: fc.constant(4),
      },
      { requiredKeys: ['search_number'] },
    ),
    service_tier: fc.constant('auto'),
    store: fc.boolean(),
    metadata: fc.constant({ a: 'b' }),
    user: fc.string({ maxLength: 100 }),
    safety_identifier: fc.string({ maxLength: 100 }),
    prompt_cache_key: fc.string(),
    enable_thinking: fc.boolean(),
    thinking: fc.constantFrom({ type: 'enabled' }, { type: 'disabled' }),
    thinking_budget: fc.integer({ min: 100, max: 40_000 }),
    thinking_strategy: fc.constantFrom('short_think', 'chain_of_draft'),
    penalty_score: number(1, 2),
    repetition_penalty: number(0.01, 2),
    mirostat: fc.constant(1),
  },
  { requiredKeys: [] },
);

const requests = (images: boolean) =>
  fc
    .tuple(fields, messages(images), fc.oneof(fc.constant({}), withTools, legacy))
    .map(([rest, list, tools]) => ({ model: 'gpt-4o', messages: list, ...rest, ...tools }));

/** Null when the translator refuses by name, which it may. */
function planOrRefusal(request: Record<string, unknown>, model: string, strict: boolean): Planned | null {
  const known = findChatModel(model);
  // What no catalogue of ours lists, an admin would have to tell.
  const facts = { maxOutputTokens: known?.maxOutputTokens ?? null, ...(known?.ernie === false ? { vision: known.vision } : {}) };
  try {
    return plan(request, { model, strict, facts });
  } catch (error) {
    expect(error).toBeInstanceOf(OpenAIError);
    expect((error as OpenAIError).status).toBe(400);
    expect((error as OpenAIError).details.param).toBeTypeOf('string');
    return null;
  }
}

function holes(value: unknown, path = 'body'): string[] {
  if (value === undefined || value === null) return [path];
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [path];
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, entry]) => holes(entry, `${path}.${key}`));
}

function lost(request: Record<string, unknown>, made: Planned): string[] {
  const named = new Set(made.receipt.changes.map(({ field }) => field.split(/[.[]/)[0]));
  return Object.keys(request).filter((field) => !(field in made.body) && !named.has(field));
}

/** @throws the simulator's refusal */
function judge(made: Planned, model: string, profile: '2025' | '2026' | 'strict'): void {
  const known = findChatModel(model);
  if (known === undefined) throw new Error(`the simulator does not know ${model}`);
  readParameters(made.body, known, profile);
  readThinking(made.body, known);
  readMessages(made.body['messages'], known, profile);
}

const thinksWithBudget = ({ body }: Planned): boolean =>
  body['enable_thinking'] !== false && (body['thinking'] as { type?: string } | undefined)?.type !== 'disabled';

test.each(MODELS)('%s', (model) => {
  let planned = 0;
  fc.assert(
    fc.property(requests(true), (request) => {
      checkChatRequest(request, { maxMessages: 100, maxTools: 10 });
      const made = planOrRefusal(request, model, false);
      if (made === null) return;
      planned++;
      expect(Object.keys(made.body).filter((key) => !ALLOWED.has(key))).toEqual([]);
      expect(holes(made.body)).toEqual([]);
      expect(lost(request, made)).toEqual([]);
      const { max_completion_tokens: bound, thinking_budget: budget } = made.body;
      // A budget that is as large as the bound is refused by the vendor.
      if (typeof bound === 'number' && typeof budget === 'number' && thinksWithBudget(made)) expect(bound).toBeGreaterThan(budget);
      // Its ids differ in whether they have a switch, and the simulator is one of those that have none: the client's own may go out.
      judge(made, model, model === 'ernie-4.5-turbo-vl' ? '2026' : 'strict');
    }),
    { numRuns: 150 },
  );
  expect(planned).toBeGreaterThan(20);
});

/** Few fields, one message: most requests with many hold something that a strict key is refused. */
const modest = fc
  .tuple(fields, fc.array(fc.nat(), { maxLength: 3 }), fc.oneof(fc.constant({}), withTools, legacy))
  .map(([all, picks, tools]) => {
    const entries = Object.entries(all);
    const few = picks.flatMap((pick) => (entries.length === 0 ? [] : [entries[pick % entries.length] as [string, unknown]]));
    return { model: 'gpt-4o', messages: [{ role: 'user', content: 'Say json.' }], ...Object.fromEntries(few), ...tools };
  });

test('a strict key never gets a change that alters the answer', () => {
  let planned = 0;
  fc.assert(
    fc.property(modest, fc.constantFrom(...MODELS), (request, model) => {
      const made = planOrRefusal(request, model, true);
      const free = planOrRefusal(request, model, false);
      if (free?.receipt.changes.some(({ alters }) => alters)) expect(made).toBeNull();
      if (made === null) return;
      planned++;
      expect(made.receipt.changes.filter(({ alters }) => alters)).toEqual([]);
      expect(made.body).toEqual(free?.body);
    }),
    { numRuns: 2000 },
  );
  expect(planned).toBeGreaterThan(200);
});

test('text keeps to the order that ERNIE of 2025 wanted, whatever the names', () => {
  fc.assert(
    fc.property(messages(false), (list) => {
      const made = plan({ messages: list }, { model: 'ernie-4.5-turbo-128k' });
      judge(made, 'ernie-4.5-turbo-128k', '2025');
    }),
    { numRuns: 500 },
  );
});
