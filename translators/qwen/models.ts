import type { ModelFacts } from '../translator.ts';

/** How a Qwen model's thinking is switched. */
export type ThinkingSwitch =
  /** `enable_thinking`, bounded by `thinking_budget`. */
  | 'budget'
  /** `enable_thinking`, or `reasoning_effort` of low, medium, xhigh; never together with a budget (Qwen3.8). */
  | 'effort'
  /** `enable_thinking`, or `reasoning_effort` of high, max (DeepSeek-V4 and GLM hosted on DashScope). */
  | 'hosted-effort'
  /** Thinks whatever is sent. */
  | 'always'
  | 'none';

interface Family {
  readonly match: RegExp;
  readonly thinking: ThinkingSwitch;
  readonly thinksByDefault: boolean;
  /** Refuses `stream: false`, at least while it thinks. */
  readonly streamOnly?: 'always' | 'thinking';
  /** Takes `max_completion_tokens`, which bounds thinking and answer together. */
  readonly totalTokens?: boolean;
  readonly vision?: boolean;
}

/** In order; the first that matches. From the vendor's lists of thinking models, stream-only models and token limits. */
const FAMILIES: readonly Family[] = [
  { match: /^qwq/, thinking: 'always', thinksByDefault: true, streamOnly: 'always' },
  { match: /^qvq/, thinking: 'always', thinksByDefault: true, streamOnly: 'always', vision: true },
  { match: /-thinking(-\d+)?$/, thinking: 'always', thinksByDefault: true },
  { match: /^deepseek-r1/, thinking: 'always', thinksByDefault: true },
  { match: /omni/, thinking: 'budget', thinksByDefault: false, streamOnly: 'always', vision: true },
  { match: /-instruct(-\d+)?$|^qwen3-coder|^qwen-(max|long|mt|vl|coder|math)|^qwen2|^qwen1/, thinking: 'none', thinksByDefault: false },
  { match: /^qwen3\.8/, thinking: 'effort', thinksByDefault: true, totalTokens: true, vision: true },
  { match: /^qwen3\.7-max/, thinking: 'budget', thinksByDefault: true, totalTokens: true },
  { match: /^qwen3\.[5-7]-(plus|flash)/, thinking: 'budget', thinksByDefault: true, totalTokens: true, vision: true },
  { match: /^qwen3\.\d/, thinking: 'budget', thinksByDefault: true },
  { match: /^qwen3-vl/, thinking: 'budget', thinksByDefault: false, vision: true },
  { match: /^qwen3-max/, thinking: 'budget', thinksByDefault: false },
  // Open Qwen3 thinks by default and then only streams.
  { match: /^qwen3-\d/, thinking: 'budget', thinksByDefault: true, streamOnly: 'thinking' },
  { match: /^qwen-(plus|flash|turbo)/, thinking: 'budget', thinksByDefault: false },
  { match: /^(deepseek-v4|glm-)/, thinking: 'hosted-effort', thinksByDefault: false, totalTokens: true },
  { match: /^deepseek-v3/, thinking: 'budget', thinksByDefault: false, totalTokens: true },
  { match: /./, thinking: 'none', thinksByDefault: false },
];

export function familyOf(model: string): Family {
  const id = model.toLowerCase();
  return FAMILIES.find((family) => family.match.test(id)) as Family;
}

/** Names that look like Alibaba's own; third-party models on DashScope are reached by `backend/model`. */
export const claimsQwen = (model: string): boolean => /^(qwen|qwq|qvq)/i.test(model);

/** The catalogue's entry, or what the family tells of an unknown model. */
export function qwenFacts(id: string, known: ModelFacts | null): ModelFacts {
  const family = familyOf(id);
  const thinking = family.thinking === 'none' ? 'none' : family.thinking === 'always' ? 'always' : 'optional';
  return {
    id,
    contextTokens: known?.contextTokens ?? null,
    maxOutputTokens: known?.maxOutputTokens ?? null,
    tools: known?.tools ?? null,
    vision: known?.vision ?? (family.vision === true ? true : null),
    audioInput: known?.audioInput ?? null,
    jsonObject: known?.jsonObject ?? (thinking === 'none' ? true : thinking === 'always' ? false : 'non-thinking'),
    jsonSchema: known?.jsonSchema ?? null,
    logprobs: known?.logprobs ?? null,
    maxChoices: known?.maxChoices ?? null,
    thinking: known?.thinking === undefined || known.thinking === null ? thinking : known.thinking,
    thinksByDefault: known?.thinksByDefault ?? family.thinksByDefault,
  };
}
