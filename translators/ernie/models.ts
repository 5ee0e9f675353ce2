import type { ModelFacts } from '../translator.ts';

/** How thinking is switched on Qianfan. */
export type ThinkingSwitch =
  /** `enable_thinking`. */
  | 'enable'
  /** `thinking.type`. */
  | 'type'
  /** `thinking.type`, and `reasoning_effort` of high or max (DeepSeek-V4). */
  | 'effort'
  /** Thinks whatever is sent. */
  | 'always'
  | 'none'
  /** Sold as a thinking model, but Qianfan documents no switch: none is sent, and thinking is reckoned with. */
  | 'unclear';

export interface Family {
  readonly match: RegExp;
  readonly thinking: ThinkingSwitch;
  readonly thinksByDefault?: boolean;
  /** Takes `thinking_budget` (tokens, 100 or more; 16384 unless told). */
  readonly budget?: boolean;
  /** Smallest token limit it takes; absent: 2 (`max_completion_tokens range is [2, 4096]`). */
  readonly minTokens?: 1;
  /** X1 refuses `seed`, `stop`, `response_format` and `penalty_score`. */
  readonly bare?: boolean;
  /** Another maker's model on the same host: temperature up to 2, its id keeps its case. */
  readonly thirdParty?: boolean;
  /** Sampling parameters are ignored or refused. */
  readonly fixedSampling?: boolean;
  readonly noSeed?: boolean;
  readonly tools?: boolean;
  readonly vision?: boolean;
  /** Takes `detail` on images. */
  readonly detail?: boolean;
  readonly jsonObject?: boolean;
}

const GUEST = { thirdParty: true, minTokens: 1 } as const;
const TEXT = { vision: false } as const;
const SEES = { vision: true } as const;
const VL = { vision: true, detail: true } as const;

/** In order; the first that matches. From Qianfan's model list and its list of thinking models. */
const FAMILIES: readonly Family[] = [
  { match: /^ernie-x1/, thinking: 'always', thinksByDefault: true, bare: true, jsonObject: false, ...TEXT },
  { match: /^ernie-5\.0-thinking/, thinking: 'enable', thinksByDefault: true, budget: true, minTokens: 1, jsonObject: true, ...SEES },
  { match: /^ernie-5\.0/, thinking: 'enable', minTokens: 1, jsonObject: true, ...SEES },
  { match: /^ernie-5\.1/, thinking: 'unclear', minTokens: 1, jsonObject: true, ...TEXT },
  { match: /^ernie-[5-9]/, thinking: 'unclear', minTokens: 1 },
  { match: /^ernie-4\.5-(turbo-vl.*-preview|vl-)/, thinking: 'enable', ...VL },
  { match: /^ernie-4\.5-turbo-vl-32k/, thinking: 'none', ...VL },
  // Some ids of it have the switch, and no list says which.
  { match: /^ernie-4\.5-turbo-vl/, thinking: 'unclear', ...VL },
  { match: /^ernie-4\.5-8k-preview/, thinking: 'none', jsonObject: true, ...SEES },
  { match: /^ernie-(4\.5-turbo|4\.0|3\.5)/, thinking: 'none', jsonObject: true, ...TEXT },
  { match: /^ernie-lite-pro/, thinking: 'none', tools: true, ...TEXT },
  { match: /^ernie-(speed|lite|tiny|char|novel)/, thinking: 'none', tools: false, ...TEXT },
  { match: /^(ernie|qianfan)-/, thinking: 'none', ...TEXT },
  { match: /^deepseek-r1/, thinking: 'always', thinksByDefault: true, budget: true, fixedSampling: true, ...GUEST },
  { match: /^(qwq|qwen3-.*-thinking)/, thinking: 'always', thinksByDefault: true, budget: true, ...GUEST },
  { match: /^qwen3-(coder|.*-instruct)/, thinking: 'none', ...GUEST },
  { match: /^qwen3-/, thinking: 'enable', budget: true, ...GUEST },
  { match: /^qwen2/, thinking: 'none', noSeed: true, ...GUEST },
  { match: /^deepseek-v4/, thinking: 'effort', ...GUEST },
  { match: /^deepseek-(v3\.1|.*-think)/, thinking: 'type', budget: true, ...GUEST },
  { match: /^kimi-k2\.5/, thinking: 'type', fixedSampling: true, ...GUEST },
  { match: /^(deepseek-v3\.[2-9]|glm-(4\.[5-9]|[5-9]))/, thinking: 'type', ...GUEST },
  { match: /./, thinking: 'unclear', ...GUEST },
];

export function familyOf(model: string): Family {
  const id = model.toLowerCase();
  return FAMILIES.find((family) => family.match.test(id)) ?? { match: /^/, thinking: 'unclear', ...GUEST };
}

/** Names that look like Baidu's own; models of other makers on Qianfan are reached by `backend/model`. */
export const claimsErnie = (model: string): boolean => /^(ernie|qianfan)-/i.test(model);

/** ERNIE ids are lower case on the v2 interface and compared exactly there; ids of other makers are sent as typed. */
export const wireModel = (model: string): string => (claimsErnie(model) ? model.toLowerCase() : model);

/** The catalogue's entry, or what the family tells of an unknown model. */
export function ernieFacts(id: string, known: ModelFacts | null): ModelFacts {
  const family = familyOf(id);
  const thinking = { enable: 'optional', type: 'optional', effort: 'optional', always: 'always', none: 'none', unclear: null } as const;
  return {
    id,
    contextTokens: known?.contextTokens ?? null,
    maxOutputTokens: known?.maxOutputTokens ?? null,
    tools: known?.tools ?? family.tools ?? null,
    vision: known?.vision ?? family.vision ?? null,
    audioInput: known?.audioInput ?? false,
    jsonObject: known?.jsonObject ?? family.jsonObject ?? null,
    jsonSchema: known?.jsonSchema ?? null,
    logprobs: known?.logprobs ?? false,
    maxChoices: known?.maxChoices ?? 1,
    thinking: known?.thinking ?? thinking[family.thinking],
    thinksByDefault: known?.thinksByDefault ?? (family.thinking === 'unclear' ? null : (family.thinksByDefault ?? false)),
  };
}
