/** What DashScope takes, whatever the protocol: names of fields, ranges, and what it refuses together. */
import { expect } from 'vitest';
import { loadCatalog } from '../../../catalog/catalog.ts';
import type { Asked } from './ask.ts';

export const MODELS = [
  ...loadCatalog().chatModels('qwen'),
  'qwq-plus',
  'qwen3-235b-a22b',
  'qwen3-0.6b',
  'qwen3-next-80b-a3b-thinking',
  'qwen3-omni-flash',
  'deepseek-v4-pro',
  'deepseek-v3.2',
  'glm-5.1',
  'qwen-plus-2024-09-19',
  'never-heard-of',
];

export const ALLOWED: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'stream',
  'stream_options',
  'temperature',
  'top_p',
  'top_k',
  'presence_penalty',
  'max_tokens',
  'max_completion_tokens',
  'n',
  'seed',
  'stop',
  'response_format',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'logprobs',
  'top_logprobs',
  'enable_thinking',
  'thinking_budget',
  'preserve_thinking',
  'reasoning_effort',
  'modalities',
  'vl_high_resolution_images',
  'enable_search',
  'search_options',
]);

export const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  temperature: [0, 1.99],
  top_p: [0.001, 1],
  presence_penalty: [-2, 2],
  seed: [0, 2 ** 31 - 1],
  n: [1, 4],
  top_logprobs: [0, 5],
  thinking_budget: [1, Number.MAX_SAFE_INTEGER],
  max_tokens: [1, Number.MAX_SAFE_INTEGER],
  max_completion_tokens: [1, Number.MAX_SAFE_INTEGER],
};

/** What the vendor refuses together. */
export function checkRules({ body, stream }: Asked): void {
  const thinks = body['enable_thinking'] === true;
  const format = (body['response_format'] as { type: string } | undefined)?.type;
  const choice = body['tool_choice'];
  expect(body['thinking_budget'] !== undefined && body['reasoning_effort'] !== undefined).toBe(false);
  if (body['enable_thinking'] === false) expect([body['thinking_budget'], body['reasoning_effort']]).toEqual([undefined, undefined]);
  if (thinks)
    expect([format, choice === 'required' || typeof choice === 'object', body['n'], stream]).toEqual([undefined, false, undefined, true]);
  if (format === 'json_object') expect(JSON.stringify(body['messages'])).toMatch(/json/i);
  expect(body['stream']).toBe(stream);
  expect(body['stream_options']).toEqual(stream ? { include_usage: true } : undefined);
  const tools = body['tools'] as { function: { name: string } }[] | undefined;
  if (tools !== undefined) {
    expect(tools.length).toBeGreaterThan(0);
    expect(new Set(tools.map((entry) => entry.function.name)).size).toBe(tools.length);
    expect(tools.map((entry) => entry.function.name)).not.toContain('search');
  }
  const messages = body['messages'] as { role: string; content: unknown; tool_calls?: { id: string }[]; tool_call_id?: string }[];
  expect(messages.slice(1).filter(({ role }) => role === 'system')).toEqual([]);
  expect(messages.some(({ role }) => role === 'user')).toBe(true);
  expect(['user', 'tool']).toContain(messages.at(-1)?.role);
  let open: string[] = [];
  for (const message of messages) {
    expect(message.content === '' ? message.tool_calls !== undefined : true).toBe(true);
    if (message.role === 'tool') {
      expect(open).toContain(message.tool_call_id);
      open = open.filter((id) => id !== message.tool_call_id);
    } else {
      expect(open).toEqual([]);
      open = (message.tool_calls ?? []).map(({ id }) => id);
    }
  }
  expect(open).toEqual([]);
}
