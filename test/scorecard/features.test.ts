import { expect, test } from 'vitest';
import type { ChatField } from '../../openai/chat/request.ts';
import type { CardModel } from '../../scorecard/feature.ts';
import { FEATURES } from '../../scorecard/features.ts';

const MODEL: CardModel = { backend: 'b', vendor: 'qwen', protocol: 'compatible', model: 'm', kind: 'chat', alias: 'a', retired: false };

/** The compiler asks for every field of OpenAI's. */
const CHAT_FIELDS: Record<ChatField, true> = {
  model: true,
  messages: true,
  stream: true,
  stream_options: true,
  max_completion_tokens: true,
  max_tokens: true,
  temperature: true,
  top_p: true,
  presence_penalty: true,
  frequency_penalty: true,
  logit_bias: true,
  logprobs: true,
  top_logprobs: true,
  n: true,
  stop: true,
  seed: true,
  response_format: true,
  tools: true,
  tool_choice: true,
  parallel_tool_calls: true,
  reasoning_effort: true,
  verbosity: true,
  modalities: true,
  audio: true,
  prediction: true,
  web_search_options: true,
  service_tier: true,
  store: true,
  metadata: true,
  user: true,
  safety_identifier: true,
  prompt_cache_key: true,
  prompt_cache_options: true,
  prompt_cache_retention: true,
  moderation: true,
  functions: true,
  function_call: true,
};

test('ids are unique and sortable by group', () => {
  const ids = FEATURES.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const groups = FEATURES.map(({ group }) => group);
  expect(groups.filter((group, place) => group !== groups[place - 1]).length).toBe(new Set(groups).size);
});

test.each(Object.keys(CHAT_FIELDS).filter((field) => field !== 'model'))(
  '%s is asked for with a value, by a row that has it as its own',
  (field) => {
    const rows = FEATURES.filter(({ kind, fields }) => kind === 'chat' && fields.includes(field));
    const bodies = rows.flatMap((row) => row.probes(true, MODEL).map(({ ask }) => ask.body ?? {}));
    expect(bodies.some((body) => body[field] !== undefined && body[field] !== null)).toBe(true);
  },
);

test.each(FEATURES.map(({ id, ...feature }) => [id, feature] as const))('%s has something to ask of the simulator', (_id, { probes }) => {
  expect(probes(true, MODEL).length).toBeGreaterThan(0);
});

test.each(FEATURES.map(({ id, ...feature }) => [id, feature] as const))(
  '%s says nothing of the simulator to a live model',
  (_id, { probes }) => {
    expect(JSON.stringify(probes(false, MODEL))).not.toContain('[[sim');
  },
);
