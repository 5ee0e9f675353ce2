/** Any request that OpenAI would take, for the properties of this folder. */
import fc from 'fast-check';
import { EFFORTS, TOOLS, tool } from './ask.ts';

const text = fc.oneof(fc.constantFrom('', 'Hi', 'as json', '你好 😀'), fc.string({ maxLength: 8 }));
const textPart = text.map((words) => ({ type: 'text', text: words }));
const marked = textPart.map((part) => ({ ...part, cache_control: { type: 'ephemeral' } }));
const image = fc
  .record(
    { url: fc.constant('https://a.example/b.png'), detail: fc.constantFrom('auto', 'low', 'high', 'original') },
    { requiredKeys: ['url'] },
  )
  .map((image_url) => ({ type: 'image_url', image_url }));
const texts = fc.oneof(text, fc.array(fc.oneof(textPart, marked), { minLength: 1, maxLength: 3 }));
const call = fc.tuple(fc.constantFrom('look', 'search'), fc.constantFrom('', '{}', '{"a":1}', '{"a'));

/** A turn or a few that belong together; ids are given by place. */
const turns = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .oneof(texts, fc.array(fc.oneof(textPart, image), { minLength: 1, maxLength: 3 }))
      .map((content) => [{ role: 'user', content }]),
  },
  fc.tuple(fc.constantFrom('system', 'developer'), texts).map(([role, content]) => [{ role, content }]),
  fc
    .record({ content: texts, reasoning_content: text, refusal: text, name: fc.constant('Bob') }, { requiredKeys: ['content'] })
    .map((more) => [{ role: 'assistant', ...more }]),
  fc.constant([{ role: 'assistant', content: null, refusal: 'No' }]),
  fc.tuple(fc.array(call, { minLength: 1, maxLength: 2 }), texts).map(([calls, content]) => [
    {
      role: 'assistant',
      content: null,
      tool_calls: calls.map(([name, json], at) => ({ id: `call_${at}`, type: 'function', function: { name, arguments: json } })),
    },
    ...calls.map((_, at) => ({ role: 'tool', tool_call_id: `call_${at}`, content })),
  ]),
  call.map(([name, json]) => [{ role: 'assistant', content: null, function_call: { name, arguments: json } }]),
  text.map((content) => [{ role: 'function', name: 'look', content }]),
);

/** JSON has no negative zero. */
const number = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map((value) => value + 0);
const named = { type: 'function', function: { name: 'look' } };
const schema = { type: 'object', properties: { a: { type: 'array', uniqueItems: true } } };

export const FIELDS = {
  stream: fc.boolean(),
  max_completion_tokens: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
  max_tokens: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
  temperature: number(0, 2),
  top_p: number(0, 1),
  presence_penalty: number(-2, 2),
  frequency_penalty: number(-2, 2),
  logit_bias: fc.constantFrom({}, { 1: 5 }),
  logprobs: fc.boolean(),
  n: fc.integer({ min: 1, max: 10 }),
  stop: fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 4 })),
  seed: fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-(2 ** 63), 2 ** 63)),
  response_format: fc.constantFrom(
    { type: 'text' },
    { type: 'json_schema', json_schema: { name: 'a', schema, strict: null } },
    { type: 'json_schema', json_schema: { name: 'a' } },
  ),
  tools: fc.constantFrom(
    [],
    TOOLS,
    [...TOOLS, tool('search'), tool('search_')],
    [{ type: 'function', function: { name: 'look', description: null, parameters: null, strict: true } }],
  ),
  parallel_tool_calls: fc.boolean(),
  reasoning_effort: fc.constantFrom(...EFFORTS),
  verbosity: fc.constantFrom('low', 'medium'),
  modalities: fc.constantFrom(['text'], ['text', 'audio']),
  audio: fc.constant({ voice: 'alloy', format: 'wav' }),
  prediction: fc.constant({}),
  web_search_options: fc.constantFrom({}, { search_context_size: 'high' }, { user_location: { type: 'approximate', approximate: {} } }),
  service_tier: fc.constant('auto'),
  store: fc.boolean(),
  metadata: fc.constant({ a: 'b' }),
  user: text,
  safety_identifier: text,
  prompt_cache_key: text,
  prompt_cache_options: fc.constant({}),
  prompt_cache_retention: fc.constant('24h'),
  moderation: fc.constant({}),
};

const OWN = {
  enable_thinking: fc.boolean(),
  thinking_budget: fc.integer({ min: 1, max: 260_000 }),
  preserve_thinking: fc.boolean(),
  top_k: fc.integer({ min: 0, max: 100 }),
  unheard_of: fc.constant(1),
};

/** Valid requests of every kind: all fields, roles, parts, orders of turns, and Qwen's own fields. */
export const requests = fc
  .tuple(
    fc.array(turns, { minLength: 1, maxLength: 5 }).map((list) => list.flat()),
    fc.record({ ...FIELDS, ...OWN }, { requiredKeys: [] }),
    fc.record(
      {
        tool_choice: fc.constantFrom<unknown>('auto', 'none', 'required', named, {
          type: 'allowed_tools',
          allowed_tools: { mode: 'required', tools: [named] },
        }),
        legacy: fc.boolean(),
        function_call: fc.constantFrom<unknown>('auto', 'none', { name: 'look' }),
        stream_options: fc.constantFrom({}, { include_usage: true }, { include_obfuscation: true }),
        top_logprobs: fc.integer({ min: 0, max: 20 }),
      },
      { requiredKeys: ['legacy'] },
    ),
    fc.integer({ min: 0, max: 255 }),
  )
  .map(([messages, fields, { legacy, ...bound }, sparse]) => {
    // Some fields are left out, so that requests of few fields are drawn too.
    const kept = Object.entries(fields).filter((_, at) => ((sparse >> (at % 8)) & 1) === 1);
    const request: Record<string, unknown> = { model: 'gpt-4o', messages, ...Object.fromEntries(kept) };
    const tools = request['tools'] as unknown[] | undefined;
    if (legacy) {
      delete request['tools'];
      request['functions'] = [TOOLS[0]?.function];
      if (bound.function_call !== undefined) request['function_call'] = bound.function_call;
    } else if (bound.tool_choice !== undefined && (tools?.length ?? 0) > 0) request['tool_choice'] = bound.tool_choice;
    if (request['stream'] === true && bound.stream_options !== undefined) request['stream_options'] = bound.stream_options;
    if (request['logprobs'] === true && bound.top_logprobs !== undefined) request['top_logprobs'] = bound.top_logprobs;
    return request;
  });
