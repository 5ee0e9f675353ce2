import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadCatalog } from '../../../catalog/catalog.ts';
import { checkChatRequest } from '../../../openai/chat/check-request.ts';
import type { Effort } from '../../../openai/chat/request.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import { requestFields } from '../../contract/openai-schema.ts';
import { type Asked, ask, EFFORTS } from './ask.ts';
import { FIELDS, requests } from './requests.ts';

const MODELS = [
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

const ALLOWED: ReadonlySet<string> = new Set([
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
]);

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
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

function carried(request: Record<string, unknown>, model: string, thinking: Effort | 'default', strict = false): Asked | null {
  try {
    return ask(request, { model, thinking, strict });
  } catch (error) {
    if (!(error instanceof OpenAIError)) throw error;
    expect([error.status, typeof error.details.param]).toEqual([400, 'string']);
    return null;
  }
}

const models = fc.constantFrom(...MODELS);
const defaults = fc.constantFrom('default' as const, ...EFFORTS);

test('the generator knows every field of OpenAI', () => {
  const drawn = [
    ...Object.keys(FIELDS),
    'model',
    'messages',
    'functions',
    'function_call',
    'tool_choice',
    'stream_options',
    'top_logprobs',
  ];
  expect(requestFields().filter((field) => !drawn.includes(field))).toEqual([]);
});

test('any request becomes one that the vendor takes, or a refusal by name', () => {
  let count = 0;
  fc.assert(
    fc.property(requests, models, defaults, (raw, model, thinking) => {
      const request = checkChatRequest(raw, { maxMessages: 100, maxTools: 128 }) as Record<string, unknown>;
      const asked = carried(request, model, thinking);
      if (asked === null) return;
      count++;
      const { body } = asked;
      const json = JSON.stringify(body);
      expect(JSON.parse(json)).toStrictEqual(body);
      expect(json).not.toMatch(/:null[,}]/);
      expect(Object.keys(body).filter((key) => !ALLOWED.has(key))).toEqual([]);
      for (const [field, [min, max]] of Object.entries(RANGES)) {
        if (body[field] !== undefined)
          expect([field, body[field], (body[field] as number) >= min && (body[field] as number) <= max]).toEqual([
            field,
            body[field],
            true,
          ]);
      }
      const noted = new Set(asked.receipt.map(({ field }) => field.replace(/[[.].*$/, '')));
      for (const field of Object.keys(request)) expect([field, noted.has(field) || field in body]).toEqual([field, true]);
      checkRules(asked);
    }),
    { numRuns: 3000 },
  );
  expect(count).toBeGreaterThan(1000);
});

/** What the vendor refuses together. */
function checkRules({ body, stream }: Asked): void {
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

test('with a strict key nothing that alters the answer goes out, and only that is refused', () => {
  let count = 0;
  fc.assert(
    fc.property(requests, models, defaults, (raw, model, thinking) => {
      const lenient = carried(raw, model, thinking)?.receipt.filter(({ alters }) => alters) ?? null;
      const strict = carried(raw, model, thinking, true);
      if (strict !== null) count++;
      expect(strict?.receipt.filter(({ alters }) => alters) ?? null).toEqual(lenient === null || lenient.length > 0 ? null : []);
    }),
    { numRuns: 3000 },
  );
  expect(count).toBeGreaterThan(30);
});

test('the request of the caller is not changed', () => {
  fc.assert(
    fc.property(requests, models, (raw, model) => {
      const before = structuredClone(raw);
      carried(raw, model, 'default');
      expect(raw).toEqual(before);
    }),
    { numRuns: 500 },
  );
});
