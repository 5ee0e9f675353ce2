/** Good answers and streams, written by hand after OpenAI's documented shapes; the tests damage copies of them. */

export const USAGE = {
  prompt_tokens: 12,
  completion_tokens: 4,
  total_tokens: 16,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
};

const HEAD = { id: 'chatcmpl-Sample1', created: 1795546310, model: 'gpt-4o-2024-08-06', service_tier: 'default', system_fingerprint: null };

const call = (id: string, name: string, text: string) => ({ id, type: 'function', function: { name, arguments: text } });

export const textAnswer = () => ({
  ...HEAD,
  object: 'chat.completion',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'The Łódź.', refusal: null, annotations: [] },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: structuredClone(USAGE),
});

export const toolAnswer = () => ({
  ...HEAD,
  object: 'chat.completion',
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: null,
        reasoning_content: 'Two halls.',
        refusal: null,
        tool_calls: [call('call_a', 'count', '{"hall":"A"}'), call('call_b', 'count', '{}')],
      },
      finish_reason: 'tool_calls',
    },
  ],
  usage: structuredClone(USAGE),
});

type Delta = { [key: string]: unknown };

export const chunk = (delta: Delta, finish: string | null = null, index = 0) => ({
  ...HEAD,
  object: 'chat.completion.chunk',
  choices: [{ index, delta, logprobs: null, finish_reason: finish }],
});

export const textChunks = () => [
  chunk({ role: 'assistant', content: '', refusal: null }),
  chunk({ content: 'The ' }),
  chunk({ content: 'Łódź.' }),
  chunk({}, 'stop'),
];

const piece = (index: number, text: string) => chunk({ tool_calls: [{ index, function: { arguments: text } }] });

export const toolChunks = () => [
  chunk({ role: 'assistant', content: null, refusal: null }),
  chunk({ reasoning_content: 'Two ' }),
  chunk({ reasoning_content: 'halls.' }),
  chunk({ tool_calls: [{ index: 0, ...call('call_a', 'count', '') }] }),
  piece(0, '{"hall"'),
  piece(0, ':"A"}'),
  chunk({ tool_calls: [{ index: 1, ...call('call_b', 'count', '') }] }),
  piece(1, '{}'),
  chunk({}, 'tool_calls'),
];

export const usageChunk = () => ({ ...HEAD, object: 'chat.completion.chunk', choices: [], usage: structuredClone(USAGE) });

/** Chunks as `stream_options.include_usage` has them: `usage: null` on each, then one with the counts. */
export const withUsage = (chunks: object[]): object[] => [...chunks.map((each) => ({ ...each, usage: null })), usageChunk()];

export const frames = (chunks: readonly unknown[]): string => chunks.map((each) => `data: ${JSON.stringify(each)}\n\n`).join('');

export const DONE = 'data: [DONE]\n\n';

export const errorBody = () => ({
  error: { message: 'The backend closed the stream.', type: 'server_error', param: null, code: 'upstream_truncated' },
});

type Node = { [key: string]: unknown };

/** The sample with the value at a dotted path set, or the key taken away when no value is given. */
export function damage<T>(sample: T, path: string, ...value: unknown[]): T {
  const keys = path.split('.');
  const last = keys.pop()!;
  const owner = keys.reduce((node, key) => node[key] as Node, sample as Node);
  if (value.length === 0) delete owner[last];
  else owner[last] = value[0];
  return sample;
}
