/**
 * Where OpenAI's fields stand in the vendors' requests, by the vendors' own documentation; null = the vendor documents none. Fields that show
 * in the answer (tools, formats, limits …) are judged by the answer and are not listed.
 */
type Places = Readonly<Record<string, string | null>>;

const NOWHERE: Places = { qwen: null, ernie: null, glm: null };
const EVERYWHERE = (name: string): Places => ({ qwen: name, ernie: name, glm: name });
const END_USER: Places = { qwen: null, ernie: 'user', glm: 'user_id' };

const FIELDS: Readonly<Record<string, Places>> = {
  temperature: EVERYWHERE('temperature'),
  top_p: EVERYWHERE('top_p'),
  presence_penalty: { qwen: 'presence_penalty', ernie: 'presence_penalty', glm: null },
  frequency_penalty: { qwen: null, ernie: 'frequency_penalty', glm: null },
  seed: { qwen: 'seed', ernie: 'seed', glm: null },
  logit_bias: NOWHERE,
  user: END_USER,
  safety_identifier: END_USER,
  metadata: NOWHERE,
  store: NOWHERE,
  service_tier: NOWHERE,
  prediction: NOWHERE,
  verbosity: NOWHERE,
  prompt_cache_key: NOWHERE,
  prompt_cache_options: NOWHERE,
  prompt_cache_retention: NOWHERE,
  moderation: NOWHERE,
};

/** The vendor's name of a field; null when it has none, undefined when the answer shows what became of the field. */
export function vendorField(vendor: string, field: string): string | null | undefined {
  return FIELDS[field]?.[vendor];
}
