import { dropQuietly, dropUnless, elsewhere, type FieldRules, refuseUnless } from './draft.ts';

const cached = dropQuietly('the backend caches prompts by itself');

/** What every dialect does alike; each spreads it and adds, or overrides, its own. The compiler still asks each for every field. */
export const SHARED_RULES = {
  model: elsewhere,
  messages: elsewhere,
  stream: elsewhere,
  stream_options: elsewhere,
  max_completion_tokens: elsewhere,
  max_tokens: elsewhere,
  n: elsewhere,
  stop: elsewhere,
  response_format: elsewhere,
  tools: elsewhere,
  tool_choice: elsewhere,
  parallel_tool_calls: elsewhere,
  reasoning_effort: elsewhere,
  verbosity: dropUnless((value) => value === 'medium', 'the backend has no such switch'),
  audio: refuseUnless(() => false, 'the relay carries text answers only'),
  prediction: dropQuietly('it only makes answers faster'),
  web_search_options: dropUnless(() => false, 'web search costs extra and is not switched on'),
  service_tier: dropQuietly('the backend has one tier'),
  store: dropQuietly('the relay stores no answers'),
  metadata: dropQuietly('it is the caller’s own note'),
  prompt_cache_key: cached,
  prompt_cache_options: cached,
  prompt_cache_retention: cached,
  moderation: dropUnless(() => false, 'the backend moderates by its own rules'),
  functions: elsewhere,
  function_call: elsewhere,
} satisfies Partial<FieldRules>;
