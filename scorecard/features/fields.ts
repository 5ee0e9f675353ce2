import type { Feature, Json } from '../feature.ts';
import { both, probe, user } from './prompts.ts';

const row = (id: string, title: string, fields: Json, names: readonly string[] = Object.keys(fields)): Feature => ({
  id,
  group: 'Other fields',
  title,
  kind: 'chat',
  fields: names,
  shows: false,
  probes: () => both({ messages: [user('Hello.')], ...fields }),
});

/** Each vendor's switch, by its documentation. */
function searches(vendor: string, body: Json): boolean {
  if (vendor === 'qwen') return body['enable_search'] === true;
  if (vendor === 'ernie') return (body['web_search'] as Json | undefined)?.['enable'] === true;
  return ((body['tools'] ?? []) as readonly Json[]).some(({ type }) => type === 'web_search');
}

const ALL_NULL = {
  stream_options: null,
  n: null,
  stop: null,
  max_tokens: null,
  max_completion_tokens: null,
  temperature: null,
  top_p: null,
  presence_penalty: null,
  frequency_penalty: null,
  logit_bias: null,
  logprobs: null,
  top_logprobs: null,
  seed: null,
  metadata: null,
  store: null,
  service_tier: null,
  modalities: null,
};

export const FIELDS: readonly Feature[] = [
  row('user', 'user', { user: 'reader-42' }),
  row('safety-identifier', 'safety_identifier', { safety_identifier: 'reader-42' }),
  row('metadata', 'metadata', { metadata: { ticket: '7' } }),
  row('store', 'store: true', { store: true }),
  row('service-tier', 'service_tier', { service_tier: 'priority' }),
  row('prediction', 'prediction', { prediction: { type: 'content', content: 'Hello!' } }),
  row('verbosity', 'verbosity: low', { verbosity: 'low' }),
  row('prompt-cache', 'prompt_cache_key, prompt_cache_options, prompt_cache_retention', {
    prompt_cache_key: 'k1',
    prompt_cache_options: { mode: 'implicit' },
    prompt_cache_retention: '24h',
  }),
  {
    ...row('web-search', 'web_search_options', {}, ['web_search_options']),
    shows: true,
    probes: (_sim, { vendor }) =>
      both({ messages: [user('What is new about lighthouses?')], web_search_options: {} }, ({ citations }, _answer, { sent, changes }) => {
        if (changes.some(({ field, fate }) => field === 'web_search_options' && fate === 'dropped')) return [];
        if (sent !== null && !searches(vendor, sent[0]?.body ?? {}))
          return ['the vendor is not asked to search, and the receipt is silent'];
        return citations > 0 ? [] : [{ lack: 'the answer names no pages' }];
      }),
  },
  row('moderation', 'moderation', { moderation: { model: 'omni-moderation-latest' } }),
  { ...row('nulls', 'null stands for absent', ALL_NULL), shows: true, probes: () => [probe({ messages: [user('Hello.')], ...ALL_NULL })] },
];
