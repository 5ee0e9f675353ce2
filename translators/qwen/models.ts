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

export interface Family {
  readonly match: RegExp;
  readonly thinking: ThinkingSwitch;
  readonly thinksByDefault: boolean;
  /** Answers nothing but streams; thinking answers are taken as streams from every model. */
  readonly streamOnly?: true;
  /** Takes `max_completion_tokens`, which bounds thinking and answer together. */
  readonly totalTokens?: true;
  /** Largest `thinking_budget`, in tokens; the vendor prints "80k", and 1k is taken as 1,000. */
  readonly maxThinking?: number;
  /** Absent where it is not known. */
  readonly vision?: boolean;
  readonly audio?: true;
  readonly tools?: false;
  readonly logprobs?: true;
  /** Makes up to four choices a call while it neither thinks nor has tools. */
  readonly choices?: true;
  /** False where there is no JSON mode at all. */
  readonly json?: false;
}

const NOT = { thinking: 'none', thinksByDefault: false } as const;
const ON = { thinking: 'budget', thinksByDefault: true } as const;
const OFF = { thinking: 'budget', thinksByDefault: false } as const;
const ALWAYS = { thinking: 'always', thinksByDefault: true } as const;

/** In order; the first that matches. From the vendor's lists of thinking models, stream-only models, token limits and modes. */
const FAMILIES: readonly Family[] = [
  { match: /^qwq/, ...ALWAYS, streamOnly: true, vision: false, maxThinking: 32_000, json: false },
  { match: /^qvq/, ...ALWAYS, streamOnly: true, maxThinking: 16_000, vision: true, tools: false, json: false },
  { match: /^qwen3-vl.*-thinking/, ...ALWAYS, maxThinking: 80_000, vision: true, json: false },
  { match: /^qwen3-.*-thinking(-\d+)?$/, ...ALWAYS, maxThinking: 80_000, vision: false, json: false },
  { match: /-thinking(-\d+)?$/, ...ALWAYS, maxThinking: 80_000, json: false },
  { match: /^deepseek-r1/, ...ALWAYS, vision: false, json: false },
  { match: /^qwen3\.8-omni/, thinking: 'effort', thinksByDefault: true, streamOnly: true, totalTokens: true, vision: true, audio: true },
  { match: /^qwen(2\.5)?-omni/, ...NOT, streamOnly: true, vision: true, audio: true, json: false },
  { match: /omni/, ...OFF, streamOnly: true, maxThinking: 32_000, vision: true, audio: true, json: false },
  { match: /^qwen-long/, ...NOT, vision: false, json: false },
  { match: /^qwen-mt/, ...NOT, vision: false, tools: false, json: false },
  { match: /^qwen-vl-ocr/, ...NOT, vision: true, tools: false, json: false },
  { match: /^qwen(2(\.5)?)?-vl/, ...NOT, vision: true },
  { match: /^qwen3-vl.*-instruct/, ...NOT, vision: true },
  // Snapshots from before hybrid thinking refuse the switch.
  { match: /^qwen-(plus|turbo)-(\d{4}$|2024|2025-0[1-3])/, ...NOT, vision: false, logprobs: true },
  { match: /^qwen3-(\d|next).*-instruct|^qwen3-coder|^qwen-(max|coder|math)/, ...NOT, vision: false },
  { match: /-instruct(-\d+)?$|^qwen2|^qwen1/, ...NOT },
  // Its largest budget is not printed: half of qwen3.8-max's is taken.
  { match: /^qwen3\.8-flash/, thinking: 'effort', thinksByDefault: true, totalTokens: true, maxThinking: 128_000, vision: true },
  { match: /^qwen3\.8/, thinking: 'effort', thinksByDefault: true, totalTokens: true, maxThinking: 256_000, vision: true },
  { match: /^qwen3\.7-max/, ...ON, totalTokens: true, maxThinking: 256_000, vision: false },
  { match: /^qwen3\.7-(plus|flash)/, ...ON, totalTokens: true, maxThinking: 256_000, vision: true },
  { match: /^qwen3\.[56]-(plus|flash)/, ...ON, totalTokens: true, maxThinking: 80_000, vision: true },
  { match: /^qwen3\.6-max/, ...ON, maxThinking: 128_000, vision: false },
  { match: /^qwen3\.\d/, ...ON, maxThinking: 80_000 },
  { match: /^qwen3-vl/, ...OFF, maxThinking: 80_000, vision: true, logprobs: true },
  { match: /^qwen3-max/, ...OFF, maxThinking: 80_000, vision: false, choices: true },
  { match: /^qwen3-(0\.6|1\.7)b/, ...ON, maxThinking: 30_000, vision: false, logprobs: true },
  { match: /^qwen3-\d/, ...ON, maxThinking: 38_000, vision: false, logprobs: true },
  { match: /^qwen-(plus|flash)/, ...OFF, maxThinking: 80_000, vision: false, choices: true, logprobs: true },
  { match: /^qwen-turbo/, ...OFF, maxThinking: 38_000, vision: false, choices: true, logprobs: true },
  { match: /^deepseek-v4/, thinking: 'hosted-effort', thinksByDefault: false, totalTokens: true, vision: false },
  { match: /^glm-/, thinking: 'hosted-effort', thinksByDefault: true, totalTokens: true },
  { match: /^deepseek-v3\.\d/, ...OFF, totalTokens: true, vision: false },
  { match: /^deepseek-v3/, ...NOT, totalTokens: true, vision: false },
];

/** Of a model that no row knows: nothing is sent that it might refuse. */
const UNKNOWN: Family = { match: /^/, ...NOT };

export function familyOf(model: string): Family {
  const id = model.toLowerCase();
  return FAMILIES.find((family) => family.match.test(id)) ?? UNKNOWN;
}

/** The switch of a model: the facts say whether it thinks, the family how that is told to it. */
export function switchOf(facts: ModelFacts): ThinkingSwitch {
  const { thinking } = familyOf(facts.id);
  if (facts.thinking === 'none' || facts.thinking === 'always') return facts.thinking;
  if (facts.thinking === null) return thinking;
  return thinking === 'none' || thinking === 'always' ? 'budget' : thinking;
}

/** Names that look like Alibaba's own; third-party models on DashScope are reached by `backend/model`. */
export const claimsQwen = (model: string): boolean => /^(qwen|qwq|qvq)/i.test(model);

/** The catalogue's entry, or what the family tells of an unknown model. */
export function qwenFacts(id: string, known: ModelFacts | null): ModelFacts {
  const family = familyOf(id);
  const usual = family.thinking === 'none' || family.thinking === 'always' ? family.thinking : 'optional';
  const thinking = known?.thinking ?? usual;
  const jsonObject = family.json ?? (thinking === 'none' ? true : thinking === 'always' ? false : 'non-thinking');
  return {
    id,
    contextTokens: known?.contextTokens ?? null,
    maxOutputTokens: known?.maxOutputTokens ?? null,
    tools: known?.tools ?? family.tools ?? null,
    vision: known?.vision ?? family.vision ?? null,
    audioInput: known?.audioInput ?? family.audio ?? null,
    jsonObject: known?.jsonObject ?? jsonObject,
    jsonSchema: known?.jsonSchema ?? null,
    logprobs: known?.logprobs ?? family.logprobs ?? null,
    maxChoices: known?.maxChoices ?? (family.choices === true ? 4 : null),
    thinking,
    thinksByDefault: known?.thinksByDefault ?? (thinking === 'always' || family.thinksByDefault),
  };
}
