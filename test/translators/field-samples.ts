/** Values for every field of a request, each valid beside `model`, `messages` and what it `needs`; never only the neutral one. */
const TIDE = { name: 'tide', description: 'Tells the tide.', parameters: { type: 'object', properties: { port: { type: 'string' } } } };
const TOOLS = [{ type: 'function', function: TIDE }];
const SCHEMA = { type: 'object', properties: { port: { type: 'string' } }, required: ['port'] };

export interface FieldSample {
  readonly values: readonly unknown[];
  /** Fields without which the value would not be valid, or says nothing. */
  readonly needs?: Readonly<Record<string, unknown>>;
  /** The field is valid with a stream only. */
  readonly streamOnly?: true;
}

export const FIELD_SAMPLES: Readonly<Record<string, FieldSample>> = {
  model: { values: ['gpt-4o'] },
  messages: { values: [[{ role: 'user', content: 'Hello' }]] },
  stream: { values: [] },
  stream_options: {
    values: [{}, { include_usage: true }, { include_usage: false }, { include_usage: true, include_obfuscation: true }],
    streamOnly: true,
  },
  max_completion_tokens: { values: [1, 400, 500_000] },
  max_tokens: { values: [1, 400, 500_000] },
  temperature: { values: [0, 0.5, 2] },
  top_p: { values: [0, 0.9, 1] },
  presence_penalty: { values: [0, 0.5, -2] },
  frequency_penalty: { values: [0, 0.5, -2] },
  logit_bias: { values: [{}, { 50: 1 }] },
  logprobs: { values: [true, false] },
  top_logprobs: { values: [0, 3, 20], needs: { logprobs: true } },
  n: { values: [1, 2, 8, 9] },
  stop: { values: ['x', ['x', 'y'], ['a stop word of more than twenty characters'], ''] },
  seed: { values: [0, 7, -5, 2 ** 31] },
  response_format: {
    values: [
      { type: 'text' },
      { type: 'json_object' },
      { type: 'json_schema', json_schema: { name: 'a', schema: SCHEMA } },
      { type: 'json_schema', json_schema: { name: 'a' } },
    ],
    needs: { messages: [{ role: 'user', content: 'Hello, in json' }] },
  },
  tools: { values: [TOOLS, [{ type: 'function', function: { name: 'search' } }]] },
  tool_choice: { values: ['auto', 'none', 'required', { type: 'function', function: { name: 'tide' } }], needs: { tools: TOOLS } },
  parallel_tool_calls: { values: [true, false], needs: { tools: TOOLS } },
  reasoning_effort: { values: ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] },
  verbosity: { values: ['low', 'medium'] },
  modalities: { values: [['text']] },
  audio: { values: [{ voice: 'ash', format: 'mp3' }] },
  prediction: { values: [{ type: 'content', content: 'x' }] },
  web_search_options: { values: [{}] },
  service_tier: { values: ['auto', 'flex'] },
  store: { values: [true, false] },
  metadata: { values: [{ a: 'b' }] },
  user: { values: ['someone', 'x', ''] },
  safety_identifier: { values: ['somebody', 's', ''] },
  prompt_cache_key: { values: ['k'] },
  prompt_cache_options: { values: [{ mode: 'explicit' }] },
  prompt_cache_retention: { values: ['24h'] },
  moderation: { values: [{ model: 'omni-moderation-latest' }] },
  functions: { values: [[TIDE]] },
  function_call: { values: ['auto', 'none', { name: 'tide' }], needs: { functions: [TIDE] } },
};
